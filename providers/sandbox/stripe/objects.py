"""The shapes of Stripe's objects, new and empty; keys that begin with an underscore are ours and never leave."""

from __future__ import annotations

import time

from providers.sandbox.stripe.books import new_id, token
from providers.sandbox.stripe.cards import Card
from providers.sandbox.stripe.errors import Document

API_VERSION = "2026-10-28.endive"  # what an account of ours is pinned to; the same as stripe-python 16.1
AVAILABLE_AFTER = 2 * 86_400  # seconds until a card payment can be paid out


# Fields that Stripe sends and that are null in all that we do.
_EMPTY_IN_INTENT = [
    "application",
    "application_fee_amount",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "customer",
    "description",
    "last_payment_error",
    "latest_charge",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "processing",
    "receipt_email",
    "review",
    "setup_future_usage",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
]
_EMPTY_IN_CHARGE = [
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "customer",
    "failure_balance_transaction",
    "failure_code",
    "failure_message",
    "on_behalf_of",
    "receipt_email",
    "receipt_number",
    "receipt_url",
    "review",
    "shipping",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
]


def payment_intent(amount: int, currency: str, **given: object) -> Document:
    """A payment intent that nobody has paid yet."""
    reference = new_id("pi")
    return {
        **dict.fromkeys(_EMPTY_IN_INTENT),
        "id": reference,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": f"{reference}_secret_{token(25)}",
        "confirmation_method": "automatic",
        "created": int(time.time()),
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        **given,
    }


def charge(intent: Document, card: Card) -> Document:
    """A successful authorisation of the whole amount, not captured."""
    return {
        **dict.fromkeys(_EMPTY_IN_CHARGE),
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": "SANDBOX",
        "captured": False,
        "created": int(time.time()),
        "currency": intent["currency"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "risk_score": 20,
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": card.details(),
        "refunded": False,
        "status": "succeeded",
        "_card": card.name,
    }


def refund(paid: Document, amount: int, **given: object) -> Document:
    """A refund of a captured charge."""
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": paid["id"],
        "created": int(time.time()),
        "currency": paid["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": {},
        "payment_intent": paid["payment_intent"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
        **given,
    }


def mandate(account: Card, payment_method: str) -> Document:
    """A customer's consent to a debit, given in the browser."""
    now = int(time.time())
    online = {"ip_address": "127.0.0.1", "user_agent": "a browser"}
    return {
        "id": new_id("mandate"),
        "object": "mandate",
        "created": now,
        "customer_acceptance": {"accepted_at": now, "online": online, "type": "online"},
        "livemode": False,
        "payment_method": payment_method,
        "payment_method_details": {account.kind: {}, "type": account.kind},
        "single_use": {},
        "status": "active",
        "type": "single_use",
    }


def funding_instructions(intent: Document, remaining: int) -> Document:
    """The next action of a payment by bank transfer: how much is missing, and where to send it."""
    kind, holder = intent["_account"], {"account_holder_name": "Stripe Payments Sandbox", "bank_name": "TEST BANK"}
    digits = str(int(intent["_reference"], 16)).zfill(17)
    account: Document = {"type": "iban", "iban": {**holder, "bic": "TESTDEFFXXX", "country": intent["_country"]}}
    account["iban"]["iban"] = f"{intent['_country']}89{digits[:18]}"
    if kind == "us_bank_transfer":
        account = {"type": "aba", "aba": {**holder, "account_number": digits[:12], "routing_number": "110000000"}}
    elif kind == "gb_bank_transfer":
        account = {"type": "sort_code", "sort_code": {**holder, "account_number": digits[:8], "sort_code": "108800"}}
    elif kind == "jp_bank_transfer":
        account = {"type": "zengin", "zengin": {**holder, "account_number": digits[:7], "branch_code": "950"}}
    told = {
        "amount_remaining": remaining,
        "currency": intent["currency"],
        "financial_addresses": [account | {"supported_networks": ["sepa"]}],
        "hosted_instructions_url": f"https://payments.stripe.com/bank_transfers/instructions/{intent['id']}",
        "reference": intent["_reference"],
        "type": kind,
    }
    return {"type": "display_bank_transfer_instructions", "display_bank_transfer_instructions": told}


def review(intent: Document) -> Document:
    """A review of a payment that has been opened."""
    return {
        "id": new_id("prv"),
        "object": "review",
        "charge": intent["latest_charge"],
        "closed_reason": None,
        "created": int(time.time()),
        "livemode": False,
        "open": True,
        "opened_reason": "rule",
        "payment_intent": intent["id"],
        "reason": "rule",
    }


def dispute(paid: Document, amount: int, reason: str) -> Document:
    """A chargeback that waits for our evidence."""
    now = int(time.time())
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": paid["id"],
        "created": now,
        "currency": paid["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": now + 7 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": paid["payment_intent"],
        "payment_method_details": {
            paid["payment_method_details"]["type"]: {"case_type": "chargeback"},
            "type": paid["payment_method_details"]["type"],
        },
        "reason": reason,
        "status": "needs_response",
    }


def balance_transaction(source: Document, kind: str, amount: int, fee: int, category: str) -> Document:
    """A line of the account's balance: `net` is `amount` less `fee`."""
    now = int(time.time())
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": source["currency"],
            "description": "Dispute fee" if category == "dispute" else "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now + AVAILABLE_AFTER if kind == "charge" else now,
        "balance_type": "payments",
        "created": now,
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source["id"],
        "status": "pending" if kind == "charge" else "available",
        "type": kind,
    }


def visible(document: Document) -> Document:
    """A document without our own keys, which stand at its top."""
    return {key: value for key, value in document.items() if key[0] != "_"}
