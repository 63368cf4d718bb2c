"""The node's answers, its errors, and answers that never arrive."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import respx

from app.ports.errors import OutcomeUnknown, ProviderError, ProviderRejected, ProviderUnavailable
from providers.bitcoin.node import Node

URL = "http://node.invalid/"
PASSWORD = "canary-password"
TXID = "ab" * 32
RAW = b"\x02\x00"

NOT_SENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("busy")]
LOST = [
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
]
# Answers that say nothing: cut, of another call, a proxy's page, an error without a code.
UNREADABLE = [
    httpx.Response(200, content=b""),
    httpx.Response(200, content=b'{"result": "abab'),
    httpx.Response(200, content=b"[]"),
    httpx.Response(200, json={"result": TXID, "error": None, "id": 999}),
    httpx.Response(200, json={"error": None, "id": 1}),
    httpx.Response(200, content=b'{"result": NaN, "error": null, "id": 1}'),
    httpx.Response(502, text="<html>Bad Gateway</html>"),
    httpx.Response(500, json={"result": TXID, "error": None, "id": 1}),
    httpx.Response(500, json={"result": None, "error": {"message": "?"}, "id": 1}),
    httpx.Response(500, json={"result": None, "error": "?", "id": 1}),
]


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def node(client: httpx.AsyncClient) -> Node:
    return Node(client, URL, user="user", password=PASSWORD)


@pytest.fixture
async def wire() -> AsyncIterator[respx.Router]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def error(code: int, message: str = "text", *, status: int = 500, call_id: int = 1) -> httpx.Response:
    body = {"result": None, "error": {"code": code, "message": message}, "id": call_id}
    return httpx.Response(status, json=body)


def result(value: object, *, call_id: int = 1) -> httpx.Response:
    return httpx.Response(200, json={"result": value, "error": None, "id": call_id})


async def test_a_broadcast_is_one_authorised_call(node: Node, wire: respx.Router) -> None:
    route = wire.post(URL).mock(return_value=result(TXID))
    await node.send(RAW, TXID)
    request = route.calls.last.request
    assert json.loads(request.content) == {
        "jsonrpc": "1.0",
        "id": 1,
        "method": "sendrawtransaction",
        "params": ["0200"],
    }
    assert request.headers["authorization"] == httpx.BasicAuth("user", PASSWORD)._auth_header
    assert route.call_count == 1


@pytest.mark.parametrize(
    "response",
    [
        error(-27, "Transaction already in block chain"),
        error(-27, "Transaction outputs already in utxo set"),
        error(-26, "txn-already-in-mempool"),
        error(-26, "txn-already-known"),
        error(-26, "txn-same-nonwitness-data-in-mempool"),
    ],
)
async def test_already_known_is_success(node: Node, wire: respx.Router, response: httpx.Response) -> None:
    wire.post(URL).mock(return_value=response)
    await node.send(RAW, TXID)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-26, "dust"),
        (-26, "min relay fee not met, 1 < 141"),
        (-26, "txn-mempool-conflict"),
        (-26, "mempool-script-verify-flag-failed (Signature must be zero for failed CHECK(MULTI)SIG operation)"),
        (-22, "TX decode failed"),
        (-8, "maxfeerate"),
        (-32601, "Method not found"),
    ],
)
async def test_a_refusal_is_for_good(node: Node, wire: respx.Router, code: int, message: str) -> None:
    wire.post(URL).mock(return_value=error(code, message))
    with pytest.raises(ProviderRejected) as caught:
        await node.send(RAW, TXID)
    assert caught.value.code == str(code)


@pytest.mark.parametrize(
    "response",
    [
        error(-26, "mempool min fee not met, 141 < 500"),
        error(-26, "mempool full"),
        error(-26, "too-long-mempool-chain, too many unconfirmed ancestors [limit: 25]"),
        error(-28, "Loading block index..."),
        error(-9, "Bitcoin is not connected!"),
        error(-10, "Bitcoin is downloading blocks..."),
        httpx.Response(401),
        httpx.Response(403),
        httpx.Response(503, text="Work queue depth exceeded"),
        *NOT_SENT,
    ],
)
async def test_not_now(node: Node, wire: respx.Router, response: httpx.Response | Exception) -> None:
    """Nothing was taken; the same bytes may be sent again."""
    wire.post(URL).mock(side_effect=[response])
    with pytest.raises(ProviderUnavailable):
        await node.send(RAW, TXID)


@pytest.mark.parametrize(
    "response", [*LOST, *UNREADABLE, result("cd" * 32), result(None), error(-32603, "bad_alloc"), error(-1, "?")]
)
async def test_a_lost_answer_is_not_a_failure(
    node: Node, wire: respx.Router, response: httpx.Response | Exception
) -> None:
    wire.post(URL).mock(side_effect=[response])
    with pytest.raises(OutcomeUnknown):
        await node.send(RAW, TXID)


async def test_missing_inputs_spent_by_this_very_transaction(node: Node, wire: respx.Router) -> None:
    wire.post(URL).mock(side_effect=[error(-25), result("0200", call_id=2)])
    await node.send(RAW, TXID)


async def test_missing_inputs_spent_by_another(node: Node, wire: respx.Router) -> None:
    chain = result({"blocks": 7, "headers": 7}, call_id=3)
    wire.post(URL).mock(side_effect=[error(-25, "bad-txns-inputs-missingorspent"), error(-5, call_id=2), chain])
    with pytest.raises(ProviderRejected) as caught:
        await node.send(RAW, TXID)
    assert caught.value.code == "-25"


@pytest.mark.parametrize(
    "answers",
    [
        [error(-5, call_id=2), result({"blocks": 6, "headers": 7}, call_id=3)],
        [error(-5, call_id=2), result({"blocks": 6}, call_id=3)],
        [error(-5, call_id=2), httpx.ReadTimeout("slow")],
        [httpx.ReadTimeout("slow")],
        [error(-28, call_id=2)],
    ],
)
async def test_missing_inputs_that_may_only_be_missing_yet(
    node: Node, wire: respx.Router, answers: list[httpx.Response | Exception]
) -> None:
    """A node that has not read all blocks, or cannot be asked, proves nothing."""
    wire.post(URL).mock(side_effect=[error(-25), *answers])
    with pytest.raises(ProviderUnavailable):
        await node.send(RAW, TXID)


READS: list[Callable[[Node], Awaitable[object]]] = [
    lambda node: node.chain(),
    lambda node: node.block_count(),
    lambda node: node.block_hash(3),
    lambda node: node.block(TXID),
    lambda node: node.estimated_fee(3),
]


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("response", [*NOT_SENT, *LOST, *UNREADABLE, error(-28), httpx.Response(401)])
async def test_a_read_that_fails_is_asked_again_later(
    node: Node, wire: respx.Router, read: Callable[[Node], Awaitable[object]], response: httpx.Response | Exception
) -> None:
    wire.post(URL).mock(side_effect=[response])
    with pytest.raises(ProviderUnavailable):
        await read(node)


@pytest.mark.parametrize("read", READS[:4])
@pytest.mark.parametrize("value", [None, True, -1, 1.5, [], "xyz", "AB" * 32])
async def test_answers_of_the_wrong_kind(
    node: Node, wire: respx.Router, read: Callable[[Node], Awaitable[object]], value: object
) -> None:
    wire.post(URL).mock(return_value=result(value))
    with pytest.raises(ProviderUnavailable):
        await read(node)


async def test_no_block_at_this_height(node: Node, wire: respx.Router) -> None:
    wire.post(URL).mock(return_value=error(-8, "Block height out of range"))
    assert await node.block_hash(9) is None


@pytest.mark.parametrize(
    ("answer", "satoshi"),
    [
        ('{"feerate": 0.00012345, "blocks": 3}', 12345),
        ('{"feerate": 1E-5}', 1000),
        ('{"feerate": 0}', None),
        ('{"feerate": -1}', None),
        ('{"feerate": 0.000000001}', None),
        ('{"feerate": "1"}', None),
        ('{"errors": ["Insufficient data or no feerate found"], "blocks": 0}', None),
    ],
)
async def test_fee_estimates(node: Node, wire: respx.Router, answer: str, satoshi: int | None) -> None:
    body = f'{{"result": {answer}, "error": null, "id": 1}}'
    wire.post(URL).mock(return_value=httpx.Response(200, text=body))
    assert await node.estimated_fee(3) == satoshi


async def test_a_node_without_fee_estimates(node: Node, wire: respx.Router) -> None:
    wire.post(URL).mock(return_value=error(-32601, "Method not found", status=404))
    assert await node.estimated_fee(3) is None


@pytest.mark.parametrize("response", [*NOT_SENT, *LOST, error(-26, "bad\r\nlog line " + "x" * 999), UNREADABLE[6]])
async def test_errors_are_short_and_without_the_password(
    node: Node, wire: respx.Router, response: httpx.Response | Exception
) -> None:
    wire.post(URL).mock(side_effect=[response])
    with pytest.raises(ProviderError) as caught:
        await node.send(RAW, TXID)
    assert PASSWORD not in repr(caught.value) + repr(node)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
