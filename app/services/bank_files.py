"""Payouts through a bank that takes files: gather, write and store one file, hand it over, read what comes back.

The steps are those of every outward call: the file's bytes and name are committed before it leaves, and the same bytes
under the same name are handed over again until that is known to be done. What the bank leaves for us is stored once,
like a notification, and then read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.db import external_accounts as account_rows
from app.db import notifications, payment_files
from app.db import payouts as payout_rows
from app.db.alerts import raise_alert
from app.db.columns import new_id
from app.db.database import Database, Transaction
from app.db.jobs import Job, JobName, enqueue
from app.db.payment_files import PaymentFile
from app.db.payouts import Payout
from app.domain.assets import asset_by_id
from app.domain.money import Money
from app.domain.payout import PayoutKind, PayoutMethod, PayoutState, PayoutTrigger
from app.ports.bank_files import FileFormat, FileStatus, PayoutReport
from app.ports.payout import PayoutReceipt, PayoutRequest
from app.services import bank_payouts, external_accounts, leaving, payouts, top_ups
from app.services.payouts import PayoutFact
from app.services.rails import FileRail, Rails
from app.services.sealing import SealBroken, Sealer

T = PayoutTrigger

MOST_IN_FILE = 1_000


async def send_waiting(db: Database, rails: Rails, sealer: Sealer) -> bool:
    """Write and hand over what is due at every bank that takes files. True when there may be more."""
    more = False
    for provider, rail in rails.bank_files.items():
        async with db.transaction() as tx:
            due = await payment_files.oldest_is_due(tx, provider, rail.gather)
            waiting = await payout_rows.lock_waiting(tx, provider, MOST_IN_FILE) if due else []
            written = await _write(tx, rail.form, sealer, waiting)
        await _hand_over(db, provider, rail)
        more = more or (written and len(waiting) == MOST_IN_FILE)
    return more


async def _write(tx: Transaction, form: FileFormat, sealer: Sealer, waiting: Sequence[Payout]) -> bool:
    """One file for those of the locked payouts that may leave."""
    going = [payout for payout in await leaving.may_leave(tx, waiting) if await _may_leave(tx, payout)]
    requests = await _requests(tx, sealer, going)
    if not requests:
        return False
    now = await tx.fetchval("SELECT now()")
    file_id = new_id("pf")
    try:
        # Seconds of the processor for a thousand payouts, the schema's check included.
        data = await asyncio.to_thread(form.write, file_id, now, now.date(), list(requests.values()))
    except ValueError as error:
        await _hold_unsayable(tx, form, going, requests)
        await raise_alert(tx, "payment_file_refused", form.provider, str(error))
        return False
    await payment_files.insert(
        tx,
        PaymentFile(
            id=file_id, provider=form.provider, name=f"{file_id}.xml", data=data, payouts=len(requests), created_at=now
        ),
    )
    gone = [payout for payout in going if payout.id in requests]
    await payouts.move_all(tx, gone, PayoutFact(T.PREPARED, file_id, file_id=file_id))
    return True


async def _may_leave(tx: Transaction, payout: Payout) -> bool:
    return payout.payout_kind is not PayoutKind.SALE or await bank_payouts.sale_may_leave(tx, payout)


async def _requests(tx: Transaction, sealer: Sealer, going: Sequence[Payout]) -> dict[str, PayoutRequest]:
    """What is asked for, by payout; one whose account's numbers cannot be opened is held, and stops no other."""
    accounts = await account_rows.by_ids(tx, [payout.external_account_id or "" for payout in going])
    found: dict[str, PayoutRequest] = {}
    for payout in going:
        account = accounts.get(payout.external_account_id or "")
        if account is None:
            continue
        try:
            found[payout.id] = bank_payouts.request_of(payout, external_accounts.bank_details(sealer, account))
        except SealBroken as error:
            await _hold(tx, payout, str(error))
    return found


async def _hold(tx: Transaction, payout: Payout, why: str) -> None:
    await raise_alert(tx, "payout_refused", payout.id, why)
    await payouts.hold(tx, payout, "cannot_be_said", cause=f"{payout.id}:{payout.sequence}")


async def _hold_unsayable(
    tx: Transaction, form: FileFormat, going: Sequence[Payout], requests: dict[str, PayoutRequest]
) -> None:
    """One payout that the form cannot say must not stop the others: it is found, and waits for a person."""
    now = await tx.fetchval("SELECT now()")
    for payout in going:
        if payout.id not in requests:
            continue
        try:
            form.write(payout.id, now, now.date(), [requests[payout.id]])
        except ValueError as error:
            await _hold(tx, payout, str(error))


async def _hand_over(db: Database, provider: str, rail: FileRail) -> None:
    async with db.connection() as connection:
        files = await payment_files.waiting(connection, provider)
    for file in files:
        await rail.channel.put(file.name, file.data)
        async with db.transaction() as tx:
            paid = await payout_rows.lock_of_file(tx, file.id)
            sending = [payout for payout in paid if payout.payout_state is PayoutState.SENDING]
            await payouts.move_all(tx, sending, PayoutFact(T.SUBMITTED, file.id))
            await payment_files.handed_over(tx, file.id)


async def fetch_reports(db: Database, rails: Rails) -> int:
    """Store what banks have left for us, each file once, with the job that reads it; how many were new."""
    count = 0
    for provider, rail in rails.bank_files.items():
        names = await rail.channel.names()
        async with db.connection() as connection:
            unread = await payment_files.unread(connection, provider, list(names))
        for name in unread:
            body = await rail.channel.get(name)
            async with db.transaction() as tx:
                stored_id = await notifications.insert(
                    tx,
                    provider=provider,
                    notification_id=name,
                    kind="file",
                    livemode=rails.livemode,
                    body=body,
                    state="received",
                )
                if stored_id is not None:
                    await enqueue(tx, [Job(JobName.PROCESS_NOTIFICATION, stored_id)])
        count += len(unread)
    return count


async def read_report(db: Database, rail: FileRail, body: bytes, *, livemode: bool) -> None:
    """Let a bank's file move what it speaks of, one fact a transaction; reading it again moves nothing.

    Raises FileUnreadable.
    """
    report = await asyncio.to_thread(rail.form.read, body)
    said = list(report.payouts)
    if report.file is not None:
        said += await _unnamed(db, report.file, {one.payout_id for one in said})
    for one in said:
        async with db.transaction() as tx:
            await _observe(tx, one)
    for credit in report.credits:
        async with db.transaction() as tx:
            await top_ups.observe(tx, rail.form.provider, credit, livemode=livemode)


async def _unnamed(db: Database, whole: FileStatus, named: set[str]) -> list[PayoutReport]:
    """What was said of a whole file is said of every payout in it that the report does not name."""
    async with db.connection() as connection:
        inside = await payout_rows.ids_of_file(connection, whole.message_id)
    return [
        PayoutReport(payout_id, whole.status, whole.provider_status, None, whole.decline)
        for payout_id in inside
        if payout_id not in named
    ]


async def _observe(tx: Transaction, said: PayoutReport) -> None:
    payout = await payout_rows.peek(tx, said.payout_id)
    if payout is None:
        await raise_alert(tx, "unmatched_money", said.payout_id, "the bank names a payout that is none of ours")
        return
    receipt = PayoutReceipt(
        reference=payout.id,
        payout_id=payout.id,
        method=PayoutMethod.SEPA,
        status=said.status,
        provider_status=said.provider_status,
        amount=said.amount or Money(payout.units, asset_by_id(payout.asset)),
        decline=said.decline,
        returned=said.returned,
    )
    await bank_payouts.observe(tx, payout.id, receipt)
