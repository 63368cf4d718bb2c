"""The invariants, by what they are about. I-.. are those of the design (faults.md 3.1), R-.. are our schema's own.

They are written for tables whose constraints and triggers may have failed or been switched off: an auditor that
trusts the writer's guards proves nothing. Debit is positive, credit negative.
"""

from __future__ import annotations

from typing import Final

from app.audit.invariant import Invariant
from app.audit.rules import ledger, messages, money, orders, sends, terms

INVARIANTS: Final[tuple[Invariant, ...]] = tuple(
    sorted(
        (*ledger.RULES, *money.RULES, *orders.RULES, *terms.RULES, *sends.RULES, *messages.RULES),
        key=lambda rule: rule.id,
    )
)

# Invariants of the design that cannot be stated yet, with the reason.
LEFT_OUT: Final[dict[str, str]] = {
    "I-06": "no balance is cached: every balance is the sum of its postings",
    "I-17": "nonces come with the EVM rail",
    "I-18": "nonces come with the EVM rail",
    "I-21": "deposits come with sell orders",
    "I-22": "deposits come with sell orders",
    "I-35": "approvals come with payouts",
    "I-38": "the hash chain over entries is a later issue",
    "I-39": "replaying the transition log is a later issue",
    "I-40": "certified balances are a later issue",
    "X-5": "bank statements come with payouts",
}
