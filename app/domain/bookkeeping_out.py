"""Which entries payouts, deposits, top-ups and unannounced coins write: everything that is not an order's own.

Debit is positive, credit negative. A payout takes its amount from a balance, or from an order, into an account of its
own before anything leaves; the items of a batch share the batch's account. What leaves, leaves that account.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.domain import chart
from app.domain.ledger import Entry, Posting, entry, transfer
from app.domain.money import Asset, Money


def arrived(network: str, asset: Asset, reference: str, units: int, *, credit: str) -> Entry:
    """Coins on an address of ours that belong to no order: the operator's own, or nobody knows whose."""
    amount = Money(units, asset)
    return transfer(reference, "arrived", debit=chart.wallet_hot(network), credit=credit, amount=amount)


def reserved(subject_id: str, partner_id: str, amount: Money) -> Entry:
    """A payout, or a whole batch, takes what it will need from the partner's balance."""
    return transfer(
        f"{subject_id}:reserve:{amount.asset.id}",
        "payout_reserve",
        debit=chart.partner_available(partner_id),
        credit=chart.payout(subject_id),
        amount=amount,
    )


def freed(reference: str, subject_id: str, partner_id: str, amount: Money) -> Entry:
    """What was taken and has not left goes back to the balance."""
    return transfer(
        reference,
        "payout_free",
        debit=chart.payout(subject_id),
        credit=chart.partner_available(partner_id),
        amount=amount,
    )


def bank_settled(payout_id: str, subject_id: str, provider: str, amount: Money) -> Entry:
    """The bank has paid."""
    return transfer(
        f"{payout_id}:settle",
        "payout_settle",
        debit=chart.payout(subject_id),
        credit=chart.bank(provider),
        amount=amount,
    )


def bank_returned(payout_id: str, partner_id: str, provider: str, amount: Money) -> Entry:
    """What the bank had paid has come back."""
    return transfer(
        f"{payout_id}:return",
        "payout_return",
        debit=chart.bank(provider),
        credit=chart.partner_available(partner_id),
        amount=amount,
    )


def coins_prepared(lineage_id: str, asset: Asset, units: int, fee: int) -> Entry:
    """Coins are set aside in a transaction that pays several payouts, `units` in all, and a network fee."""
    network = asset.network or ""
    return transfer(
        f"{lineage_id}:reserve",
        "coins_reserve",
        debit=chart.wallet_transit(network),
        credit=chart.wallet_hot(network),
        amount=Money(units + fee, asset),
    )


def fee_raised(lineage_id: str, attempt: int, asset: Asset, more: int) -> Entry:
    """A replacement of that transaction pays `more` to the network: set aside as well."""
    network = asset.network or ""
    return transfer(
        f"{lineage_id}:raise:{attempt}",
        "coins_reserve",
        debit=chart.wallet_transit(network),
        credit=chart.wallet_hot(network),
        amount=Money(more, asset),
    )


def fee_freed(lineage_id: str, asset: Asset, spare: int) -> Entry:
    """Another attempt than the dearest was mined: what was set aside for its fee beyond that is free again."""
    network = asset.network or ""
    return transfer(
        f"{lineage_id}:fee_free",
        "coins_free",
        debit=chart.wallet_hot(network),
        credit=chart.wallet_transit(network),
        amount=Money(spare, asset),
    )


def coins_released(lineage_id: str, asset: Asset, units: int) -> Entry:
    """That transaction will never be mined, or was reverted for good: what it would have moved is free again."""
    return transfer(
        f"{lineage_id}:release",
        "coins_release",
        debit=chart.wallet_hot(asset.network or ""),
        credit=chart.wallet_transit(asset.network or ""),
        amount=Money(units, asset),
    )


def fee_adjusted(lineage_id: str, txid: str, times: int, asset: Asset, more: int) -> Entry:
    """After a reorganisation another attempt than the booked one is mined: it paid `more`, or less, to the network."""
    return transfer(
        f"{lineage_id}:adjust:{txid}:{times}",
        "coins_adjust",
        debit=chart.EXPENSE_NETWORK,
        credit=chart.wallet_hot(asset.network or ""),
        amount=Money(more, asset),
    )


def coins_moved(lineage_id: str, asset: Asset, units: int, fee: int) -> Entry:
    """A transaction between our own places is final: `units` went to cold storage, the fee to the network."""
    network = asset.network or ""
    lines = [Posting(chart.cold_storage(network), asset, units)] if units else []
    return entry(
        f"{lineage_id}:deliver",
        "coins_deliver",
        [
            *lines,
            Posting(chart.EXPENSE_NETWORK, asset, fee),
            Posting(chart.wallet_transit(network), asset, -(units + fee)),
        ],
    )


