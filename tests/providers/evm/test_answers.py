"""Reading the node's answers: state, fees and tokens that cannot be are not believed."""

from __future__ import annotations

import pytest
import respx

from app.ports.account_chain import FeeMarket
from app.ports.chain import BlockId
from app.ports.errors import ProviderRejected, ProviderUnavailable
from app.ports.records import ChainMovedError
from providers.evm.answers import Unusable, as_flag, as_hash, as_quantity, as_script, as_word
from providers.evm.networks import MAINNET
from providers.evm.node import Node
from providers.evm.reading import Reader
from providers.evm.tokens import check_tokens
from tests.providers.evm.wire import TXID, URL, error, result


@pytest.mark.parametrize(
    "message",
    ["header for hash not found", "hash is not currently canonical", "Resource not found", "unknown block"],
)
async def test_the_state_after_a_block_that_is_gone(node: Node, wire: respx.Router, message: str) -> None:
    wire.post(URL).mock(side_effect=[result("0x1"), error(-32000, message)])
    reader = Reader(node, MAINNET, start_height=0)
    with pytest.raises(ChainMovedError):
        await reader.balances([("ab" * 20, MAINNET.native)], BlockId(5, TXID))


@pytest.mark.parametrize(
    "message",
    [
        "missing trie node ab (path ) state 0xab is not available, not found",
        "required historical state unavailable",
        "block is pruned: not found",
    ],
)
async def test_fault_f_76_a_node_without_that_state_any_more_is_no_reorg(
    node: Node, wire: respx.Router, message: str
) -> None:
    wire.post(URL).mock(side_effect=[result("0x1"), error(-32000, message)])
    reader = Reader(node, MAINNET, start_height=0)
    with pytest.raises(ProviderUnavailable):
        await reader.balances([("ab" * 20, MAINNET.native)], BlockId(5, TXID))


def history(**changes: object) -> dict[str, object]:
    """An answer of `eth_feeHistory` for three blocks, the second of them empty."""
    return {
        "oldestBlock": "0x10",
        "baseFeePerGas": ["0x64", "0x65", "0x66", "0x67"],
        "gasUsedRatio": [0.5, 0.0, 0.9],
        "reward": [["0x5"], ["0x0"], ["0x9"]],
    } | changes


@pytest.mark.parametrize(
    ("answer", "market"),
    [
        (history(), FeeMarket(0x67, 5)),
        (history(gasUsedRatio=[0, 0, 0]), FeeMarket(0x67, 0)),
        (history(reward=[["0x5"], ["0x0"], ["0x1"]]), FeeMarket(0x67, 1)),
    ],
)
async def test_what_gas_costs(node: Node, wire: respx.Router, answer: dict[str, object], market: FeeMarket) -> None:
    wire.post(URL).mock(side_effect=[result("0x1"), result(answer, call_id=2)])
    assert await Reader(node, MAINNET, start_height=0).fees() == market


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        history(baseFeePerGas=["0x64", "0x65", "0x66"]),
        history(baseFeePerGas=["0x64", "0x65", "0x66", "0x0"]),
        history(baseFeePerGas=["0x64", "0x65", "0x66", "-0x1"]),
        history(baseFeePerGas=["0x64", "0x65", "0x66", hex(10**14 + 1)]),
        history(baseFeePerGas=["0x64", "0x65", "0x66", 103]),
        history(reward=None),
        history(reward=[["0x5"], ["0x0"]]),
        history(reward=[["0x5"], ["0x0"], []]),
        history(reward=[["0x5"], ["0x0"], ["0x5", "0x6"]]),
        history(reward=[[hex(10**18)], ["0x0"], [hex(10**18)]]),
        history(gasUsedRatio=[]),
        history(baseFeePerGas=["0x64"], gasUsedRatio=[], reward=[]),
    ],
)
async def test_fees_that_cannot_be_are_refused(node: Node, wire: respx.Router, answer: object) -> None:
    """Nobody pays what a broken answer says."""
    wire.post(URL).mock(side_effect=[result("0x1"), result(answer, call_id=2)])
    with pytest.raises(ProviderUnavailable):
        await Reader(node, MAINNET, start_height=0).fees()


async def test_fault_f_99_another_chain_is_refused(node: Node, wire: respx.Router) -> None:
    wire.post(URL).mock(return_value=result("0x7a69"))
    with pytest.raises(ProviderRejected, match="chain 31337 instead of 1"):
        await node.check_chain()


DOMAIN = f"0x{MAINNET.tokens[0].domain(1).hex()}"
SIX = f"0x{6:064x}"


@pytest.mark.parametrize(
    ("code", "decimals", "domain", "why"),
    [
        ("0x", SIX, DOMAIN, "there is no contract"),
        ("0x60", f"0x{18:064x}", DOMAIN, "18 decimals instead of 6"),
        ("0x60", SIX, f"0x{'ab' * 32}", "another name, version or chain"),
    ],
)
async def test_fault_f_69_a_token_that_is_not_the_one_we_know_is_refused(
    node: Node, wire: respx.Router, code: str, decimals: str, domain: str, why: str
) -> None:
    answers = [result("0x1"), *[result(each, call_id=at) for at, each in enumerate((code, decimals, domain), start=2)]]
    wire.post(URL).mock(side_effect=answers)
    with pytest.raises(ProviderRejected, match=why):
        await check_tokens(node, MAINNET)


async def test_a_token_that_is_the_one_we_know(node: Node, wire: respx.Router) -> None:
    answers = [result("0x1"), *[result(each, call_id=at) for at, each in enumerate(("0x60", SIX, DOMAIN), start=2)]]
    wire.post(URL).mock(side_effect=answers)
    await check_tokens(node, MAINNET)


@pytest.mark.parametrize("value", [None, True, 1, -1, 1.5, [], {}, "", "1", "0x", "0x01", "0xg", "0x1\n", "-0x1"])
def test_numbers_of_the_wrong_kind(value: object) -> None:
    with pytest.raises(Unusable):
        as_quantity(value)


@pytest.mark.parametrize(
    "value", [None, 1, "", "ab" * 32, "0x" + "ab" * 31, "0x" + "ab" * 33, "0x" + "a" * 63, "0x" + "zz" * 32]
)
def test_hashes_of_the_wrong_kind(value: object) -> None:
    for read in (as_hash, as_word, as_script):
        with pytest.raises(Unusable):
            read(value)


def test_values_leave_in_one_spelling() -> None:
    assert as_hash("0x" + "AB" * 32) == "ab" * 32
    assert as_script("0x" + "AB" * 20) == "ab" * 20
    assert (as_quantity("0x0"), as_quantity("0xFf"), as_word(SIX)) == (0, 255, 6)
    assert [as_flag(value) for value in ("0x0", "0x1")] == [False, True]
    with pytest.raises(Unusable):
        as_flag("0x2")
