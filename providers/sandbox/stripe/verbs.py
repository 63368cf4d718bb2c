"""How the POST endpoints on payments and refunds read their parameters, before the nouns do the work."""

from __future__ import annotations

from dataclasses import dataclass

from providers.sandbox.stripe.books import Books, Caller
from providers.sandbox.stripe.cards import BY_NAME, BY_NUMBER, Card
from providers.sandbox.stripe.errors import Document, Refusal, invalid, missing, no_such
from providers.sandbox.stripe.params import Params
from providers.sandbox.stripe.payments import Payments
from providers.sandbox.stripe.refunds import Refunds

LARGEST_AMOUNT = 99_999_999
LEAST_AMOUNT = {"eur": 50, "usd": 50, "gbp": 30, "jpy": 50}
CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
CANCEL_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
PAYS_WITH = ("card", "us_bank_account", "sepa_debit", "customer_balance")
TRANSFERS = ("eu_bank_transfer", "gb_bank_transfer", "jp_bank_transfer", "us_bank_transfer")
REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to an endpoint."""

    caller: Caller
    params: Params


class Verbs:
    """One method per endpoint; `name` is the reference in the path."""

    def __init__(self, books: Books, payments: Payments, refunds: Refunds) -> None:
        self._books = books
        self._payments = payments
        self._refunds = refunds

    def create_payment(self, ask: Ask, name: str) -> Document:
        """POST /v1/payment_intents"""
        params = ask.params
        amount, currency = _amount(params), _currency(params)
        if amount < LEAST_AMOUNT.get(currency, 50):
            raise Refusal("Amount must convert to at least 50 cents.", code="amount_too_small", param="amount")
        confirm, card, return_url = params.flag("confirm"), _card(params), params.text("return_url")
        automatic, allowed, account = params.hash("automatic_payment_methods"), _allowed(params), _funding(params)
        customer = params.text("customer")
        if customer is not None:
            self._books.get(ask.caller.account, customer, "customer", param="customer", status=400)
        capture = params.one_of("capture_method", CAPTURE_METHODS, "automatic_async")
        if capture == "manual" and allowed and set(allowed) != {"card"}:
            raise invalid("These payment methods cannot be captured manually.", "capture_method")
        intent = self._payments.create(
            ask.caller,
            amount,
            currency,
            automatic_payment_methods={"enabled": automatic.get("enabled") == "true"} if automatic else None,
            capture_method=capture,
            customer=customer,
            confirmation_method=params.one_of("confirmation_method", ("automatic", "manual"), "automatic"),
            description=params.text("description"),
            metadata=params.metadata({}),
            payment_method=card.name if card is not None else None,
            payment_method_types=[kind for kind in allowed or ("card",) if kind in PAYS_WITH],
            receipt_email=params.text("receipt_email"),
            statement_descriptor_suffix=params.text("statement_descriptor_suffix"),
        )
        params.end()
        if card is not None:
            intent["_card"] = card.name
            self._books.save(intent)
        if confirm and account is not None:
            if customer is None:
                raise missing("customer")
            self._payments.transfers.await_money(ask.caller, intent, *account)
        elif confirm:
            self._payments.confirm(ask.caller, intent, _needed(card), return_url=return_url)
        return intent

    def create_customer(self, ask: Ask, name: str) -> Document:
        """POST /v1/customers, as far as metadata is concerned."""
        return self._payments.transfers.customer(ask.caller, ask.params.metadata({}))

    def read_cash_balance(self, ask: Ask, name: str) -> Document:
        """GET /v1/customers/:id/cash_balance"""
        return self._payments.transfers.cash(ask.caller, name)

    def update_payment(self, ask: Ask, name: str) -> Document:
        """POST /v1/payment_intents/:id, as far as text is concerned."""
        intent = self._intent(ask, name)
        intent["metadata"] = ask.params.metadata(intent["metadata"])
        intent["description"] = ask.params.text("description", intent["description"])
        self._books.save(intent)
        return intent

    def confirm_payment(self, ask: Ask, name: str) -> Document:
        """POST /v1/payment_intents/:id/confirm"""
        intent = self._intent(ask, name)
        card, return_url = _card(ask.params), ask.params.text("return_url")
        if card is None and "_card" in intent:
            card = BY_NAME[intent["_card"]]
        ask.params.end()
        self._payments.confirm(ask.caller, intent, _needed(card), return_url=return_url)
        return intent

    def capture_payment(self, ask: Ask, name: str) -> Document:
        """POST /v1/payment_intents/:id/capture"""
        intent = self._intent(ask, name)
        amount = ask.params.whole("amount_to_capture")
        ask.params.end()
        self._payments.capture(ask.caller, intent, amount)
        return intent

    def cancel_payment(self, ask: Ask, name: str) -> Document:
        """POST /v1/payment_intents/:id/cancel"""
        intent = self._intent(ask, name)
        reason = ask.params.text("cancellation_reason")
        if reason not in (None, *CANCEL_REASONS):
            raise invalid(f"Invalid cancellation_reason: {reason}", "cancellation_reason")
        ask.params.end()
        self._payments.cancel(ask.caller, intent, reason)
        return intent

    def create_refund(self, ask: Ask, name: str) -> Document:
        """POST /v1/refunds"""
        params = ask.params
        if params.text("origin") == "customer_balance":
            customer, currency = params.required("customer"), params.required("currency")
            amount, metadata = params.whole("amount"), params.metadata({})
            return self._payments.transfers.refund(ask.caller, customer, amount, currency, metadata)
        of_payment, of_charge = params.text("payment_intent"), params.text("charge")
        if of_payment is not None:
            intent = self._books.get(
                ask.caller.account, of_payment, "payment_intent", param="payment_intent", status=400
            )
            of_charge = intent["latest_charge"]
            if of_charge is None:
                raise Refusal(f"This PaymentIntent ({of_payment}) does not have a successful charge to refund.")
        if of_charge is None:
            raise missing("charge")
        paid = self._books.find(ask.caller.account, of_charge, "charge")
        if paid is None:
            raise no_such("charge", of_charge, param="charge")
        reason = params.text("reason")
        if reason not in (None, *REFUND_REASONS):
            raise invalid(f"Invalid reason: {reason}", "reason")
        amount, metadata = params.whole("amount"), params.metadata({})
        params.end()
        return self._refunds.create(ask.caller, paid, amount, reason, metadata)

    def _intent(self, ask: Ask, name: str) -> Document:
        return self._books.get(ask.caller.account, name, "payment_intent", param="intent")


def _amount(params: Params) -> int:
    amount = params.whole("amount")
    if amount is None:
        raise missing("amount")
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount > LARGEST_AMOUNT:
        raise invalid("Amount must be no more than 999,999.99.", "amount", "amount_too_large")
    return amount


def _allowed(params: Params) -> list[str]:
    """Which payment methods may be offered; the older way of naming them ended with version 2026-09-30.endive."""
    if params.texts("payment_method_types"):
        raise invalid(
            "payment_method_types is no longer supported; use allowed_payment_method_types.",
            "payment_method_types",
            "payment_method_types_no_longer_supported",
        )
    allowed = params.texts("allowed_payment_method_types")
    if allowed and not set(allowed) & set(PAYS_WITH):
        raise invalid("No valid payment method types for this PaymentIntent.", "allowed_payment_method_types")
    return allowed


def _funding(params: Params) -> tuple[str, str | None] | None:
    """The kind of account that a bank transfer is sent to, and its country; None for any other payment."""
    options = params.hash("payment_method_options").get("customer_balance")
    if not isinstance(options, dict):
        return None
    transfer = options.get("bank_transfer")
    if options.get("funding_type") != "bank_transfer" or not isinstance(transfer, dict):
        raise missing("payment_method_options[customer_balance][bank_transfer]")
    kind, europe = transfer.get("type"), transfer.get("eu_bank_transfer")
    if not isinstance(kind, str) or kind not in TRANSFERS:
        raise invalid(f"Invalid type: must be one of {', '.join(TRANSFERS)}", "payment_method_options")
    country = europe.get("country") if isinstance(europe, dict) else None
    if kind == "eu_bank_transfer" and not isinstance(country, str):
        raise missing("payment_method_options[customer_balance][bank_transfer][eu_bank_transfer][country]")
    return kind, country if isinstance(country, str) else None


def _currency(params: Params) -> str:
    currency = params.required("currency").lower()
    if len(currency) != 3 or not currency.isalpha() or not currency.isascii():
        raise invalid(f"Invalid currency: {currency}.", "currency")
    return currency


def _card(params: Params) -> Card | None:
    """The test card behind a `pm_card_...` name or a test number; None when none is given."""
    name, data = params.text("payment_method"), params.hash("payment_method_data")
    inner = data.get("card")
    number = inner.get("number") if isinstance(inner, dict) else None
    if name is not None:
        card = BY_NAME.get(name)
    elif isinstance(number, str):
        card = BY_NUMBER.get(number.replace(" ", ""))
        name = "card"
    else:
        return None
    if card is None:
        raise no_such("PaymentMethod", name, param="payment_method")
    return card


def _needed(card: Card | None) -> Card:
    if card is None:
        raise Refusal(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    return card
