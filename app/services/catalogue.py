"""What this instance offers: assets, payment methods, and the state machines behind an order."""

from __future__ import annotations

from typing import Final, Literal

from app.domain.assets import BITCOIN_DEPTH, CATALOGUE
from app.domain.money import Asset
from app.domain.order import BUY, SELL, TERMINAL, OrderState
from app.domain.order_public import event_of, stage_of, status_of
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
            for step in (BITCOIN_DEPTH if asset.network == "bitcoin" else ())
        ],
        routable=asset.code in policy.limits if asset.is_fiat else asset.network in rails.chains,
    )


def payment_methods(rails: Rails, policy: Policy) -> PaymentMethodList:
    """Every way customers can pay, with the limits of each currency."""
    limits = [
        MethodLimitOut(asset=asset.code, min=decimal_of(limit.least, asset), max=decimal_of(limit.most, asset))
        for asset in CATALOGUE
        if (limit := policy.limits.get(asset.code)) is not None
    ]
    return PaymentMethodList(
        data=[
            PaymentMethodOut(id=method, direction="buy", provider=provider, limits=limits)
            for method, provider in sorted(rails.methods.items())
        ]
    )


def order_machine() -> StateMachineOut:
    """Both tables of an order."""
    return StateMachineOut(machines=[_machine("buy"), _machine("sell")])


def _machine(direction: Literal["buy", "sell"]) -> MachineOut:
    edges = list((BUY if direction == "buy" else SELL).edges())
    reached = {state for source, _, target in edges for state in (source, target)}
    return MachineOut(
        direction=direction,
        states=[
            StateOut(state=state, status=status_of(state), stage=stage_of(state), terminal=state in TERMINAL)
            for state in OrderState
            if state in reached
        ],
        edges=[
            EdgeOut(source=source, trigger=trigger, target=target, event=event_of(source, trigger, target))
            for source, trigger, target in edges
        ],
    )
