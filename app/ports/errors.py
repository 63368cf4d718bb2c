"""How the outside fails us.

    ProviderError
    ├── ProviderUnavailable    nothing is known to have happened elsewhere; ask again with the same key
    │   └── ProviderThrottled  asked too often; `retry_after` seconds
    ├── OutcomeUnknown         it may or may not have happened; only a look-up at the source ends this
    ├── ProviderRejected       a definitive refusal of the request itself: our mistake or our configuration
    └── NotificationInvalid    a webhook that is not what it claims to be
        └── NotificationUnreadable   signed by the provider, and still not to be read: its mistake

A decline is not here: it is a value (`Outcome.DECLINED`), because it is an answer.
"""

from __future__ import annotations


class ProviderError(Exception):
    """The root of every failure of an adapter."""

    def __init__(self, provider: str, message: str, *, code: str | None = None) -> None:
        """Name the provider, what happened in one line without secrets, and the provider's own code."""
        self.provider = provider
        self.code = code
        super().__init__(f"{provider}: {message}")


class ProviderUnavailable(ProviderError):
    """The provider could not be reached, or says that it did nothing; asking again with the same key is safe."""


class ProviderThrottled(ProviderUnavailable):
    """The provider asks us to slow down."""

    def __init__(self, provider: str, message: str, *, retry_after: float | None = None) -> None:
        """`retry_after` is in seconds, as the provider gave it."""
        super().__init__(provider, message)
        self.retry_after = retry_after


class OutcomeUnknown(ProviderError):
    """The request may have been carried out; its answer was lost or unusable."""


class ProviderRejected(ProviderError):
    """The provider refused the request for good; repeating it gives the same answer."""


class NotificationInvalid(ProviderError):
    """The notification's signature, age or form is wrong."""


class NotificationUnreadable(NotificationInvalid):
    """The notification's signature is right, its content is not."""
