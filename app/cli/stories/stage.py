"""What every story is told on: the API as any partner calls it, the webhooks that arrive, and the steps so far."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from ulid import ULID

from app.cli.receiver import Receiver
from app.dev.home import Instance

LOOK_SECONDS = 0.1
_REQUEST_SECONDS = 60.0
_LOST_SECONDS = 90.0  # how long a request is repeated while the instance is being restarted

Json = dict[str, object]


class DemoFailed(Exception):
    """A story did not come to its end; the message says where it stands."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that has happened, so many seconds after the story began."""

    name: str
    detail: str
    seconds: float


@dataclass(slots=True)
class Story:
    """All that was seen of one order, payout or batch."""

    name: str
    steps: list[Step] = field(default_factory=list)
    resource: Json = field(default_factory=dict)
    timeline: list[Json] = field(default_factory=list)
    ledger: list[Json] = field(default_factory=list)
    event: Json = field(default_factory=dict)


class Api:
    """A partner's program: requests are repeated, with the same key, while the instance is away."""

    def __init__(self, instance: Instance) -> None:
        """`close` it at the end."""
        self._http = httpx.Client(
            base_url=instance.api_url,
            headers={"Authorization": f"Bearer {instance.api_key}"},
            timeout=_REQUEST_SECONDS,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str) -> Json:
        """Read what is there. Raises DemoFailed for a refusal, as the others do."""
        return _object(self._call("GET", path))

    def items(self, path: str) -> list[Json]:
        """Read a list."""
        found = self.get(path)["data"]
        return found if isinstance(found, list) else []

    def lines(self, path: str) -> list[Json]:
        """Read a file of results, one JSON object a line."""
        return [json.loads(line) for line in self._call("GET", path).text.splitlines()]

    def post(self, path: str, body: Json) -> Json:
        """Do something, once."""
        return _object(self._call("POST", path, body, key=f"demo-{ULID()}"))

    def delete(self, path: str) -> None:
        """Take something away."""
        self._call("DELETE", path)

    def _call(self, method: str, path: str, body: Json | None = None, *, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        deadline, trouble = time.monotonic() + _LOST_SECONDS, ""
        while time.monotonic() < deadline:
            try:
                response = self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError as error:
                trouble = type(error).__name__
            else:
                if response.is_success:
                    return response
                trouble = response.text
                if response.status_code < 500 and "idempotency_in_progress" not in trouble:
                    raise DemoFailed(f"{method} {path}: {response.status_code} {trouble}")
            time.sleep(LOOK_SECONDS * 5)
        raise DemoFailed(f"{method} {path} is not answered: {trouble}")


def _object(response: httpx.Response) -> Json:
    answer: Json = response.json()
    return answer


class Stage:
    """One story being told. `patience` is how many seconds each of its steps may take."""

    def __init__(
        self, name: str, api: Api, receiver: Receiver, *, patience: float, busy: Callable[[str], None]
    ) -> None:
        """`busy` is told what is being waited for."""
        self.story = Story(name)
        self.api = api
        self.busy = busy
        self._receiver = receiver
        self._patience = patience
        self._began = time.monotonic()

    def done(self, name: str, detail: str) -> Step:
        """Another step has been made."""
        step = Step(name, detail, round(time.monotonic() - self._began, 3))
        self.story.steps.append(step)
        self.busy(f"after {name} ...")
        return step

    def wait(self, name: str, look: Callable[[], str | None]) -> str:
        """Look again and again until there is something to tell. Raises DemoFailed when patience ends."""
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            if (detail := look()) is not None:
                return detail
            time.sleep(LOOK_SECONDS)
        resource = self.story.resource
        stands = f"; {resource.get('id')} is {resource.get('stage') or resource.get('status')}" if resource else ""
        raise DemoFailed(f"{self.story.name}: not {name} within {self._patience:.0f} s{stands}")

    def wait_for_status(self, path: str, wanted: str, *, never: frozenset[str], detail: Callable[[Json], str]) -> str:
        """Wait until the resource at `path` has a status; raises DemoFailed at once for one that it never leaves."""

        def look() -> str | None:
            found = self.story.resource = self.api.get(path)
            if found["status"] in never:
                raise DemoFailed(f"{found['id']} is {found['status']}, not {wanted}: {found.get('failure')}")
            return detail(found) if found["status"] == wanted else None

        return self.wait(wanted, look)

    def wait_for_event(self, kind: str) -> str:
        """Wait until a webhook has told of the story's end, signed as it must be."""

        def look() -> str | None:
            event = self._receiver.find(kind, str(self.story.resource["id"]))
            if event is None and self._receiver.refused:
                raise DemoFailed(f"{self._receiver.refused} deliveries had a wrong signature")
            if event is None:
                return None
            self.story.event = event
            seen = len(self._receiver.events)
            return f"{event['id']}, the last of {seen}; every signature verified by the standardwebhooks package"

        return self.wait(f"told of {kind}", look)


def money(amount: object) -> str:
    """An amount for people."""
    return f"{amount['amount']} {amount['asset']}" if isinstance(amount, dict) else str(amount)


def part(resource: Json, name: str) -> Json:
    """An object inside a resource."""
    found = resource[name]
    return found if isinstance(found, dict) else {}
