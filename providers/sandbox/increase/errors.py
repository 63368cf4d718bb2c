"""How Increase says no: one exception, and the problem document (RFC 9457) that stands for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from providers.sandbox.store import Store

# An Increase object as it travels: JSON whose form Increase documents and we do not type a second time.
Document = dict[str, Any]

# https://increase.com/documentation/errors, and the exceptions of the SDK
_TITLES = {
    "invalid_parameters_error": (400, "Your request contains invalid parameters."),
    "malformed_request_error": (400, "Your request body could not be parsed."),
    "invalid_api_key_error": (401, "Your API key is not valid."),
    "environment_mismatch_error": (403, "The object belongs to another environment."),
    "api_method_not_found_error": (404, "There is no such API method."),
    "object_not_found_error": (404, "Could not find the specified object."),
    "idempotency_key_already_used_error": (409, "That Idempotency-Key has been used for another object."),
    "invalid_operation_error": (409, "The action you specified can't be performed on the object in its current state."),
}


class Refusal(Exception):
    """An answer that is not 200. Nothing that the request did stays done."""

    def __init__(self, kind: str, detail: str | None = None, **fields: object) -> None:
        """`fields` are the error's other members, such as errors and resource_id."""
        super().__init__(detail or kind)
        self.status, title = _TITLES[kind]
        self.document: Document = {"type": kind, "status": self.status, "title": title, "detail": detail, **fields}


def invalid(field: str, message: str) -> Refusal:
    """A parameter is wrong in itself."""
    return Refusal("invalid_parameters_error", f"{field}: {message}", errors=[{"field": field, "message": message}])


def no_such(reference: str) -> Refusal:
    """There is no such object for this API key."""
    return Refusal("object_not_found_error", f"No object with the id {reference}.", likely_environment=None)


def wrong_state(detail: str) -> Refusal:
    """The object's status does not allow this, or the account's balance does not."""
    return Refusal("invalid_operation_error", detail)


def carry_out(store: Store, act: Callable[[], Document]) -> Document | Refusal:
    """Do all of an act or, when it is refused, none of it."""
    try:
        with store.all_or_nothing():
            return act()
    except Refusal as refusal:
        return refusal
