"""The contract of `app.ports.account_chain`: calls are known before they leave, and happen once at their nonce."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest

from app.domain.assets import native_asset
from app.domain.errors import AddressInvalid
from app.domain.money import Asset
from app.ports.account_chain import AccountChain, AccountScan, FeeOffer, NonceUsed, SignedCall, Transfer
from app.ports.chain import BlockId, Branch
from app.ports.records import ChainMovedError


class AccountHarness(ABC):
    """An adapter whose hot wallet holds coins and `token`, and the hands of those who make blocks."""

    rail: AccountChain
    token: Asset
    stranger: str  # somebody's address, well spelt

    @abstractmethod
    async def mine(self, blocks: int = 1) -> None:
        """Make what waits part of a block, and so many blocks."""

    @abstractmethod
    async def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by as many empty ones; what they held is gone."""

    @property
    def assets(self) -> tuple[Asset, Asset]:
        """What can be paid: the network's own coin, and the token."""
        return native_asset(self.rail.network), self.token

    def transfer(self, units: int, asset: Asset) -> Transfer:
        """The stranger, to be paid."""
        return Transfer(asset, self.rail.parse(self.stranger).script, units)

    async def offer(self) -> FeeOffer:
        """Enough for the next blocks."""
        market = await self.rail.fees()
        return FeeOffer(2 * market.base_fee + market.priority_fee + 10**9, market.priority_fee + 10**9)

    async def signed(self, units: int, asset: Asset) -> SignedCall:
        """A payment to the stranger at the next nonce, as simulated."""
        transfer = self.transfer(units, asset)
        simulated = await self.rail.simulate([transfer])
        assert (simulated.halted, dict(simulated.refused)) == (None, {})
        nonce = (await self.rail.nonces(self.rail.hot.script)).pending
        return await self.rail.prepare([transfer], nonce=nonce, gas_limit=simulated.gas_limit, fees=await self.offer())

    async def follow(self, known: list[BlockId]) -> AccountScan:
        """Read to the tip, and keep what is known as the follower does."""
        while True:
            scan = await self.rail.scan(known, limit=2_000)
            known[:] = [block for block in known if block.height <= scan.fork_height]
            known += [block.id for block in scan.blocks]
            if not scan.blocks or known[-1].height == scan.tip_height:
                return scan


