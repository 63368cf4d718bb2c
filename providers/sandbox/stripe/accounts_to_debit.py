"""Stripe's published test bank accounts, and what the schemes' return codes mean (docs.stripe.com/testing)."""

from __future__ import annotations

from dataclasses import dataclass

from providers.sandbox.stripe.cards import BY_NAME, Card, CardDecline


@dataclass(frozen=True, slots=True)
class BankAccount(Card):
    """A bank account by its behaviour: it pays like a card does, only days later and not for good."""

    def details(self) -> dict[str, object]:
        """What a charge shows of it."""
        return {self.kind: {"bank_name": self.brand, "last4": self.last4, "mandate": None}, "type": self.kind}


def why(code: str) -> CardDecline:
    """The failure that Stripe makes of a scheme's return code, or of a failure code of its own."""
    failure = RETURNS.get(code, code)
    return CardDecline(failure, None, f"The customer's bank returned the payment: {failure.replace('_', ' ')}.")


# Nacha's return codes and the SEPA rulebook's reason codes -> Stripe's failure code.
RETURNS = {
    "R01": "insufficient_funds",
    "R02": "account_closed",
    "R03": "no_account",
    "R04": "invalid_account_number",
    "R05": "debit_not_authorized",
    "R07": "debit_not_authorized",
    "R08": "debit_not_authorized",
    "R09": "insufficient_funds",
    "R10": "debit_not_authorized",
    "R16": "bank_account_restricted",
    "R20": "bank_account_restricted",
    "R29": "debit_not_authorized",
    "AC01": "invalid_account_number",
    "AC04": "account_closed",
    "AC06": "bank_account_restricted",
    "AM04": "insufficient_funds",
    "MD01": "debit_not_authorized",
    "MD06": "debit_disputed",
    "MD07": "recipient_deceased",
    "MS02": "refer_to_customer",
    "MS03": "generic_could_not_process",
}
# What a dispute says of a payment that is returned after it had succeeded.
DISPUTE_REASONS = {
    "insufficient_funds": "insufficient_funds",
    "account_closed": "incorrect_account_details",
    "no_account": "incorrect_account_details",
    "invalid_account_number": "incorrect_account_details",
    "debit_not_authorized": "debit_not_authorized",
    "debit_disputed": "customer_initiated",
}


def _us(name: str, last4: str, failure: str | None = None, dispute: str | None = None) -> BankAccount:
    decline = None if failure is None else why(failure)
    return BankAccount(
        f"pm_usBankAccount_{name}",
        "STRIPE TEST BANK",
        last4,
        decline,
        dispute=dispute,
        kind="us_bank_account",
        refund_begins="pending",
    )


def _sepa(name: str, last4: str, failure: str | None = None, dispute: str | None = None) -> BankAccount:
    decline = None if failure is None else why(failure)
    return BankAccount(
        f"pm_sepaDebit_{name}",
        "STRIPE TEST BANK",
        last4,
        decline,
        dispute=dispute,
        kind="sepa_debit",
        refund_begins="pending",
    )


BANK_ACCOUNTS: dict[str, BankAccount] = {
    "000123456789": _us("success", "6789"),
    "000111111113": _us("accountClosed", "1113", "account_closed"),
    "000111111116": _us("noAccount", "1116", "no_account"),
    "000222222227": _us("insufficientFunds", "2227", "insufficient_funds"),
    "000333333335": _us("debitNotAuthorized", "3335", "debit_not_authorized"),
    "000444444440": _us("invalidCurrency", "4440", "invalid_currency"),
    "000555555559": _us("dispute", "5559", dispute="debit_not_authorized"),
    "DE89370400440532013000": _sepa("success", "3000"),
    "DE62370400440532013001": _sepa("failed", "3001", "generic_could_not_process"),
    "DE35370400440532013002": _sepa("disputed", "3002", dispute="customer_initiated"),
    "DE65370400440002222227": _sepa("insufficientFunds", "2227", "insufficient_funds"),
}
BY_NAME |= {account.name: account for account in BANK_ACCOUNTS.values()}
