"""Reading the fields of Stripe's JSON, and trusting none: what is not as documented raises Malformed."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.money import Asset
from providers.stripe.errors import Malformed
from providers.stripe.vocabulary import asset_of_currency

Json = Mapping[str, object]


def json_object(value: object, kind: str) -> Json:
    """A JSON object of this Stripe kind; raises Malformed."""
    if not isinstance(value, Mapping) or value.get("object") != kind:
        raise Malformed(f"not a {kind}")
    return value


def inner(document: Json, name: str, kind: str) -> Json | None:
    """An expanded object; None when there is none, or when only its id was sent."""
    value = document.get(name)
    return None if value is None or isinstance(value, str) else json_object(value, kind)


def reference_in(value: object) -> str | None:
    """The id behind a reference that may be expanded; None when there is none."""
    if isinstance(value, Mapping):
        return text(value, "id")
    return value if isinstance(value, str) else None


def identifier(document: Json, *prefixes: str) -> str:
    """The object's own id, which begins with one of these prefixes."""
    reference = text(document, "id")
    if not reference.startswith(prefixes):
        raise Malformed("an id of another kind")
    return reference


def text(document: Json, name: str) -> str:
    """A text that is there and not empty."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(name)
    return value


def optional_text(document: Json, name: str) -> str | None:
    """A text, or None."""
    return None if document.get(name) is None else text(document, name)


def flag(document: Json, name: str) -> bool:
    """True or false."""
    value = document.get(name)
    if not isinstance(value, bool):
        raise Malformed(name)
    return value


def whole(document: Json, name: str) -> int:
    """A whole number."""
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(name)
    return value


def amount(document: Json, name: str) -> int:
    """A whole number, not below zero."""
    value = whole(document, name)
    if value < 0:
        raise Malformed(f"{name} is negative")
    return value


def asset_in(document: Json) -> Asset:
    """The asset of the object's currency."""
    asset = asset_of_currency(text(document, "currency"))
    if asset is None:
        raise Malformed("a currency that we do not know")
    return asset


def metadata_in(document: Json) -> Mapping[str, str]:
    """What we, or somebody, wrote on the object."""
    value = document.get("metadata")
    if not isinstance(value, Mapping):
        raise Malformed("metadata")
    return {str(key): text for key, text in value.items() if isinstance(text, str)}


def part(document: Json, name: str) -> Json:
    """An object inside."""
    value = document.get(name)
    if not isinstance(value, Mapping):
        raise Malformed(name)
    return value