def coins_delivered(lineage_id: str, asset: Asset, paid: Mapping[str, int], fee: int) -> Entry:
    """That transaction is final. `paid` says how many units left the account of each payout or batch."""
    lines = [Posting(chart.payout(subject), asset, units) for subject, units in sorted(paid.items())]
    return entry(
        f"{lineage_id}:deliver",
        "coins_deliver",
        [
            *lines,
            Posting(chart.EXPENSE_NETWORK, asset, fee),
            Posting(chart.wallet_transit(asset.network or ""), asset, -(sum(paid.values()) + fee)),
        ],
    )


def deposit_credited(reference: str, network: str, amount: Money, *, credit: str) -> Entry:
    """Coins that are deep enough become somebody's: a partner's, or nobody's yet."""
    return transfer(reference, "deposit", debit=chart.wallet_receiving(network), credit=credit, amount=amount)


def deposit_released(reference: str, partner_id: str, amount: Money) -> Entry:
    """A held deposit is given to the partner after all."""
    return transfer(
        reference,
        "deposit_release",
        debit=chart.SUSPENSE,
        credit=chart.partner_available(partner_id),
        amount=amount,
    )


def deposit_undone(reference: str, network: str, amount: Money, *, account: str, covered: int) -> Entry:
    """Credited coins were reorganised away: `covered` units come from where they went, the rest is lost."""
    asset = amount.asset
    return entry(
        reference,
        "deposit_reverse",
        [
            Posting(account, asset, covered),
            Posting(chart.LOSS_REORG, asset, amount.units - covered),
            Posting(chart.wallet_receiving(network), asset, -amount.units),
        ],
    )


def deposit_restored(reference: str, network: str, amount: Money, *, account: str, lost: int) -> Entry:
    """The same coins, mined again: first the loss is made good, the rest goes where it went before."""
    asset = amount.asset
    return entry(
        reference,
        "deposit_restore",
        [
            Posting(chart.wallet_receiving(network), asset, amount.units),
            Posting(chart.LOSS_REORG, asset, -lost),
            Posting(account, asset, lost - amount.units),
        ],
    )


def deposit_blocked(reference: str, network: str, amount: Money) -> Entry:
    """Coins whose sender is on a sanctions list are kept apart, and are nobody's."""
    account = chart.wallet_blocked(network)
    return transfer(reference, "deposit_block", debit=account, credit=chart.BLOCKED_SANCTIONS, amount=amount)


def deposit_unblocked(reference: str, network: str, amount: Money) -> Entry:
    """They are kept apart no longer: somebody has decided so, or the chain has taken them back."""
    account = chart.wallet_blocked(network)
    return transfer(reference, "deposit_unblock", debit=chart.BLOCKED_SANCTIONS, credit=account, amount=amount)


def payout_blocked(payout_id: str, subject_id: str, amount: Money) -> Entry:
    """What was set aside for a payout to an address on a sanctions list is nobody's."""
    return transfer(
        f"{payout_id}:block",
        "payout_block",
        debit=chart.payout(subject_id),
        credit=chart.BLOCKED_SANCTIONS,
        amount=amount,
    )


def payout_renewed(payout_id: str, successor_id: str, amount: Money) -> Entry:
    """What was set aside for a payout of which nothing can ever be mined is now for the one in its place."""
    return transfer(
        f"{payout_id}:renew",
        "payout_renew",
        debit=chart.payout(payout_id),
        credit=chart.payout(successor_id),
        amount=amount,
    )


def topped_up(reference: str, provider: str, amount: Money, *, credit: str) -> Entry:
    """Money came in at a bank: for a partner, or for nobody we know."""
    return transfer(reference, "top_up", debit=chart.bank(provider), credit=credit, amount=amount)


def top_up_released(reference: str, partner_id: str, amount: Money) -> Entry:
    """A held top-up is given to the partner that a person named."""
    return transfer(
        reference,
        "top_up_release",
        debit=chart.SUSPENSE,
        credit=chart.partner_available(partner_id),
        amount=amount,
    )


def top_up_reversed(reference: str, provider: str, amount: Money, *, account: str, covered: int) -> Entry:
    """The bank took it back: `covered` units come from where they went, the rest is to be recovered."""
    asset = amount.asset
    return entry(
        reference,
        "top_up_reverse",
        [
            Posting(account, asset, covered),
            Posting(chart.RECEIVABLE_RECOVERY, asset, amount.units - covered),
            Posting(chart.bank(provider), asset, -amount.units),
        ],
    )


def float_account(provider: str) -> str:
    """The account of our money at a bank."""
    return chart.bank(provider)


def float_changed(reference: str, provider: str, amount: Money) -> Entry:
    """The operator puts its own money in at a bank; a negative amount is taken out."""
    return transfer(reference, "float", debit=chart.bank(provider), credit=chart.EQUITY_OPERATOR, amount=amount)


def correction(reference: str, account: str, other: str, amount: Money) -> Entry:
    """A person's entry about what no fact of ours explains: `account` gets what its source has; `other` bears it."""
    asset, units = amount.asset, amount.units
    return entry(
        f"correction:{reference}", "correction", [Posting(account, asset, units), Posting(other, asset, -units)]
    )
