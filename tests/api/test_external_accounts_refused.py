"""External accounts over HTTP: what is refused (faults.md P-02, P-03, C-14 to C-18, C-29)."""

from __future__ import annotations

import pytest

from app.api.bodies import JsonObject
from app.api.refusals import InvalidRequest
from app.api.texts import check
from app.db import wallet
from app.domain.errors import ForbiddenData
from app.ports.chain import Branch
from tests.api.accounts import ACH, ALL, NUMBER, PATH, SEPA, WALLET, made
from tests.api.front import ADDRESS, Caller, Front, Json
from tests.api.refusals import pointers, refused
from tests.api.test_c_texts import CARDS, HIDING, INJECTIONS, KEYS, PHRASES


@pytest.mark.parametrize(
    "iban",
    [
        "DE88370400440532013000",
        "DE8937040044053201300",
        "DE893704004405320130000",
        "DE89370400440532O13000",
        "GB29NWBK6016133192681O",
        "TR330006100519786457841326",
        "US89370400440532013000",
        "DE89-3704-0044-0532-0130-00",
        "\uff24\uff25\uff18\uff1970400440532013000",
        "4242424242424242",
        "x",
        "",
        "9" * 71,
    ],
)
async def test_p_02_iban(front: Front, caller: Caller, iban: str) -> None:
    unsaid = [iban] if len(iban) > 5 else []
    response = await refused(front, caller.post(PATH, SEPA | {"iban": iban}), 422, "validation_failed", unsaid=unsaid)
    assert pointers(response) == ["/iban"]


@pytest.mark.parametrize("bic", ["BNPAFRPP", "COBADEF", "COBAZZFF", "x", ""])
async def test_p_02_bic(front: Front, caller: Caller, bic: str) -> None:
    response = await refused(front, caller.post(PATH, SEPA | {"bic": bic}), 422, "validation_failed")
    assert pointers(response) == ["/bic"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"routing_number": "021000022"}, "/routing_number"),
        ({"routing_number": "131000021"}, "/routing_number"),
        ({"routing_number": "000000000"}, "/routing_number"),
        ({"routing_number": "02100002"}, "/routing_number"),
        ({"routing_number": "0210-0002-1"}, "/routing_number"),
        ({"account_number": "1"}, "/account_number"),
        ({"account_number": "123"}, "/account_number"),
        ({"account_number": "1" * 18}, "/account_number"),
        ({"account_number": "12345a"}, "/account_number"),
        ({"account_number": "1234 5678"}, "/account_number"),
        ({"account_number": "\u0661\u0662\u0663\u0664\u0665"}, "/account_number"),
        ({"account_number": ""}, "/account_number"),
        ({"account_type": "gold"}, "/account_type"),
    ],
)
async def test_p_03_ach(front: Front, caller: Caller, changes: Json, pointer: str) -> None:
    response = await refused(front, caller.post(PATH, ACH | changes), 422, "validation_failed")
    assert pointers(response) == [pointer]


@pytest.mark.parametrize("body", [ACH, SEPA], ids=["ach", "sepa"])
@pytest.mark.parametrize("name", ["", " ", " Ada", "Ada ", "x" * 141, *HIDING.values()])
async def test_a_holders_name(front: Front, caller: Caller, body: Json, name: str) -> None:
    response = await refused(front, caller.post(PATH, body | {"holder_name": name}), 422, "validation_failed")
    assert pointers(response) == ["/holder_name"]


@pytest.mark.parametrize("name", ["\u5bff\u53f8", "Ada_L", "x" * 71])
async def test_a_name_that_sepa_does_not_carry(front: Front, caller: Caller, name: str) -> None:
    response = await refused(front, caller.post(PATH, SEPA | {"holder_name": name}), 422, "validation_failed")
    assert pointers(response) == ["/holder_name"]
    assert (await made(caller, ACH, holder_name=name))["holder_name"] == name


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"address": ADDRESS[:-1] + "q"}, "address_invalid", "/address"),
        ({"address": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"}, "network_mismatch", "/address"),
        ({"address": "0x4242424242424242424242424242424242424242"}, "address_invalid", "/address"),
        ({"address": ""}, "validation_failed", "/address"),
        ({"asset": "USDC"}, "validation_failed", "/asset"),
        ({"asset": "EUR"}, "validation_failed", "/asset"),
        ({"asset": "ETH", "network": "ethereum"}, "route_unavailable", "/network"),
        ({"network": "Bitcoin"}, "validation_failed", "/network"),
    ],
)
async def test_fault_f_96_wallets_that_cannot_be(
    front: Front, caller: Caller, changes: Json, code: str, pointer: str
) -> None:
    response = await refused(front, caller.post(PATH, WALLET | changes), 422, code)
    assert pointers(response) == [pointer]


