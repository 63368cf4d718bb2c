"""One request to Stripe: made once, held to the version that we asked for, and left out while Stripe is away."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import stripe

from app.domain.breaker import Breaker
from app.ports.errors import ProviderThrottled
from providers.stripe.errors import PROVIDER, Malformed, is_their_trouble, translated
from providers.stripe.fields import Json, json_object
from providers.stripe.receipts import reference_and_metadata
from providers.stripe.transport import HttpxTransport
from providers.stripe.vocabulary import API_VERSION

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Answer:
    """What Stripe said. `replayed` says that it gave the answer that it had stored under the key, which may be old."""

    document: object
    replayed: bool


class StripeCalls:
    """The SDK's client, and what stands around each of its calls."""

    def __init__(
        self,
        api_key: str,
        *,
        livemode: bool,
        api_base: str = "https://api.stripe.com",
        account: str | None = None,
        timeout: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`account` is a connected account for which every call is made; `timeout` is in seconds.

        Raises ValueError when the key belongs to the other mode. A restricted key (`rk_`) is as good as a secret one.
        The SDK's own retries are off: one call is one request, so that our jobs alone decide when to ask again, the
        time of a call is bounded by one timeout, and an error that Stripe stored under the key is not asked for twice.
        """
        word = "live" if livemode else "test"
        if not api_key.startswith((f"sk_{word}_", f"rk_{word}_")):
            raise ValueError(f"the Stripe key is not one for {word} mode")
        if account is not None and not account.startswith("acct_"):
            raise ValueError("a connected account's id begins with acct_")
        self._http = HttpxTransport(timeout=timeout)
        self._breaker, self._clock = Breaker(), clock
        self.v1 = stripe.StripeClient(
            api_key,
            stripe_account=account,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base},
            http_client=self._http,
            max_network_retries=0,
        ).v1

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close_async()

    def resumes_in(self) -> float:
        """For how many seconds Stripe is left alone after failing again and again; zero when it is not."""
        return self._breaker.waits(self._clock())

    async def ask(self, call: Callable[[], Awaitable[stripe.StripeObject]], *, reading: bool = False) -> Answer:
        """Make one request; raises the port's errors and no others."""
        if pause := self.resumes_in():
            raise ProviderThrottled(PROVIDER, "left alone for a while", retry_after=pause)
        try:
            response = (await call()).last_response
            # Typed as a base class that has no data; every answer that is not a stream has it.
            document = response.data if isinstance(response, stripe.StripeResponse) else None
            headers: Mapping[str, str] = {} if response is None else response.headers
            if headers.get("stripe-version", API_VERSION) != API_VERSION:
                raise Malformed("an answer of another version of the API")
        except Exception as error:
            # Everything, for on a malformed answer the SDK stumbles with errors of its own kind (AttributeError).
            said = translated(error, reading=reading)
            if is_their_trouble(error):
                self._breaker.failed(self._clock(), said.retry_after)
            else:
                self._breaker.succeeded()
            raise said from error
        self._breaker.succeeded()
        return Answer(document, headers.get("idempotent-replayed") == "true")

    async def page(
        self, call: Callable[[], Awaitable[stripe.StripeObject]], kind: str
    ) -> tuple[list[tuple[str, Mapping[str, str]]], bool]:
        """One page of a list as (id, metadata), and whether there is more."""
        answer = await self.ask(call, reading=True)
        try:
            page = json_object(answer.document, "list")
            data, more = page.get("data"), page.get("has_more")
            if not isinstance(data, list) or not isinstance(more, bool) or (more and not data):
                raise Malformed("a list without data")
            return [reference_and_metadata(item, kind) for item in data], more
        except Malformed as error:
            raise translated(error, reading=False) from error


def read(answer: Answer, kind: str, reader: Callable[[Json], Read]) -> Read:
    """What an answer says, by its reader; raises OutcomeUnknown for what is not as documented."""
    try:
        return reader(json_object(answer.document, kind))
    except Malformed as error:
        raise translated(error, reading=False) from error


def json_object_in(answer: Answer, kind: str) -> Json:
    """The object of a kind that Stripe answered with; raises OutcomeUnknown for anything else."""
    return read(answer, kind, lambda document: document)
