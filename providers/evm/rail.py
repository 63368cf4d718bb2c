"""The EVM rail: `app.ports.account_chain.AccountChain` on addresses and a signer of our own and somebody's node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from app.domain.money import Asset
from app.ports.account_chain import FeeOffer, SignedCall, Simulation, Transfer
from app.ports.chain import Address, Branch, Destination
from providers.evm.addresses import EvmAddresses
from providers.evm.building import GasPolicy, check_signed
from providers.evm.calls import call_of
from providers.evm.layout import read_call
from providers.evm.networks import EvmNetwork
from providers.evm.node import Node
from providers.evm.reading import Reader
from providers.evm.signer import HOT, CallDraft, CallKind, CallSigner, sender_place
from providers.evm.simulation import Simulator
from providers.evm.tokens import check_tokens

_DEFAULT_GAS: Final = GasPolicy()
PLAIN_GAS: Final = 21_000  # a payment of the chain's own coin to an address without code (Ethereum yellow paper, G_tx)
_APPROVE_GAS: Final = 100_000
_AUTHORIZED_GAS: Final = 180_000  # USDC takes about 90,000 for a transfer by authorisation


class Wallet(Protocol):
    """The addresses of our account: all that watching it needs."""

    def address(self, branch: Branch, index: int) -> Address:
        """The address at a place in the account; raises ValueError for a place that there is not."""
        ...


class EvmRail(Reader):
    """One EVM chain: Ethereum, Base, a test network of theirs, or a chain of one's own."""

    def __init__(
        self,
        *,
        wallet: Wallet,
        signer: CallSigner,
        node: Node,
        network: EvmNetwork,
        gas: GasPolicy = _DEFAULT_GAS,
        start_height: int = 0,
    ) -> None:
        """Reading begins at `start_height` when no block is known. Raises ValueError for a node of another chain."""
        if node.chain_id != network.chain_id:
            raise ValueError("the node is to be on another chain than the network")
        super().__init__(node, network, start_height=start_height)
        self._wallet = wallet
        self._signer = signer
        self._gas = gas
        self._addresses = EvmAddresses(network)
        self._hot = wallet.address(*HOT)
        self._simulator = Simulator(node, network, self._hot)

    @property
    def network(self) -> str:
        """The network's name in the catalogue, the same for test networks."""
        return self._network.name

    @property
    def hot(self) -> Address:
        """The one address that we pay from, and sweep to."""
        return self._hot

    def new_address(self, branch: Branch, index: int) -> Address:
        """Derive one of our own addresses."""
        return self._wallet.address(branch, index)

    def parse(self, text: str) -> Destination:
        """Check an address; raises AddressInvalid."""
        return self._addresses.parse(text)

    async def check(self) -> None:
        """Hold chain and tokens against what we believe of them; raises ProviderRejected and ProviderUnavailable."""
        await check_tokens(self._node, self._network)

    async def simulate(self, transfers: Sequence[Transfer]) -> Simulation:
        """Try transfers from the hot wallet on the newest block; see `simulation.py`."""
        return await self._simulator.simulate(transfers)

    async def broadcast(self, raw: bytes) -> None:
        """Hand the bytes to the network; "already known" is success. Errors as in `node.Node.send`."""
        call = read_call(raw)
        if call.chain_id != self._network.chain_id:
            raise ValueError("the transaction is for another chain")
        await self._node.check_chain()
        await self._node.send(raw, call.txid)

    async def prepare(self, transfers: Sequence[Transfer], *, nonce: int, gas_limit: int, fees: FeeOffer) -> SignedCall:
        """Pay from the hot wallet: one transfer plainly, several together; the same arguments give the same bytes.

        Raises ValueError for transfers that do not fit one call (FeeTooHigh for fees above the policy), and what the
        signer raises.
        """
        draft = self._draft(CallKind.PAY, self._hot, tuple(transfers), nonce=nonce, gas_limit=gas_limit, fees=fees)
        return await self._sign(draft, self._hot)

    async def cancel(self, sender: Address, *, nonce: int, fees: FeeOffer) -> SignedCall:
        """An empty payment of one of our addresses to itself, which fills a nonce and does nothing else."""
        draft = self._draft(CallKind.CANCEL, sender, (), nonce=nonce, gas_limit=PLAIN_GAS, fees=fees)
        return await self._sign(draft, sender)

    async def approve(self, asset: Asset, *, nonce: int, fees: FeeOffer) -> SignedCall:
        """Let the disperse contract move this token out of the hot wallet, in calls of the hot wallet's own."""
        draft = self._draft(
            CallKind.APPROVE, self._hot, (), nonce=nonce, gas_limit=_APPROVE_GAS, fees=fees, asset=asset
        )
        return await self._sign(draft, self._hot)

    async def collect(
        self, source: Address, asset: Asset, units: int, *, nonce: int, gas_limit: int, fees: FeeOffer
    ) -> SignedCall:
        """Move units from a deposit address to the hot wallet, in a call of `collector` and its nonce."""
        if source.branch is not Branch.RECEIVE:
            raise ValueError("only a deposit address is collected from")
        transfers = (Transfer(asset, self._hot.script, units),)
        draft = self._draft(CallKind.COLLECT, source, transfers, nonce=nonce, gas_limit=gas_limit, fees=fees)
        return await self._sign(draft, source)

    def collector(self, source: Address, asset: Asset) -> Address:
        """Which of our addresses sends the call that collects: the hot wallet a token, `source` the network's coin."""
        return source if asset == self._network.native else self._hot

    def collect_gas(self, asset: Asset) -> int:
        """The gas limit of collecting this asset."""
        return PLAIN_GAS if asset == self._network.native else _AUTHORIZED_GAS

    def _draft(
        self,
        kind: CallKind,
        source: Address,
        transfers: tuple[Transfer, ...],
        *,
        nonce: int,
        gas_limit: int,
        fees: FeeOffer,
        asset: Asset | None = None,
    ) -> CallDraft:
        return CallDraft(
            network=self._network.name,
            chain_id=self._network.chain_id,
            kind=kind,
            branch=source.branch,
            index=source.index,
            transfers=transfers,
            nonce=nonce,
            gas_limit=gas_limit,
            fees=fees,
            asset=asset,
        )

    async def _sign(self, draft: CallDraft, source: Address) -> SignedCall:
        """Ask the signer, and hold its answer against the draft; `source` is the address at the draft's place."""
        if self._wallet.address(source.branch, source.index) != source:
            raise ValueError("the address is not one of ours")
        self._gas.check(draft)
        call_of(self._network, draft, source)  # raises for what is no call
        raw = await self._signer.sign_call(draft)
        sender = self._wallet.address(*sender_place(draft))
        return check_signed(self._network, draft, raw, source=source, sender=sender)
