"""The chart of accounts: the name of every bucket, and whether it is ours (asset) or owed (liability)."""

from __future__ import annotations

from enum import StrEnum


class AccountKind(StrEnum):
    """Debits are positive. Asset accounts stand at or above zero, liabilities at or below, the others anywhere."""

    ASSET = "asset"
    LIABILITY = "liability"
    FREE = "free"


def psp(provider: str) -> str:
    """Our claim on a card or bank processor."""
    return f"psp:{provider}"


def wallet_hot(network: str) -> str:
    """Coins that we hold and can spend."""
    return f"wallet:hot:{network}"


def wallet_transit(network: str) -> str:
    """Coins set aside in a prepared transaction, or sent and not final."""
    return f"wallet:transit:{network}"


def order(order_id: str) -> str:
    """What we owe the customer of one order."""
    return f"order:{order_id}"


def payout(subject_id: str) -> str:
    """What was taken from a balance, or from an order, for a payout or a batch, and has not been paid yet."""
    return f"payout:{subject_id}"


def partner_available(partner_id: str) -> str:
    """What a partner may pay out."""
    return f"partner:{partner_id}:available"


def partner_pending(partner_id: str) -> str:
    """What is a partner's but not to be paid out yet."""
    return f"partner:{partner_id}:pending"


def position(asset_id: str) -> str:
    """What our exchanging has left us to buy back (+) or to sell on (-); zero when every exchange has been covered."""
    return f"position:{asset_id}"


def bank(account: str) -> str:
    """Money at a bank."""
    return f"bank:{account}"


REVENUE_FEE = "revenue:fee"
REVENUE_SPREAD = "revenue:spread"
REVENUE_NETWORK = "revenue:network"
EXPENSE_PROVIDER = "expense:provider"
EXPENSE_NETWORK = "expense:network"
SUSPENSE = "suspense:unmatched"
BLOCKED_SANCTIONS = "blocked:sanctions"
RECEIVABLE_RECOVERY = "receivable:recovery"
LOSS_DISPUTE = "loss:dispute"
LOSS_REORG = "loss:reorg"
EQUITY_OPERATOR = "equity:operator"

_KINDS = {
    "psp": AccountKind.FREE,  # a chargeback can leave us owing the processor
    "bank": AccountKind.ASSET,
    "wallet": AccountKind.ASSET,
    "order": AccountKind.LIABILITY,
    "payout": AccountKind.LIABILITY,
    "partner": AccountKind.LIABILITY,
}


def kind_of(account: str) -> AccountKind:
    """The kind of an account, from the first word of its name."""
    return _KINDS.get(account.partition(":")[0], AccountKind.FREE)
