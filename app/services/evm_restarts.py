"""Restarting an address that was stopped because its nonces are used elsewhere: a person's decision, and recorded."""

from __future__ import annotations

from app.db import calls as call_rows
from app.db import senders as sender_rows
from app.db import spending as spending_rows
from app.db.alerts import resolve_alert
from app.db.database import Database
from app.domain.errors import ConflictState, NotFound
from app.ports.account_chain import AccountReader


async def restart(db: Database, reader: AccountReader, network: str, script: str, *, actor: str, reason: str) -> int:
    """Let a stopped address sign again, from its next nonce on the chain; that nonce.

    Raises NotFound for an address that never signed, and ConflictState for one that is not stopped, or of which a call
    has lost its nonce: it would be stopped again at once. Raises ProviderUnavailable without the node.
    """
    nonces = await reader.nonces(script)
    async with db.transaction() as tx:
        row = await sender_rows.lock_sender(tx, network, script)
        if row is None:
            raise NotFound
        if row.stopped is None:
            raise ConflictState("This address is not stopped.")
        first = await call_rows.lowest_open(tx, network, script)
        if first is not None and first.nonce < nonces.mined:
            raise ConflictState(f"Nonce {first.nonce} is used up, and no block that we know has {first.id} in it.")
        await sender_rows.start_sender(tx, network, script, nonces.pending)
        await spending_rows.note(tx, network, "start_sender", subject=script, actor=actor, reason=reason)
        await resolve_alert(tx, "sender_stopped", f"{network}:{script}")
    return max(row.next_nonce, nonces.pending)