class AccountContract:
    """Subclass this and give it a fixture `harness`."""

    @pytest.fixture
    def harness(self) -> AccountHarness:
        """Your adapter with its far side."""
        raise NotImplementedError

    def test_our_addresses_are_what_they_were(self, harness: AccountHarness) -> None:
        """Each place has an address of its own, which reads back as its script; the hot wallet is one of them."""
        places = [(Branch.CHANGE, 0), *((Branch.RECEIVE, index) for index in range(3))]
        made = [harness.rail.new_address(branch, index) for branch, index in places]
        assert made == [harness.rail.new_address(branch, index) for branch, index in places]
        assert len({address.script for address in made}) == len(made)
        assert all(harness.rail.parse(address.text).script == address.script for address in made)
        assert harness.rail.hot == harness.rail.new_address(Branch.CHANGE, 0)

    @pytest.mark.parametrize("text", ["", " ", "x", "0x", "é", "a" * 10_000])
    def test_what_is_no_address_is_refused(self, harness: AccountHarness, text: str) -> None:
        """In our own words for it."""
        with pytest.raises(AddressInvalid):
            harness.rail.parse(text)

    @pytest.mark.parametrize("kind", [0, 1], ids=["coin", "token"])
    async def test_a_payment_is_prepared_sent_and_found(self, harness: AccountHarness, kind: int) -> None:
        """Under the id that was told before it left; sending the same bytes again is no second payment."""
        rail, asset = harness.rail, harness.assets[kind]
        call = await harness.signed(1_234_567, asset)
        assert call == await harness.signed(1_234_567, asset)
        assert call.sender == rail.hot.script
        before = await rail.nonces(rail.hot.script)
        for _ in range(2):
            await rail.broadcast(call.raw)
        assert await rail.receipt(call.txid) is None
        assert (await rail.nonces(rail.hot.script)).pending == before.pending + 1
        await harness.mine()
        found = await rail.receipt(call.txid)
        assert found is not None
        block, receipt = found
        assert (receipt.txid, receipt.sender, receipt.nonce, receipt.ok) == (call.txid, call.sender, call.nonce, True)
        assert 0 < receipt.fee <= call.most_fee
        to = rail.parse(harness.stranger).script
        assert [(output.script, output.amount) for output in receipt.outputs] == [(to, 1_234_567)]
        assert (await rail.nonces(rail.hot.script)).mined == before.mined + 1
        assert await rail.nonce_after(rail.hot.script, block) == before.mined + 1
        [held] = await rail.balances([(to, asset)], block)
        assert held >= 1_234_567
        await rail.broadcast(call.raw)  # it is in a block by now, and that is success

    async def test_a_nonce_is_used_once(self, harness: AccountHarness) -> None:
        """The second call is refused once the first is mined, and nothing of it happens."""
        first, second = await harness.signed(1_000, harness.token), await harness.signed(2_000, harness.token)
        assert (first.nonce, first.txid != second.txid) == (second.nonce, True)
        await harness.rail.broadcast(first.raw)
        await harness.mine()
        with pytest.raises(NonceUsed):
            await harness.rail.broadcast(second.raw)
        assert await harness.rail.receipt(second.txid) is None

    async def test_more_than_there_is_cannot_be_paid(self, harness: AccountHarness) -> None:
        """And that is said before anything is signed."""
        simulated = await harness.rail.simulate([harness.transfer(10**30, harness.token)])
        assert simulated.halted
        assert simulated.gas_limit == 0 or not simulated.refused

    async def test_a_nonce_can_be_given_up(self, harness: AccountHarness) -> None:
        """An empty payment to ourselves takes its place."""
        rail = harness.rail
        nonce = (await rail.nonces(rail.hot.script)).pending
        call = await rail.cancel(rail.hot, nonce=nonce, fees=await harness.offer())
        await rail.broadcast(call.raw)
        await harness.mine()
        found = await rail.receipt(call.txid)
        assert found is not None
        assert (found[1].ok, found[1].nonce, found[1].outputs) == (True, nonce, ())

    async def test_a_reorganisation_is_followed(self, harness: AccountHarness) -> None:
        """What was known above the fork is named as gone, and the payment is made again by the same bytes."""
        known: list[BlockId] = []
        await harness.follow(known)
        call = await harness.signed(3_000, harness.token)
        await harness.rail.broadcast(call.raw)
        await harness.mine()
        scan = await harness.follow(known)
        assert call.txid in {each.txid for block in scan.blocks for each in block.transactions}
        assert scan.finalized <= scan.safe <= scan.tip_height
        before = list(known)
        assert await harness.rail.nonce_after(call.sender, before[-1]) == call.nonce + 1
        assert await harness.rail.nonce_after(call.sender, before[-2]) == call.nonce
        await harness.reorganise(1)
        await harness.mine()
        with pytest.raises(ChainMovedError):
            await harness.rail.nonce_after(call.sender, before[-1])
        scan = await harness.follow(known)
        assert scan.fork_height == before[-2].height
        assert [block.id.height for block in scan.blocks] == [scan.fork_height + n + 1 for n in range(len(scan.blocks))]
        assert call.txid not in {each.txid for block in scan.blocks for each in block.transactions}
        assert await harness.rail.receipt(call.txid) is None
        await harness.rail.broadcast(call.raw)
        await harness.mine()
        scan = await harness.follow(known)
        assert call.txid in {each.txid for block in scan.blocks for each in block.transactions}