async def test_an_address_of_our_own_is_refused(front: Front, caller: Caller) -> None:
    ours = front.context.rails.chain("bitcoin").new_address(Branch.RECEIVE, 7)
    async with front.context.db.transaction() as tx:
        await wallet.add_addresses(tx, "bitcoin", [ours], "funding")
    sending = caller.post(PATH, WALLET | {"address": ours.text})
    response = await refused(front, sending, 422, "address_invalid")
    assert pointers(response) == ["/address"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, ["/type"]),
        ({"type": "bank"}, ["/scheme"]),
        ({"type": "card"}, ["/type"]),
        ({"type": None}, ["/type"]),
        ({"type": ["bank"]}, ["/type"]),
        ({"type": "bank", "scheme": "swift"}, ["/scheme"]),
        ({"type": "bank", "scheme": {}}, ["/scheme"]),
        ({"type": "wallet"}, ["/asset", "/network", "/address"]),
        ({"type": "bank", "scheme": "ach"}, ["/routing_number", "/account_number", "/holder_name"]),
        ({"type": "bank", "scheme": "sepa"}, ["/iban", "/holder_name"]),
    ],
)
async def test_c_16_errors_point_at_fields(front: Front, caller: Caller, body: Json, found: list[str]) -> None:
    response = await refused(front, caller.post(PATH, body), 422, "validation_failed")
    assert pointers(response) == found


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, body in ALL.items() for field in body])
@pytest.mark.parametrize("wrong", [1, 1.5, True, None, [], {}, ["x"]], ids=repr)
async def test_c_16_wrong_types(front: Front, caller: Caller, kind: str, field: str, wrong: object) -> None:
    response = await refused(front, caller.post(PATH, ALL[kind] | {field: wrong}), 422, "validation_failed")
    assert pointers(response) == [f"/{field}"]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("field", ["status", "partner_id", "id", "sequence", "last4", "bank_name", "country", "reason"])
async def test_c_17_mass_assignment(front: Front, caller: Caller, kind: str, field: str) -> None:
    response = await refused(front, caller.post(PATH, ALL[kind] | {field: "x"}), 422, "unknown_field")
    assert pointers(response) == [f"/{field}"]


async def test_c_17_fields_of_another_kind(front: Front, caller: Caller) -> None:
    for body, field in ((WALLET, "iban"), (ACH, "iban"), (SEPA, "routing_number"), (ACH, "address")):
        response = await refused(front, caller.post(PATH, body | {field: "x"}), 422, "unknown_field")
        assert pointers(response) == [f"/{field}"]


@pytest.mark.parametrize("name", HIDING)
@pytest.mark.parametrize(("kind", "field"), [("wallet", "address"), ("ach", "account_number"), ("sepa", "iban")])
async def test_c_14_hidden_characters(front: Front, caller: Caller, kind: str, field: str, name: str) -> None:
    body = ALL[kind] | {field: f"{ALL[kind][field]}{HIDING[name]}"}
    response = await refused(front, caller.post(PATH, body), 422, "validation_failed")
    assert response.json()["errors"] == [{"pointer": f"/{field}", "code": "invalid_text"}]


@pytest.mark.parametrize("text", INJECTIONS)
async def test_c_15_injections_are_letters(caller: Caller, text: str) -> None:
    account = await made(caller, ACH, holder_name=text, metadata={"note": text})
    assert (account["holder_name"], account["metadata"]) == (text, {"note": text})
    found = await caller.http.get(PATH, params={"metadata[note]": text}, headers=caller.headers)
    assert [item["id"] for item in found.json()["data"]] == [account["id"]]


@pytest.mark.parametrize("secret", [CARDS[0], *KEYS, PHRASES[0]])
@pytest.mark.parametrize("field", ["holder_name", "routing_number", "scheme", "unknown", "metadata"])
async def test_c_29_forbidden_data(front: Front, caller: Caller, field: str, secret: str) -> None:
    value = {"account_number": secret} if field == "metadata" else secret
    await refused(front, caller.post(PATH, ACH | {field: value}), 422, "forbidden_data", unsaid=[secret])


@pytest.mark.parametrize("secret", [*KEYS, f"{CARDS[0]} {KEYS[0]}", PHRASES[0]])
@pytest.mark.parametrize(("body", "field"), [(ACH, "account_number"), (SEPA, "iban")], ids=["ach", "sepa"])
async def test_c_29_only_cards_are_let_through(
    front: Front, caller: Caller, body: Json, field: str, secret: str
) -> None:
    await refused(front, caller.post(PATH, body | {field: secret}), 422, "forbidden_data", unsaid=[secret])


async def test_c_29_and_only_there(front: Front, caller: Caller) -> None:
    for path, body in (("/v1/orders", {"account_number": NUMBER}), (PATH, ACH | {"x": {"account_number": NUMBER}})):
        await refused(front, caller.post(path, body), 422, "forbidden_data", unsaid=[NUMBER])


def test_c_29_places_in_lists() -> None:
    places = frozenset({("items", "*", "external_account", "iban")})
    check({"items": [{"external_account": {"iban": NUMBER}}]}, card_places=places)
    elsewhere: list[JsonObject] = [
        {"items": [{"external_account": {"x": NUMBER}}]},
        {"items": {"external_account": {"iban": NUMBER}}},
        {"iban": NUMBER},
    ]
    for document in elsewhere:
        with pytest.raises(ForbiddenData):
            check(document, card_places=places)
    with pytest.raises(InvalidRequest):
        check({"items": [{"external_account": {"iban": "a\x00"}}]}, card_places=places)


@pytest.mark.parametrize("wrong", ["x", "xa_", "or_01JD0000000000000000000000", "xa_01jd0000000000000000000000", "%00"])
async def test_c_18_not_an_id(front: Front, caller: Caller, wrong: str) -> None:
    await refused(front, caller.get(f"{PATH}/{wrong}"), 404, "not_found")
    await refused(front, caller.post(f"{PATH}/{wrong}/close", {}), 404, "not_found")


@pytest.mark.parametrize(
    "query", ["type=card", "status=new", "status=open", "scheme=swift", "limit=0", "starting_after=or_1", "x=1"]
)
async def test_lists_of_nothing(front: Front, caller: Caller, query: str) -> None:
    code = "unknown_field" if query == "x=1" else "validation_failed"
    await refused(front, caller.get(f"{PATH}?{query}"), 422, code)
