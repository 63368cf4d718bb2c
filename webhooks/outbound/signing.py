"""Standard Webhooks 1.0.0: the three headers that let a subscriber check where an event comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook


def signed_headers(secrets: Sequence[str], *, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Sign `body` as message `message_id` of the moment `at`, once with every secret (`whsec_...`), newest first.

    The id stays the same on every attempt, the moment is that of the attempt. Raises ValueError without a secret, or
    for an id with a full stop: it separates what is signed.
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    if not secrets or "." in message_id:
        raise ValueError("a message is signed with at least one secret, and its id has no full stop")
    moment, text = at.astimezone(UTC), body.decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, moment, text) for secret in secrets),
    }
