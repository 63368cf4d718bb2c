"""The chart of accounts: the name of every bucket, and whether it is ours (asset) or owed (liability)."""

from __future__ import annotations

from enum import StrEnum

from app.domain import assets


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


def wallet_deposits(network: str) -> str:
    """Coins that we hold on deposit addresses of an account chain: ours, and not to be spent before they are swept."""
    return f"wallet:deposits:{network}"


def wallet_receiving(network: str) -> str:
    """Where coins that were paid to a deposit address come to lie."""
    return wallet_deposits(network) if network in assets.ACCOUNT_NETWORKS else wallet_hot(network)


def wallet_blocked(network: str) -> str:
    """Coins that we hold and must not move: their sender is on a sanctions list."""
    return f"wallet:blocked:{network}"


def cold_storage(network: str) -> str:
    """The operator's coins in cold storage: its keys are not here, so that nothing here can spend them."""
    return f"cold:{network}"


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


def in_transit(provider: str) -> str:
    """Money that a card or bank processor has sent to our bank, and that no bank has told us of yet."""
    return f"transit:{provider}"


def reserved_at(provider: str) -> str:
    """Money of ours that a card or bank processor has set aside."""
    return f"reserve:{provider}"


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
    "cold": AccountKind.FREE,  # what comes back from there is the operator's, as anything on a funding address
    "order": AccountKind.LIABILITY,
    "payout": AccountKind.LIABILITY,
    "partner": AccountKind.LIABILITY,
    "blocked": AccountKind.LIABILITY,
}


def kind_of(account: str) -> AccountKind:
    """The kind of an account, from the first word of its name."""
    return _KINDS.get(account.partition(":")[0], AccountKind.FREE)
