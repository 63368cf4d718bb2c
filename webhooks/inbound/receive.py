"""Receiving: a notification's signature is checked over its raw bytes, it is stored once, and its job is put down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog

from app.db import notifications
from app.db.alerts import raise_alert
from app.db.database import Database
from app.db.jobs import Job, JobName, enqueue
from app.ports.errors import NotificationUnreadable
from app.ports.notifications import NotificationSource, VerifiedNotification

log = structlog.get_logger(__name__)


async def receive(
    db: Database,
    source: NotificationSource,
    body: bytes,
    headers: Mapping[str, str],
    *,
    now: datetime,
    livemode: bool,
    api_version: str | None = None,
    account: str | None = None,
) -> None:
    """Store a notification and its job in one transaction; told twice, it is stored once.

    What is signed but not meant for us is stored in quarantine, without a job: another mode than ours, an account
    connected to ours other than `account`, or another version of the provider's API than `api_version`, where one is
    given. Raises NotificationInvalid.
    """
    try:
        verified = source.verify(body, headers, now)
        _check_names(source.provider, verified)
    except NotificationUnreadable as garbage:
        async with db.transaction() as tx:
            await raise_alert(tx, "notification_unreadable", source.provider, str(garbage))
        raise
    stranger = _stranger(verified, livemode=livemode, api_version=api_version, account=account)
    async with db.transaction() as tx:
        stored_id = await notifications.insert(
            tx,
            provider=source.provider,
            notification_id=verified.notification_id,
            kind=verified.kind,
            livemode=verified.livemode,
            body=body,
            state="received" if stranger is None else "quarantined",
        )
        if stored_id is None:
            return
        if stranger is None:
            await enqueue(tx, [Job(JobName.PROCESS_NOTIFICATION, stored_id)])
        else:
            await notifications.finish(tx, stored_id, "quarantined", stranger)
            await raise_alert(tx, "notification_quarantined", f"{source.provider}:{stranger}", stored_id)
    log.info("notification.stored", notification_id=stored_id, kind=verified.kind, stranger=stranger)


def _check_names(provider: str, verified: VerifiedNotification) -> None:
    """The database's text holds no NUL."""
    if "\x00" in verified.notification_id + verified.kind:
        raise NotificationUnreadable(provider, "a NUL in its id or type")


def _stranger(
    verified: VerifiedNotification, *, livemode: bool, api_version: str | None, account: str | None
) -> str | None:
    """Why a notification is none of ours, if so."""
    if verified.livemode is not livemode:
        return "wrong_mode"
    if verified.account != account:  # of an account connected to ours that we do not act for, or of ours when we do
        return "wrong_account"
    if api_version is not None and verified.api_version != api_version:
        return "wrong_version"
    return None
