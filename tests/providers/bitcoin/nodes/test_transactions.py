"""What we build and sign is right three ways: by Core's consensus code, a real node's policy, and our reckoning."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.ports.chain import CoinInput, Recipient, SignedTransaction
from app.ports.errors import ProviderRejected
from providers.bitcoin.building import FeePolicy, check_signed, plan_transaction
from providers.bitcoin.layout import read_transaction
from providers.bitcoin.scripts import dust_limit
from tests.providers.bitcoin.consensus import accepts
from tests.providers.bitcoin.nodes.conftest import Purse
from tests.providers.bitcoin.samples import EVERY_KIND, P2WPKH, pay

RATE = 3


async def prepared(
    purse: Purse, coins: list[CoinInput], recipients: list[Recipient], *, fee_rate: int = RATE, least_fee: int = 0
) -> SignedTransaction:
    """A signed transaction that Bitcoin Core's consensus code takes."""
    signed = await purse.rail.prepare(coins, recipients, purse.change, fee_rate=fee_rate, least_fee=least_fee)
    assert accepts(purse.wallet, signed.raw, coins)
    return signed


async def judged(purse: Purse, raw: bytes) -> dict[str, object]:
    """What the node says of a transaction that it is not given."""
    answer = await purse.chain.node.ask("testmempoolaccept", [raw.hex()])
    assert isinstance(answer, list)
    [verdict] = answer
    assert isinstance(verdict, dict)
    return verdict


async def sent(purse: Purse, signed: SignedTransaction) -> None:
    """The node takes the transaction, and sees the size and the fee that we reckoned."""
    verdict = await judged(purse, signed.raw)
    assert verdict["allowed"] is True, verdict
    assert verdict["vsize"] == signed.vsize
    assert verdict["txid"] == signed.txid
    fees = verdict["fees"]
    assert isinstance(fees, dict)
    assert Decimal(str(fees["base"])).scaleb(8) == signed.fee
    await purse.rail.broadcast(signed.raw)
    assert signed.txid in await purse.chain.mempool()


@pytest.mark.parametrize("script", EVERY_KIND)
async def test_every_kind_of_output(purse: Purse, script: str) -> None:
    signed = await prepared(purse, purse.take(1), [pay(50_000, script)])
    await sent(purse, signed)
    await purse.chain.mine()
    assert await purse.chain.confirmations(signed.txid) == 1
    assert (await purse.records.coins([script])).units >= 50_000


async def test_all_kinds_of_outputs_and_several_keys_at_once(purse: Purse) -> None:
    signed = await prepared(purse, purse.take(9), [pay(60_000 + n, script) for n, script in enumerate(EVERY_KIND)])
    assert {(output.script, output.amount) for output in _outputs(signed)} >= {
        (script, 60_000 + n) for n, script in enumerate(EVERY_KIND)
    }
    await sent(purse, signed)


@pytest.mark.parametrize("script", EVERY_KIND)
async def test_dust_is_what_the_node_calls_dust(purse: Purse, script: str) -> None:
    """One unit below our limit the node refuses; at the limit it does not."""
    [coin] = purse.coins[:1]
    limit = dust_limit(script, purse.chain.network.dust_rate)
    verdicts = []
    for amount in (limit - 1, limit):
        plan = plan_transaction(
            [coin], [pay(amount, script)], purse.change, fee_rate=RATE, fees=FeePolicy(), dust_rate=1
        )
        verdicts.append(await judged(purse, check_signed(plan, await purse.wallet.sign(plan.draft)).raw))
    assert [(verdict["allowed"], verdict.get("reject-reason")) for verdict in verdicts] == [
        (False, "dust"),
        (True, None),
    ]


async def test_five_hundred_outputs_and_then_many_inputs(purse: Purse) -> None:
    """The coins of the first are the inputs of the second."""
    own = [purse.wallet.address(purse.change.branch, index) for index in range(4)]
    spread = await prepared(purse, purse.take(1), [pay(100_000 + n, own[n % 4].script) for n in range(500)])
    assert len(_outputs(spread)) == 501
    await sent(purse, spread)
    await purse.chain.mine()
    by_script = {address.script: address for address in own}
    coins = [
        CoinInput(spread.txid, vout, output.amount, by_script[output.script].branch, by_script[output.script].index)
        for vout, output in enumerate(_outputs(spread))
        if output.amount < 200_000
    ]
    gathered = await prepared(purse, coins[:150], [pay(5_000_000)])
    await sent(purse, gathered)
    await purse.chain.mine()
    assert await purse.chain.confirmations(gathered.txid) == 1


async def test_a_replacement_takes_the_place_of_what_it_replaces(purse: Purse) -> None:
    coins, recipients = purse.take(2), [pay(70_000), pay(80_000, EVERY_KIND[0])]
    first = await prepared(purse, coins, recipients)
    await sent(purse, first)
    too_little = await prepared(purse, coins, recipients, least_fee=first.fee + first.vsize - 1)
    with pytest.raises(ProviderRejected) as refused:
        await purse.rail.broadcast(too_little.raw)
    assert refused.value.code == "-26"
    second = await prepared(purse, coins, recipients, fee_rate=RATE + 1, least_fee=first.fee + first.vsize)
    await purse.rail.broadcast(second.raw)
    waiting = await purse.chain.mempool()
    assert second.txid in waiting
    assert first.txid not in waiting
    assert {(output.script, output.amount) for output in _outputs(second)} >= {
        (recipient.script, recipient.amount) for recipient in recipients
    }
    await purse.chain.mine()
    assert await purse.chain.confirmations(second.txid) == 1
    # The replaced one is refused for good: its coins are gone.
    with pytest.raises(ProviderRejected) as gone:
        await purse.rail.broadcast(first.raw)
    assert gone.value.code == "-25"


async def test_what_a_reorganisation_takes_back_waits_and_is_mined_again(purse: Purse) -> None:
    first = await prepared(purse, purse.take(1), [pay(90_000)])
    await sent(purse, first)
    await purse.chain.mine(3)
    assert await purse.chain.confirmations(first.txid) == 3
    # Bytes that are mined already are no error, whatever has become of their outputs.
    await purse.rail.broadcast(first.raw)
    await purse.chain.take_back(3)
    assert first.txid in await purse.chain.mempool()
    await purse.rail.broadcast(first.raw)
    await purse.chain.mine(4)
    assert await purse.chain.confirmations(first.txid) == 4


async def test_a_chain_of_our_own_change(purse: Purse) -> None:
    """Unconfirmed change may be spent; the node takes the child before the parent is mined."""
    parent = await prepared(purse, purse.take(1), [pay(50_000)])
    await sent(purse, parent)
    [(vout, back)] = [(n, one) for n, one in enumerate(_outputs(parent)) if one.script == purse.change.script]
    coin = CoinInput(parent.txid, vout, back.amount, purse.change.branch, purse.change.index)
    child = await prepared(purse, [coin], [pay(50_001, P2WPKH)], fee_rate=RATE * 10)
    await sent(purse, child)
    await purse.chain.mine()
    assert [await purse.chain.confirmations(one.txid) for one in (parent, child)] == [1, 1]


def _outputs(signed: SignedTransaction) -> list[Recipient]:
    return [Recipient(script, amount) for script, amount in read_transaction(signed.raw).outputs]
