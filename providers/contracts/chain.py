"""The contract of `app.ports.chain`: the same arguments give the same bytes, and the chain is followed as it turns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pytest

from app.domain.errors import AddressInvalid
from app.ports.chain import (
    BlockId,
    Branch,
    ChainProvider,
    ChainTransaction,
    CoinInput,
    CoinsShort,
    Recipient,
    Scan,
)
from app.ports.errors import ProviderRejected

_RATE = 5  # units per virtual byte


class ChainHarness(ABC):
    """An adapter, and the hands of the miners."""

    rail: ChainProvider

    @property
    @abstractmethod
    def stranger(self) -> str:
        """Somebody's address, well spelt, on this network."""

    @abstractmethod
    async def fund(self, script: str, units: int) -> None:
        """Mine a coin of so many units for this script."""

    @abstractmethod
    async def mine(self, blocks: int = 1) -> None:
        """Mine what waits, and so many blocks."""

    @abstractmethod
    async def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by as many empty ones and one more; what they held waits again."""

    async def follow(self, known: list[BlockId]) -> Scan:
        """Read to the tip, and keep what is known as the follower does."""
        scan = await self.rail.scan(known, limit=2_000)
        known[:] = [block for block in known if block.height <= scan.fork_height]
        known += [block.id for block in scan.blocks]
        assert not scan.blocks or known[-1].height == scan.tip_height
        return scan

    async def coins(self, known: list[BlockId], amounts: Sequence[int]) -> list[CoinInput]:
        """Coins of ours of these amounts, found by reading the chain."""
        ours = {self.rail.new_address(Branch.RECEIVE, index).script: index for index in range(len(amounts))}
        for script, index in ours.items():
            await self.fund(script, amounts[index])
        scan = await self.follow(known)
        return [
            CoinInput(transaction.txid, output.vout, output.amount, Branch.RECEIVE, ours[output.script])
            for transaction in _transactions(scan)
            for output in transaction.outputs
            if output.script in ours
        ]

    def recipient(self, units: int) -> Recipient:
        """The stranger, to be paid."""
        return Recipient(self.rail.parse(self.stranger).script, units)


class ChainContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> ChainHarness:
        """Your adapter with its far side."""
        raise NotImplementedError

    def test_our_addresses_are_what_they_were(self, harness: ChainHarness) -> None:
        """Each place has an address of its own, which reads back as its script."""
        places = [(branch, index) for branch in Branch for index in range(3)]
        made = [harness.rail.new_address(branch, index) for branch, index in places]
        assert made == [harness.rail.new_address(branch, index) for branch, index in places]
        assert len({address.script for address in made}) == len(made)
        assert all(harness.rail.parse(address.text).script == address.script for address in made)

    @pytest.mark.parametrize("text", ["", " ", "x", "0", "é", "a" * 10_000])
    def test_what_is_no_address_is_refused(self, harness: ChainHarness, text: str) -> None:
        """In our own words for it."""
        with pytest.raises(AddressInvalid):
            harness.rail.parse(text)

    def test_one_wrong_character_is_noticed(self, harness: ChainHarness) -> None:
        """Wherever it stands."""
        text = harness.stranger
        for place in range(len(text)):
            other = "q" if text[place] != "q" else "p"
            with pytest.raises(AddressInvalid):
                harness.rail.parse(text[:place] + other + text[place + 1 :])

    async def test_a_payment_is_prepared_sent_and_found(self, harness: ChainHarness) -> None:
        """Under the id that was told before it left, of the size that was estimated at most."""
        known: list[BlockId] = []
        coins = await harness.coins(known, [70_000, 60_000])
        recipient, change = harness.recipient(100_000), harness.rail.new_address(Branch.CHANGE, 0)
        signed = await harness.rail.prepare(coins, [recipient], change, fee_rate=_RATE)
        assert signed.fee + signed.change + recipient.amount == 130_000
        assert signed.fee >= _RATE * signed.vsize
        assert signed.vsize <= harness.rail.estimate_vsize(2, [recipient.script, change.script])
        for _ in range(2):
            await harness.rail.broadcast(signed.raw)
        waiting = await harness.rail.waiting(frozenset(), limit=10)
        assert signed.txid in waiting.txids
        await harness.mine()
        [found] = [each for each in _transactions(await harness.follow(known)) if each.txid == signed.txid]
        assert set(found.spends) == {(coin.txid, coin.vout) for coin in coins}
        assert (recipient.script, recipient.amount) in {(output.script, output.amount) for output in found.outputs}
        await harness.rail.broadcast(signed.raw)  # it is in a block by now, and that is success

    async def test_the_same_arguments_are_the_same_bytes(self, harness: ChainHarness) -> None:
        """In whichever order."""
        coins = await harness.coins([], [70_000, 60_000])
        recipients = [harness.recipient(40_000), harness.recipient(30_000)]
        change = harness.rail.new_address(Branch.CHANGE, 1)
        signed = [
            await harness.rail.prepare(coins[::step], recipients[::step], change, fee_rate=_RATE) for step in (1, -1)
        ]
        assert signed[0] == signed[1]

    async def test_coins_that_do_not_suffice_are_not_signed(self, harness: ChainHarness) -> None:
        """Not even for a fee that is too low."""
        coins = await harness.coins([], [70_000])
        change = harness.rail.new_address(Branch.CHANGE, 0)
        with pytest.raises(CoinsShort):
            await harness.rail.prepare(coins, [harness.recipient(70_000)], change, fee_rate=_RATE)

    async def test_a_coin_is_spent_once(self, harness: ChainHarness) -> None:
        """The second spender is refused for good once the first is mined."""
        known: list[BlockId] = []
        coins = await harness.coins(known, [70_000])
        change = harness.rail.new_address(Branch.CHANGE, 0)
        first, second = [
            await harness.rail.prepare(coins, [harness.recipient(units)], change, fee_rate=_RATE)
            for units in (20_000, 30_000)
        ]
        await harness.rail.broadcast(first.raw)
        await harness.mine()
        with pytest.raises(ProviderRejected):
            await harness.rail.broadcast(second.raw)

    async def test_a_reorganisation_is_followed(self, harness: ChainHarness) -> None:
        """What was known above the fork is named as gone, and the new blocks hang together."""
        known: list[BlockId] = []
        coins = await harness.coins(known, [70_000])
        signed = await harness.rail.prepare(
            coins, [harness.recipient(20_000)], harness.rail.new_address(Branch.CHANGE, 0), fee_rate=_RATE
        )
        await harness.rail.broadcast(signed.raw)
        await harness.mine()
        before = list(known)
        await harness.follow(known)
        await harness.mine()
        await harness.follow(known)
        await harness.reorganise(2)
        scan = await harness.follow(known)
        assert scan.fork_height == before[-1].height
        assert [block.id.height for block in scan.blocks] == [scan.fork_height + n + 1 for n in range(len(scan.blocks))]
        assert known[: len(before)] == before
        assert signed.txid not in {each.txid for each in _transactions(scan)}
        await harness.rail.broadcast(signed.raw)
        await harness.mine()
        assert signed.txid in {each.txid for each in _transactions(await harness.follow(known))}

    async def test_the_fee_rate_is_at_least_one(self, harness: ChainHarness) -> None:
        """Also where the node has no estimate."""
        assert await harness.rail.fee_rate() >= 1


def _transactions(scan: Scan) -> list[ChainTransaction]:
    return [transaction for block in scan.blocks for transaction in block.transactions]
