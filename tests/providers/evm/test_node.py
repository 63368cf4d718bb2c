"""The node's errors in the words of several nodes, and answers that never arrive."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest
import respx

from app.ports.account_chain import NonceUsed, Underpriced
from app.ports.errors import OutcomeUnknown, ProviderError, ProviderRejected, ProviderThrottled, ProviderUnavailable
from providers.evm.answers import as_data, as_quantity
from providers.evm.node import Node, Reverted
from tests.providers.evm.wire import LOST, NOT_SENT, RAW, TXID, UNREADABLE, URL, error, result


async def test_a_broadcast_is_one_call(node: Node, wire: respx.Router) -> None:
    route = wire.post(URL).mock(return_value=result(f"0x{TXID}"))
    await node.send(RAW, TXID)
    assert json.loads(route.calls.last.request.content) == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_sendRawTransaction",
        "params": ["0x0200"],
    }
    assert route.call_count == 1


@pytest.mark.parametrize(
    "response",
    [
        error(-32000, "already known"),  # go-ethereum, Reth
        error(-32003, "transaction already imported"),  # Anvil
        error(-32000, "ALREADY_EXISTS: already known"),  # Erigon
        error(-32010, "AlreadyKnown"),  # Nethermind
        error(-32000, "Known transaction"),  # Besu
    ],
)
async def test_already_known_is_success(node: Node, wire: respx.Router, response: httpx.Response) -> None:
    wire.post(URL).mock(return_value=response)
    await node.send(RAW, TXID)


NONCE_USED = [
    error(-32000, "nonce too low: next nonce 5, tx nonce 3"),
    error(-32003, "nonce too low"),
    error(-32000, "INTERNAL_ERROR: nonce too low"),
    error(-32010, "OldNonce, Current nonce: 5, nonce of rejected tx: 3."),
    error(-32001, "Nonce too low"),
]


@pytest.mark.parametrize("response", NONCE_USED)
async def test_fault_f_85_a_used_nonce(node: Node, wire: respx.Router, response: httpx.Response) -> None:
    wire.post(URL).mock(side_effect=[response, result(None, call_id=2)])
    with pytest.raises(NonceUsed):
        await node.send(RAW, TXID)


@pytest.mark.parametrize("response", NONCE_USED)
async def test_a_nonce_used_by_this_very_transaction(node: Node, wire: respx.Router, response: httpx.Response) -> None:
    wire.post(URL).mock(side_effect=[response, result({"hash": f"0x{TXID}"}, call_id=2)])
    await node.send(RAW, TXID)


@pytest.mark.parametrize("lost", [*NOT_SENT, *LOST, UNREADABLE[0], error(-32000, "?")])
async def test_a_used_nonce_and_no_word_of_by_whom(
    node: Node, wire: respx.Router, lost: httpx.Response | Exception
) -> None:
    wire.post(URL).mock(side_effect=[NONCE_USED[0], lost])
    with pytest.raises(NonceUsed):
        await node.send(RAW, TXID)


@pytest.mark.parametrize(
    "response",
    [
        error(-32000, "replacement transaction underpriced"),
        error(-32000, "transaction underpriced: tip needed 1, tip permitted 0"),
        error(-32000, "max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 2"),
        error(-32000, "INTERNAL_ERROR: could not replace existing tx"),
        error(-32010, "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 2"),
        error(-32010, "FeeTooLowToCompete"),
        error(-32010, "ReplacementNotAllowed"),
        error(-32009, "Gas price below configured minimum gas price"),
    ],
)
async def test_fault_f_86_a_fee_that_is_too_low(node: Node, wire: respx.Router, response: httpx.Response) -> None:
    wire.post(URL).mock(return_value=response)
    with pytest.raises(Underpriced):
        await node.send(RAW, TXID)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32000, "intrinsic gas too low: gas 20000, minimum needed 21000"),
        (-32000, "exceeds block gas limit"),
        (-32000, "invalid sender"),
        (-32000, "invalid chain id for signer: have 1 want 5"),
        (-32000, "max priority fee per gas higher than max fee per gas: address 0x1"),
        (-32000, "tx fee (12.00 ether) exceeds the configured cap (1.00 ether)"),
        (-32000, "rlp: value size exceeds available input length"),
        (-32000, "transaction type not supported"),
        (-32602, "Failed to decode transaction"),
        (-32601, "the method does not exist"),
        (-32003, "a reason that is new to us"),
        (-32010, "Invalid"),
    ],
)
async def test_a_refusal_is_for_good(node: Node, wire: respx.Router, code: int, message: str) -> None:
    wire.post(URL).mock(return_value=error(code, message))
    with pytest.raises(ProviderRejected) as caught:
        await node.send(RAW, TXID)
    assert type(caught.value) is ProviderRejected
    assert caught.value.code == str(code)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (error(-32000, "insufficient funds for gas * price + value: balance 0, tx cost 1"), "insufficient_funds"),
        (error(-32003, "Insufficient funds for gas * price + value"), "insufficient_funds"),
        (error(-32010, "InsufficientFunds, Account balance: 0"), "insufficient_funds"),
        (error(-32004, "Upfront cost exceeds account balance"), "insufficient_funds"),
        (error(-32000, "txpool is full"), "later"),
        (error(-32000, "in-flight transaction limit reached for delegated accounts"), "later"),
        (error(-32010, "NonceGap, Future nonce. Expected nonce: 1"), "later"),
        (error(-32006, "Nonce too high"), "later"),
        (httpx.Response(401), "401"),
        (httpx.Response(403), "403"),
        (httpx.Response(503, text="no backend"), "503"),
        *[(failure, None) for failure in NOT_SENT],
    ],
)
async def test_not_now(node: Node, wire: respx.Router, response: httpx.Response | Exception, code: str | None) -> None:
    """Nothing was taken; the same bytes may be sent again."""
    wire.post(URL).mock(side_effect=[response])
    with pytest.raises(ProviderUnavailable) as caught:
        await node.send(RAW, TXID)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (httpx.Response(429, headers={"retry-after": "7"}), 7),
        (httpx.Response(429, headers={"retry-after": "soon"}), None),
        (error(-32005, "daily request count exceeded, request rate limited", status=200), None),
    ],
)
async def test_asked_too_often(node: Node, wire: respx.Router, response: httpx.Response, seconds: float | None) -> None:
    wire.post(URL).mock(return_value=response)
    for ask in (node.send(RAW, TXID), node.check_chain()):
        with pytest.raises(ProviderThrottled) as caught:
            await ask
        assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    "response",
    [
        *LOST,
        *UNREADABLE,
        result(f"0x{'cd' * 32}"),
        result(TXID),
        result(None),
        error(-32603, "Internal error"),
        error(-32000, "context deadline exceeded"),
        error(-32000, "a reason that is new to us"),
    ],
)
async def test_a_lost_answer_is_not_a_failure(
    node: Node, wire: respx.Router, response: httpx.Response | Exception
) -> None:
    wire.post(URL).mock(side_effect=[response])
    with pytest.raises(OutcomeUnknown):
        await node.send(RAW, TXID)


@pytest.mark.parametrize("response", [*NOT_SENT, *LOST, *UNREADABLE, error(-32000, "?"), httpx.Response(401)])
async def test_a_read_that_fails_is_asked_again_later(
    node: Node, wire: respx.Router, response: httpx.Response | Exception
) -> None:
    reads: list[Callable[[], Awaitable[object]]] = [
        lambda: node.check_chain(),
        lambda: node.execute(as_quantity, "eth_estimateGas", {}),
        lambda: node.read_at(as_quantity, TXID, "eth_getBalance", "0x"),
    ]
    for read in reads:
        wire.post(URL).mock(side_effect=[response])
        with pytest.raises(ProviderUnavailable):
            await read()


@pytest.mark.parametrize(
    "response",
    [
        error(3, "execution reverted: Pausable: paused", data="0x08c379a0"),
        error(-32000, "execution reverted", data="0x08c379a0"),
        error(-32015, "VM execution error.", data="0x08c379a0"),
        error(-32000, "gas required exceeds allowance (50000000)"),
        error(-32000, "insufficient funds for transfer"),
        error(-32603, "EVM error OutOfGas", data="Reverted 0x08c379a0"),
    ],
)
async def test_a_call_that_fails_is_an_answer(node: Node, wire: respx.Router, response: httpx.Response) -> None:
    wire.post(URL).mock(return_value=response)
    with pytest.raises(Reverted) as caught:
        await node.execute(as_data, "eth_call", {}, "latest")
    assert caught.value.data in (b"\x08\xc3\x79\xa0", b"")


@pytest.mark.parametrize("response", [*NOT_SENT, *LOST, error(-32602, "bad\r\nlog line " + "x" * 999), UNREADABLE[6]])
async def test_errors_are_short_and_without_the_key_in_the_url(
    node: Node, wire: respx.Router, response: httpx.Response | Exception
) -> None:
    wire.post(URL).mock(side_effect=[response])
    with pytest.raises(ProviderError) as caught:
        await node.send(RAW, TXID)
    assert "canary-key" not in repr(caught.value) + str(caught.value) + repr(node)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
