"""Trying transfers on the node before they are signed: a transfer that reverts costs its fee and moves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from app.domain.money import Asset
from app.ports.account_chain import Simulation, Transfer
from app.ports.chain import Address
from app.ports.errors import ProviderRejected
from providers.evm.answers import as_data, as_quantity, as_word
from providers.evm.calls import Call, pay, selector, view
from providers.evm.contracts import artefact, disperse_script
from providers.evm.encoding import WORD
from providers.evm.networks import EvmNetwork
from providers.evm.node import Node, Reverted
from providers.evm.refusals import plain_reason

_AT_ONCE: Final = 16  # questions to the node
_MOST_GAS: Final = 1 << 24  # of one transaction (EIP-7825)
_SPARE_GAS: Final = 25_000  # a recipient's first coin takes more of it than his second
_ERROR: Final = selector(b"Error(string)")
_NOT_PAID: Final = selector(b"NotPaid(uint256,bytes)")


class Simulator:
    """Transfers from one hot wallet, tried on the newest block."""

    def __init__(self, node: Node, network: EvmNetwork, hot: Address) -> None:
        """Ask this node as this address."""
        self._node = node
        self._network = network
        self._hot = hot
        self._deployed = False

    async def simulate(self, transfers: Sequence[Transfer]) -> Simulation:
        """Try transfers: one alone, several through the disperse contract; see `AccountRail.simulate`.

        Raises ValueError for transfers that do not fit one call, ProviderRejected when several are to be made and the
        disperse contract does not stand on this chain.
        """
        pay(self._network, transfers)  # raises for what does not fit
        await self._node.check_chain()
        asset = transfers[0].asset
        balance = await self._balance(asset)
        if balance < min(transfer.units for transfer in transfers):
            return Simulation(0, {}, halted="the wallet holds too little")
        halted = await self._halted(asset)
        if halted is not None:
            return Simulation(0, {}, halted=halted)
        if len(transfers) == 1:
            return await self._alone(transfers[0])
        await self._require_deployed()
        places = _affordable(transfers, balance)
        if await self._is_unapproved(asset, sum(transfers[place].units for place in places)):
            refused = await self._each(transfers, range(len(transfers)))
            return Simulation(0, refused, unapproved=True)
        return await self._together(transfers, places)

    async def _alone(self, transfer: Transfer) -> Simulation:
        try:
            gas = await self._estimate(pay(self._network, [transfer]))
        except Reverted as reverted:
            return Simulation(0, {0: plain_reason(_reason(reverted))})
        return Simulation(_limit(gas), {})

    async def _together(self, transfers: Sequence[Transfer], places: Sequence[int]) -> Simulation:
        """Try the transfers at these places in one call; when it fails, those that go through one by one.

        What goes through alone and not together is nobody's own fault: then nothing is sent, and a person has to look.
        """
        refused: dict[int, str] = {}
        for _ in range(2):
            left = [place for place in places if place not in refused]
            if not left:
                return Simulation(0, refused)
            try:
                gas = await self._estimate(pay(self._network, [transfers[place] for place in left]))
            except Reverted as reverted:
                why = f"together: {plain_reason(_reason(reverted))}"
                refused |= await self._each(transfers, left)
            else:
                return Simulation(_limit(gas), refused)
        return Simulation(0, refused, halted=why)

    async def _each(self, transfers: Sequence[Transfer], places: Iterable[int]) -> dict[int, str]:
        """Try transfers one by one: why some fail, by place."""
        queue, refused = list(places), dict[int, str]()

        async def one(place: int) -> None:
            try:
                await self._call(pay(self._network, [transfers[place]]))
            except Reverted as reverted:
                refused[place] = plain_reason(_reason(reverted))

        for start in range(0, len(queue), _AT_ONCE):
            await asyncio.gather(*map(one, queue[start : start + _AT_ONCE]))
        return dict(sorted(refused.items()))

    async def _halted(self, asset: Asset) -> str | None:
        """Why nobody could be paid in this asset, asked of the token itself; None when nothing is in the way."""
        if asset == self._network.native:
            return None
        paused = await self._ask(asset, view(b"paused()"))
        blacklisted = await self._ask(asset, view(b"isBlacklisted(address)", self._hot.script))
        if paused:
            return "the token is paused"
        return "our own address is blacklisted by the token's issuer" if blacklisted else None

    async def _balance(self, asset: Asset) -> int:
        if asset == self._network.native:
            return await self._node.read(as_quantity, "eth_getBalance", f"0x{self._hot.script}", "latest")
        return await self._ask(asset, view(b"balanceOf(address)", self._hot.script))

    async def _is_unapproved(self, asset: Asset, units: int) -> bool:
        if asset == self._network.native:
            return False
        question = view(b"allowance(address,address)", self._hot.script, disperse_script())
        return await self._ask(asset, question) < units

    async def _require_deployed(self) -> None:
        """An address without code takes every call, and coins with it: what stands there is looked at once."""
        if self._deployed:
            return
        code = await self._node.read(as_data, "eth_getCode", f"0x{disperse_script()}", "latest")
        if code != artefact("Disperse").runtime_code:
            message = "the disperse contract does not stand on this chain; `python -m providers.evm.contracts` says how"
            raise ProviderRejected(self._node.provider, message, code="disperse_missing")
        self._deployed = True

    async def _ask(self, asset: Asset, data: bytes) -> int:
        """What a token says: one word."""
        question = {"to": f"0x{self._network.by_asset[asset].contract}", "data": f"0x{data.hex()}"}
        return await self._node.read(as_word, "eth_call", question, "latest")

    async def _call(self, call: Call) -> None:
        await self._node.execute(as_data, "eth_call", self._said(call), "latest")

    async def _estimate(self, call: Call) -> int:
        return await self._node.execute(as_quantity, "eth_estimateGas", self._said(call), "latest")

    def _said(self, call: Call) -> dict[str, str]:
        return {
            "from": f"0x{self._hot.script}",
            "to": f"0x{call.target}",
            "value": hex(call.value),
            "data": f"0x{call.data.hex()}",
        }


def _affordable(transfers: Sequence[Transfer], balance: int) -> list[int]:
    """The places of as many transfers as the balance pays, the smallest first; at least one."""
    chosen: list[int] = []
    for place in sorted(range(len(transfers)), key=lambda place: transfers[place].units):
        balance -= transfers[place].units
        if balance < 0:
            break
        chosen.append(place)
    return sorted(chosen)


def _limit(gas: int) -> int:
    """A gas limit with room for what changes between the trial and the block; what is not used is not paid."""
    return min(gas * 5 // 4 + _SPARE_GAS, _MOST_GAS)


def _reason(reverted: Reverted) -> str:
    """Why a call failed, in the words of whatever contract failed first, else in the node's."""
    data = reverted.data
    if data[:4] == _NOT_PAID and _word(data, 4 + WORD) == 2 * WORD:
        data = data[4 + 3 * WORD :][: _word(data, 4 + 2 * WORD)]
    return _text(data) or reverted.message


def _text(data: bytes) -> str:
    """The reason in a contract's answer, `Error(string)`; nothing for any other kind of answer."""
    if data[:4] != _ERROR or _word(data, 4) != WORD:
        return ""
    text = data[4 + 2 * WORD :][: _word(data, 4 + WORD)].decode(errors="replace")
    return "".join(char if char.isprintable() else " " for char in text)[:200]


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + WORD].ljust(WORD, b"\0"), "big")
