"""What a payment's `next_action` asks of the customer: a challenge, a visit, or a bank transfer and where to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain.money import Asset, Money
from app.ports.payin import NextAction
from providers.stripe.errors import Malformed
from providers.stripe.fields import Json, amount, optional_text, part, text

_INSTRUCTIONS: Final = "display_bank_transfer_instructions"
_MICRODEPOSITS: Final = "verify_with_microdeposits"


def next_action_in(document: Json, asset: Asset) -> NextAction | None:
    """What the customer has still to do, in our words."""
    action = document.get("next_action")
    if action is None:
        return None
    if not isinstance(action, Mapping):
        raise Malformed("next_action")
    match text(action, "type"):
        case "use_stripe_sdk":
            return NextAction("three_ds")
        case "redirect_to_url":
            return NextAction("redirect", url=text(part(action, "redirect_to_url"), "url"))
        case kind if kind == _MICRODEPOSITS:
            return NextAction("redirect", url=text(part(action, _MICRODEPOSITS), "hosted_verification_url"))
        case kind if kind == _INSTRUCTIONS:
            told = part(action, _INSTRUCTIONS)
            return NextAction(
                "bank_transfer",
                url=optional_text(told, "hosted_instructions_url"),
                remaining=Money(amount(told, "amount_remaining"), asset),
                reference=optional_text(told, "reference"),
                accounts=_accounts(told.get("financial_addresses")),
            )
        case _:
            return NextAction("provider")


def _accounts(addresses: object) -> tuple[Mapping[str, str], ...]:
    """Where the money can be sent: each account as the names and texts that Stripe gives it."""
    if not isinstance(addresses, list) or not addresses:
        raise Malformed("financial_addresses")
    found = []
    for address in addresses:
        if not isinstance(address, Mapping):
            raise Malformed("financial_addresses")
        kind = text(address, "type")
        details = part(address, kind)
        texts = {str(name): text for name, text in details.items() if isinstance(text, str)}
        found.append({"type": kind, **texts})
    return tuple(found)
