"""What this instance offers: assets, payment methods, and the state machines behind its resources."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from app.domain.assets import CATALOGUE
from app.domain.errors import NotFound
from app.domain.machines import DESCRIPTIONS, Description
from app.domain.money import Asset
from app.domain.payin_methods import PAYIN_METHODS, PayinMethod
from app.schemas.base import decimal_of
from app.schemas.catalogue import (
    AssetList,
    AssetOut,
    DepthStepOut,
    EdgeOut,
    MachineOut,
    MethodLimitOut,
    PaymentMethodList,
    PaymentMethodOut,
    StateMachineOut,
    StateOut,
)
from app.services.policy import Policy
from app.services.rails import Rails

# https://chainagnostic.org/CAIPs/caip-19, with the token contracts as Circle publishes them.
_CAIP19: Final = {
    "BTC.bitcoin": "bip122:000000000019d6689c085ae165831e93/slip44:0",
    "LTC.litecoin": "bip122:12a765e31ffd4059bada1e25190f6e98/slip44:2",
    "ETH.ethereum": "eip155:1/slip44:60",
    "USDC.ethereum": "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
    "USDC.base": "eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
}


def assets(rails: Rails, policy: Policy) -> AssetList:
    """Every asset that we know, and whether a rail serves it."""
    return AssetList(data=[_asset(asset, rails, policy) for asset in CATALOGUE])


def _asset(asset: Asset, rails: Rails, policy: Policy) -> AssetOut:
    return AssetOut(
        id=asset.id,
        asset=asset.code,
        network=asset.network,
        decimals=asset.decimals,
        caip19=_CAIP19.get(asset.id),
        confirmations=[
            DepthStepOut(
                below=None if step.below_units is None else decimal_of(step.below_units, asset),
                confirmations=step.confirmations,
            )
            for step in (policy.ladders.get(asset.network, ()) if asset.network is not None else ())
        ],
        routable=asset.code in policy.limits if asset.is_fiat else asset.network in rails.networks,
    )


def payment_methods(rails: Rails, policy: Policy) -> PaymentMethodList:
    """Every way customers can pay, with the limits of each currency."""
    return PaymentMethodList(
        data=[_method(PAYIN_METHODS[name], provider, policy) for name, provider in sorted(rails.methods.items())]
    )


def _method(method: PayinMethod, provider: str, policy: Policy) -> PaymentMethodOut:
    return PaymentMethodOut(
        id=method.name,
        direction="buy",
        provider=provider,
        limits=[
            MethodLimitOut(asset=asset.code, min=decimal_of(limit.least, asset), max=decimal_of(limit.most, asset))
            for asset in CATALOGUE
            if asset.is_fiat and (limit := policy.limits_of(method.name, asset.code)) is not None
        ],
        payment_window=_duration(policy.window_of(method.name)),
        settlement_time=_duration(method.settlement),
        reversal_window=_duration(method.reversal),
        delivery_hold=_duration(max((step.hold for step in policy.holds.get(method.name, ())), default=timedelta())),
    )


def _duration(time: timedelta) -> str:
    """As ISO 8601 writes it: whole days where they are whole, else seconds."""
    return f"P{time.days}D" if time.days and not time.seconds else f"PT{int(time.total_seconds())}S"


def state_machine(resource: str) -> StateMachineOut:
    """How one kind of resource moves: one table, or one for each direction. Raises NotFound."""
    machines = [_machine(description) for description in DESCRIPTIONS if description.resource == resource]
    if not machines:
        raise NotFound
    return StateMachineOut(resource=resource, machines=machines)


def _machine(description: Description) -> MachineOut:
    return MachineOut(
        direction=description.direction,
        states=[
            StateOut(state=state.name, status=state.status, stage=state.stage, terminal=state.terminal)
            for state in description.states
        ],
        edges=[
            EdgeOut(source=edge.source, trigger=edge.trigger, target=edge.target, event=edge.event)
            for edge in description.edges
        ],
    )
