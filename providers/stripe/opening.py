"""How each of our payment methods is asked for at Stripe."""

from __future__ import annotations

from typing import Final, Literal

from stripe.params import PaymentIntentCreateParams
from stripe.params import PaymentIntentCreateParamsPaymentMethodOptionsCustomerBalance as Funding
from stripe.params import PaymentIntentCreateParamsPaymentMethodOptionsCustomerBalanceBankTransfer as BankTransfer

from app.domain.money import Money
from app.ports.errors import ProviderRejected
from app.ports.payin import PaymentRequest
from providers.stripe.errors import PROVIDER
from providers.stripe.vocabulary import currency_of

# With every answer comes the newest charge and the line it made on our Stripe balance, which alone knows the fee, and
# the review that Stripe may have opened.
WHOLE: Final = ["latest_charge.balance_transaction", "review"]

# Our payment method -> Stripe's, where the customer's browser completes it.
_IN_THE_BROWSER: Final[dict[str, Literal["card", "us_bank_account", "sepa_debit"]]] = {
    "card": "card",
    "ach_debit": "us_bank_account",
    "sepa_debit": "sepa_debit",
}
TRANSFER: Final = "bank_transfer"
METHODS: Final = frozenset({*_IN_THE_BROWSER, TRANSFER})

# https://docs.stripe.com/payments/bank-transfers/accept-a-payment: the kind of account number, by currency.
_TRANSFERS: Final = {
    "eur": "eu_bank_transfer",
    "gbp": "gb_bank_transfer",
    "jpy": "jp_bank_transfer",
    "usd": "us_bank_transfer",
}


def currency(amount: Money) -> str:
    """Stripe's name of the currency; raises ProviderRejected for what it does not take."""
    try:
        return currency_of(amount.asset)
    except KeyError:
        raise ProviderRejected(PROVIDER, f"no payments in {amount.asset.id}", code="currency_unsupported") from None


def parameters(request: PaymentRequest, customer: str | None, country: str) -> PaymentIntentCreateParams:
    """What Stripe is asked to open; a bank transfer is paid from the balance of a `customer` of its own.

    Raises ProviderRejected for a method or a currency that it does not serve.
    """
    asked: PaymentIntentCreateParams = {
        "amount": request.amount.units,
        "currency": currency(request.amount),
        "metadata": {**request.metadata, "order_id": request.order_id, "payment_id": request.payment_id},
        "expand": WHOLE,
    }
    kind = _IN_THE_BROWSER.get(request.method)
    if kind is not None:
        asked["allowed_payment_method_types"] = [kind]
        # A card is held first and taken once we are ready; a debit cannot be held.
        asked["capture_method"] = "manual" if kind == "card" else "automatic"
    elif request.method == TRANSFER and customer is not None:
        asked["customer"], asked["confirm"] = customer, True
        asked["allowed_payment_method_types"] = ["customer_balance"]
        asked["payment_method_data"] = {"type": "customer_balance"}
        funding: Funding = {"funding_type": "bank_transfer", "bank_transfer": _account(asked["currency"], country)}
        asked["payment_method_options"] = {"customer_balance": funding}
    else:
        raise ProviderRejected(PROVIDER, f"no payment method {request.method}", code="method_unsupported")
    return asked


def _account(code: str, country: str) -> BankTransfer:
    """What kind of account the customer sends to; in euros, of which country."""
    if code not in _TRANSFERS:
        raise ProviderRejected(PROVIDER, f"no bank transfers in {code}", code="currency_unsupported")
    account: BankTransfer = {"type": _TRANSFERS[code]}
    if code == "eur":
        account["eu_bank_transfer"] = {"country": country}
    return account
