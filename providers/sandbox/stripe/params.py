"""Reading Stripe's form encoding: nested brackets, numbered lists, and a refusal for every word it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from providers.sandbox.stripe.errors import Refusal, invalid, missing

Form = dict[str, "str | Form"]

_LONGEST_METADATA = (50, 40, 500)  # keys, characters of a key, characters of a value


def decode(text: str) -> Form:
    """Turn `a[b][]=1&a[b][]=2` into {"a": {"b": {"0": "1", "1": "2"}}}."""
    form: Form = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, *rest = name.replace("]", "").split("[")
        place, last = form, head
        for step in rest:
            inner = place.setdefault(last, {})
            if not isinstance(inner, dict):
                raise Refusal("Invalid request: the same parameter is a value and a hash.", param=head, stored=False)
            place, last = inner, step or str(len(inner))
        place[last] = value
    return form


class Params:
    """The parameters of one request. Each is read by name; `end()` refuses those that nobody read."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._read: set[str] = set()

    def text(self, name: str, default: str | None = None) -> str | None:
        """A string; an empty one counts as absent."""
        self._read.add(name)
        value = self._form.get(name)
        if isinstance(value, dict):
            raise invalid(f"Invalid string: {value}", name)
        return value or default

    def required(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if value is None:
            raise missing(name)
        return value

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of the words of a closed list."""
        value = self.text(name, default)
        if value not in allowed:
            raise invalid(f"Invalid {name}: must be one of {', '.join(allowed)}", name)
        return value

    def whole(self, name: str) -> int | None:
        """A whole number, or None."""
        value = self.text(name)
        return None if value is None else _whole(value, name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean."""
        value = self.text(name)
        if value not in (None, "true", "false"):
            raise invalid(f"Invalid boolean: {value}", name)
        return default if value is None else value == "true"

    def hash(self, name: str) -> Form:
        """A nested hash; empty when absent."""
        self._read.add(name)
        value = self._form.get(name, {})
        if not isinstance(value, dict):
            raise invalid("Invalid object", name)
        return value

    def texts(self, name: str) -> list[str]:
        """A list of strings; empty when absent."""
        values = list(self.hash(name).values())
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) != len(values):
            raise invalid("Invalid array", name)
        return texts

    def range(self, name: str) -> dict[str, int]:
        """A moment, or bounds of moments: {"gte": 1760000000}; a bare number is {"eq": number}."""
        self._read.add(name)
        value = self._form.get(name, {})
        if isinstance(value, str):
            return {"eq": _whole(value, name)}
        if not value.keys() <= {"gt", "gte", "lt", "lte"}:
            raise invalid(f"Invalid bounds: {', '.join(value)}", name)
        return {bound: _whole(moment, name) for bound, moment in value.items() if isinstance(moment, str)}

    def metadata(self, before: Mapping[str, str]) -> dict[str, str]:
        """The metadata after this request: given keys replace, an empty value deletes."""
        most, longest_key, longest_value = _LONGEST_METADATA
        after = dict(before)
        for key, value in self.hash("metadata").items():
            if not isinstance(value, str) or len(key) > longest_key or len(value) > longest_value:
                raise invalid(f"Invalid metadata: {key}", "metadata")
            if value:
                after[key] = value
            else:
                after.pop(key, None)
        if len(after) > most:
            raise invalid(f"Metadata has more than {most} keys.", "metadata")
        return after

    def end(self) -> None:
        """Refuse what nobody read; `expand` is every endpoint's."""
        for name in self._form:
            if name not in self._read and name != "expand":
                raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")


def _whole(value: str, name: str) -> int:
    if not (value.isascii() and value.removeprefix("-").isdigit() and len(value) < 18):
        raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
    return int(value)
