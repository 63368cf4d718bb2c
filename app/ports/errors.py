"""How the outside fails us.

    ProviderError
    ├── ProviderUnavailable    nothing is known to have happened elsewhere; ask again with the same key
    │   ├── ProviderThrottled  asked too often; `retry_after` seconds
    │   └── SigningPostponed   the signer's own policy forbids it for now
    ├── OutcomeUnknown         it may or may not have happened; only a look-up at the source ends this
    ├── ProviderRejected       a definitive refusal of the request itself: our mistake or our configuration
    │   └── SigningRefused     the signer's own policy forbids it
    └── NotificationInvalid    a webhook that is not what it claims to be
        └── NotificationUnreadable   signed by the provider, and still not to be read: its mistake

A decline is not here: it is a value (`Outcome.DECLINED`), because it is an answer.
"""

from __future__ import annotations

from collections.abc import Sequence


class ProviderError(Exception):
    """The root of every failure of an adapter."""

    def __init__(
        self, provider: str, message: str, *, code: str | None = None, retry_after: float | None = None
    ) -> None:
        """Name the provider, what happened in one line without secrets, and the provider's own code.

        `retry_after` is how many seconds the provider wants to be left alone, where it says so.
        """
        self.provider = provider
        self.code = code
        self.retry_after = retry_after
        super().__init__(f"{provider}: {message}")


class ProviderUnavailable(ProviderError):
    """The provider could not be reached, or says that it did nothing; asking again with the same key is safe."""


class ProviderThrottled(ProviderUnavailable):
    """The provider asks us to slow down."""


class SigningPostponed(ProviderUnavailable):
    """The signer will not sign this now: a limit is used up, a coin is kept for somebody else, or it was stopped."""

    def __init__(self, message: str, *, code: str, coins: Sequence[tuple[str, int]] = ()) -> None:
        """`coins` are the outpoints that it is about, where it is about some."""
        self.coins = frozenset(coins)
        super().__init__("signer", message, code=code)


# The codes of an OutcomeUnknown that say more than that the answer was lost.
CONTRACT_VIOLATION = "contract_violation"  # an answer came, and is not what the provider documents
STORED_ERROR = "stored_error"  # the provider repeats an error that it has kept under the request's key


class OutcomeUnknown(ProviderError):
    """The request may have been carried out; its answer was lost or unusable."""


class ProviderRejected(ProviderError):
    """The provider refused the request for good; repeating it gives the same answer."""


class SigningRefused(ProviderRejected):
    """The signer will not sign this, however often it is asked; `code` says which of its rules forbids it."""

    def __init__(
        self, message: str, *, code: str, subjects: Sequence[str] = (), coins: Sequence[tuple[str, int]] = ()
    ) -> None:
        """`subjects` are the orders and payouts because of which it was refused, `coins` the outpoints it is about."""
        self.subjects = tuple(subjects)
        self.coins = frozenset(coins)
        super().__init__("signer", message, code=code)


class NotificationInvalid(ProviderError):
    """The notification's signature, age or form is wrong."""


class NotificationUnreadable(NotificationInvalid):
    """The notification's signature is right, its content is not."""
