"""Wiring of a bank that takes SEPA files."""

from __future__ import annotations

from datetime import timedelta

from app.ports.payout import FundingAccount
from app.services.rails import FileRail
from app.settings import Settings
from app.wiring.needed import NotConfigured, needed
from providers.sepa.channel import FolderChannel
from providers.sepa.format import SepaFiles
from providers.sepa.records import SepaRecords
from providers.sepa.writing import SepaAccount


def rail(settings: Settings) -> FileRail | None:
    """The bank's forms and folder; None where no folder is named. Raises NotConfigured."""
    sepa = settings.sepa
    if sepa.sepa_folder is None:
        return None
    try:
        account = SepaAccount(sepa.sepa_holder_name, needed(sepa.sepa_iban, "SEPA_IBAN"), sepa.sepa_bic or "")
    except ValueError as error:
        raise NotConfigured(f"the account that RAMPWRIGHT_SEPA_... names: {error}") from None
    channel = FolderChannel(sepa.sepa_folder / "outbox", sepa.sepa_folder / "inbox")
    return FileRail(SepaFiles(account), channel, timedelta(seconds=sepa.sepa_gather_seconds))


def own_account(settings: Settings) -> FundingAccount:
    """The euro account that all partners share: what a transfer names says whose it is."""
    sepa = settings.sepa
    return FundingAccount(
        reference="", holder_name=sepa.sepa_holder_name, bank_name=sepa.sepa_bank_name, iban=sepa.sepa_iban or ""
    )


def records(settings: Settings) -> SepaRecords | None:
    """The bank's own books, for the auditor."""
    found = rail(settings)
    return None if found is None else SepaRecords(found.channel, found.form)
