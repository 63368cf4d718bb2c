"""What orders are expected to do, written down a second time and the other way round: by trigger, not by state.

One line is "states > target; states > target". `same` as the target means that the fact is recorded and moves nothing.
"""

from __future__ import annotations

from app.domain.order import Direction, OrderState, OrderTrigger

BUY = {
    "placed": "created > awaiting_payment",
    "authentication_required": "awaiting_payment > authenticating",
    "authentication_failed": "authenticating > awaiting_payment",
    "payment_declined": "awaiting_payment authenticating > awaiting_payment; payment_pending > failed",
    "payment_pending": "awaiting_payment authenticating > payment_pending",
    "payment_authorised": (
        "awaiting_payment authenticating payment_pending > authorised; expired canceled failed > same"
    ),
    "payment_captured": (
        "awaiting_payment authenticating payment_pending authorised > paid; "
        "expired canceled failed refunding refunded > refunding"
    ),
    "payment_failed": "awaiting_payment authenticating payment_pending authorised > failed",
    "send_prepared": "paid > sending",
    "send_broadcast": "sending > sent",
    "send_replaced": "sending sent completed > same",
    "send_confirmed": "sending sent > completed",
    "send_abandoned": "paid sending sent > refunding",
    "canceled": "awaiting_payment authenticating > canceled",
    "expired": "awaiting_payment authenticating > expired",
    "refund_requested": "authorised paid refunding > refunding",
    "refund_accepted": "refunding > same",
    "refund_completed": "refunding > refunded",
    "refund_failed": "refunding refunded > refunding",
    "dispute_opened": "paid > failed; sending sent completed refunding refunded > same",
    "dispute_won": "sending sent completed refunding > same; failed refunded > refunding",
    "dispute_lost": "sending sent completed refunding refunded failed > same",
    "blocked": "paid > failed",
    "held": "awaiting_payment authenticating payment_pending authorised paid sending sent refunding > same",
    "released": "awaiting_payment authenticating payment_pending authorised paid sending sent refunding > same",
}

SELL = {
    "placed": "created > awaiting_deposit",
    "deposit_detected": "awaiting_deposit deposit_detected > deposit_detected; expired canceled > same",
    "deposit_vanished": "awaiting_deposit deposit_detected > awaiting_deposit; expired canceled > same",
    "deposit_underpaid": "awaiting_deposit deposit_detected > awaiting_deposit",
    "deposit_confirmed": (
        "awaiting_deposit deposit_detected > deposit_confirmed; expired canceled refunding refunded > refunding"
    ),
    "deposit_overpaid": "awaiting_deposit deposit_detected > deposit_confirmed",
    "surplus_received": "deposit_confirmed paying_out completed > same",
    "deposit_reorged": (
        "deposit_confirmed > deposit_detected; "
        "awaiting_deposit deposit_detected paying_out completed refunding refunded expired canceled > same"
    ),
    "surplus_reorged": "deposit_confirmed > same",
    "loss_covered": "refunding > same",
    "deposit_restored": "paying_out completed > same; refunding refunded > refunding",
    "payout_submitted": "deposit_confirmed > paying_out",
    "payout_settled": "deposit_confirmed paying_out > completed",
    "payout_failed": "deposit_confirmed paying_out > refunding",
    "payout_returned": "completed > refunding",
    "canceled": "awaiting_deposit > canceled",
    "expired": "awaiting_deposit > expired",
    "underpayment_expired": "awaiting_deposit > refunding",
    "refund_requested": "awaiting_deposit deposit_confirmed refunding > refunding",
    "refund_accepted": "refunding > same",
    "refund_confirmed": "refunding > same",
    "refund_completed": "refunding > refunded",
    "refund_failed": "refunding refunded > refunding",
    "held": "awaiting_deposit deposit_detected deposit_confirmed paying_out refunding > same",
    "released": "awaiting_deposit deposit_detected deposit_confirmed paying_out refunding > same",
}


def _read(lines: dict[str, str]) -> dict[tuple[OrderState, OrderTrigger], OrderState]:
    edges: dict[tuple[OrderState, OrderTrigger], OrderState] = {}
    for trigger, line in lines.items():
        for part in line.split(";"):
            sources, _, target = part.partition(">")
            for source in sources.split():
                edge = (OrderState(source), OrderTrigger(trigger))
                assert edge not in edges, edge
                edges[edge] = OrderState(source if target.strip() == "same" else target.strip())
    return edges


EXPECTED = {Direction.BUY: _read(BUY), Direction.SELL: _read(SELL)}
