"""The rails that this instance has: what `wiring` builds once and every service is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from app.domain.errors import RouteUnsupported
from app.domain.payout import PayoutMethod
from app.ports.bank_files import FileChannel, FileFormat
from app.ports.chain import ChainProvider
from app.ports.notifications import NotificationSource
from app.ports.payin import PayinProvider
from app.ports.payout import BankRail, FundingAccount


@dataclass(frozen=True, slots=True)
class FileRail:
    """A bank that takes files: their form, the way there, and how long payouts are gathered into one file."""

    form: FileFormat
    channel: FileChannel
    gather: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Rails:
    """Adapters by name. `methods` says who serves a payment method, `api_versions` which version our adapters speak."""

    livemode: bool
    payin: Mapping[str, PayinProvider]
    methods: Mapping[str, str]
    chains: Mapping[str, ChainProvider]
    notifications: Mapping[str, NotificationSource]
    publishable_keys: Mapping[str, str]
    api_versions: Mapping[str, str] = field(default_factory=dict)
    banks: Mapping[str, BankRail] = field(default_factory=dict)
    bank_files: Mapping[str, FileRail] = field(default_factory=dict)
    # By asset code: the bank that gives partners numbers of their own, or our own account that takes references.
    credits: Mapping[str, BankRail] = field(default_factory=dict)
    shared_accounts: Mapping[str, tuple[str, FundingAccount]] = field(default_factory=dict)

    def provider_of(self, method: str) -> str:
        """The provider that serves a payment method; raises RouteUnsupported when none does."""
        try:
            return self.methods[method]
        except KeyError:
            raise RouteUnsupported("No rail serves this payment method.") from None

    def chain(self, network: str | None) -> ChainProvider:
        """The rail of a network; raises RouteUnsupported when there is none."""
        try:
            return self.chains[network or ""]
        except KeyError:
            raise RouteUnsupported("No rail serves this network.") from None

    def payout_method(self, scheme: str | None, wanted: str | None = None) -> PayoutMethod:
        """How an account is paid: as was asked where its scheme has a choice, else in its usual way.

        Raises RouteUnsupported for a way that does not lead there.
        """
        usual = {"ach": PayoutMethod.ACH, "sepa": PayoutMethod.SEPA, None: PayoutMethod.CHAIN}[scheme]
        if wanted is None or wanted == usual:
            return usual
        if scheme != "ach":
            raise RouteUnsupported("This account is not paid in that way.", pointer="/method")
        return PayoutMethod(wanted)

    def payout_provider(self, method: PayoutMethod) -> str:
        """Who pays out in a way; raises RouteUnsupported when nobody does."""
        for name, bank in self.banks.items():
            if method in bank.methods:
                return name
        if method is PayoutMethod.SEPA and self.bank_files:
            return next(iter(self.bank_files))
        raise RouteUnsupported("No rail pays out in this way.", pointer="/method")
