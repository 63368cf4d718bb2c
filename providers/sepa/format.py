"""The rail's FileFormat: one account of ours at one bank, its payment orders and its answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from app.ports.bank_files import BankReport
from app.ports.payout import PayoutRequest
from providers.sepa.reading import read_report
from providers.sepa.writing import SepaAccount, write_transfers

PROVIDER = "sepa"


class SepaFiles:
    """Implements FileFormat. Thousands of payouts take both methods seconds of a processor: call them in a thread."""

    def __init__(self, account: SepaAccount) -> None:
        """`account` is ours: it is paid from, and statements are about it."""
        self._account = account

    @property
    def provider(self) -> str:
        """The rail's name."""
        return PROVIDER

    def write(self, message_id: str, created_at: datetime, execute_on: date, payouts: Sequence[PayoutRequest]) -> bytes:
        """One pain.001.001.09; the same arguments give the same bytes. Raises ValueError for what cannot be said."""
        return write_transfers(self._account, message_id, created_at, execute_on, payouts)

    def read(self, data: bytes) -> BankReport:
        """Read a pain.002 or a camt.053 strictly; raises FileUnreadable."""
        return read_report(data, self._account.iban)
