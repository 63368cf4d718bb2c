"""How Stripe says no: one exception, and the JSON that stands for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from providers.sandbox.store import Store

# A Stripe object as it travels: JSON whose form Stripe documents and we do not type a second time.
Document = dict[str, Any]


class Refusal(Exception):
    """An answer that is not 200.

    `keeps` says that what was done before the refusal stays done (a declined charge is a charge); `stored` that the
    idempotency key remembers it, which Stripe does once a request has passed validation.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        keeps: bool = False,
        stored: bool = True,
        **fields: object,
    ) -> None:
        """`fields` are the error's other members, such as code, param and payment_intent."""
        super().__init__(message)
        self.status = status
        self.keeps = keeps
        self.stored = stored
        self.document: Document = {"message": message, "type": kind} | {
            name: value for name, value in fields.items() if value is not None
        }
        if "code" in self.document:
            self.document["doc_url"] = f"https://stripe.com/docs/error-codes/{self.document['code'].replace('_', '-')}"


def missing(param: str) -> Refusal:
    """A required parameter was not given."""
    return Refusal(f"Missing required param: {param}.", code="parameter_missing", param=param, stored=False)


def invalid(message: str, param: str, code: str | None = None) -> Refusal:
    """A parameter's value is wrong in itself."""
    return Refusal(message, code=code, param=param, stored=False)


def no_such(noun: str, reference: str, *, param: str = "id", status: int = 400) -> Refusal:
    """There is no such object in this account: 404 for the object in the path, 400 for one in a parameter."""
    return Refusal(f"No such {noun}: '{reference}'", status=status, code="resource_missing", param=param, stored=False)


def wrong_state(message: str, intent: Document) -> Refusal:
    """The payment intent's status does not allow this."""
    return Refusal(message, code="payment_intent_unexpected_state", payment_intent=intent)


def carry_out(store: Store, act: Callable[[], Document]) -> Document | Refusal:
    """Do all of an act or, when it is refused, none of it, except for a refusal that keeps what was done."""
    try:
        with store.all_or_nothing():
            try:
                return act()
            except Refusal as refusal:
                if not refusal.keeps:
                    raise
                return refusal
    except Refusal as refusal:
        return refusal
