"""An external account as the public sees it, in answers and in events alike."""

from __future__ import annotations

from app.db.events import NewEvent
from app.db.external_accounts import ExternalAccount
from app.domain.assets import asset_by_id
from app.domain.external_account import AccountTrigger, event_of
from app.schemas.external_accounts import ExternalAccountOut


def account_out(account: ExternalAccount) -> ExternalAccountOut:
    """An account as the public sees it; nothing in it has to be unsealed."""
    asset = asset_by_id(account.asset)
    return ExternalAccountOut.model_construct(
        id=account.id,
        sequence=account.sequence,
        type=account.type,
        status=account.status,
        asset=asset.code,
        network=asset.network,
        scheme=account.scheme,
        address=account.address,
        holder_name=account.holder_name,
        bank_name=account.bank_name,
        country=account.country,
        last4=account.last4,
        reason=account.reason,
        corrections=account.corrections,
        metadata=account.account_metadata,
        created_at=account.created_at,
        updated_at=account.updated_at,
    )


def account_event(
    account: ExternalAccount, trigger: AccountTrigger, before: ExternalAccountOut | None, request_id: str | None
) -> NewEvent:
    """What subscribers are told of a move: the whole account, and what its changed fields were before."""
    after, previous = account_out(account), "{}"
    if before is not None:
        fields = type(after).model_fields.keys() - {"updated_at"}
        changed = {name for name in fields if getattr(before, name) != getattr(after, name)}
        previous = before.model_dump_json(include=changed)
    return NewEvent(
        partner_id=account.partner_id,
        kind=event_of(trigger),
        resource_type="external_account",
        resource_id=account.id,
        resource_sequence=account.sequence,
        data=f'{{"object":{after.model_dump_json()},"previous":{previous}}}',
        request_id=request_id,
    )
