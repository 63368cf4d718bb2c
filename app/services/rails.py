"""The rails that this instance has: what `wiring` builds once and every service is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

from app.domain.errors import RouteUnavailable, RouteUnsupported
from app.domain.intent import IntentKeys
from app.domain.payout import PayoutMethod
from app.ports.account_chain import AccountChain
from app.ports.bank_files import FileChannel, FileFormat
from app.ports.chain import Addresses, ChainProvider
from app.ports.notifications import NotificationSource
from app.ports.payin import PayinHealth, PayinProvider
from app.ports.payout import BankRail, FundingAccount
from app.ports.records import PayinStatement


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
    accounts: Mapping[str, str] = field(default_factory=dict)  # by provider: a connected account that we act for
    statements: Mapping[str, PayinStatement] = field(default_factory=dict)
    account_chains: Mapping[str, AccountChain] = field(default_factory=dict)
    intents: IntentKeys = field(default_factory=IntentKeys.ephemeral)

    def provider_of(self, method: str) -> str:
        """The provider that serves a payment method; raises RouteUnsupported when none does."""
        try:
            return self.methods[method]
        except KeyError:
            raise RouteUnsupported("No rail serves this payment method.") from None

    def require_open(self, method: str) -> None:
        """Raises RouteUnsupported when nobody serves a payment method, RouteUnavailable while who does is away."""
        rail = self.payin[self.provider_of(method)]
        if isinstance(rail, PayinHealth) and (pause := rail.resumes_in()):
            raise RouteUnavailable("Payments cannot be taken in this way just now.", retry_after=ceil(pause))

    def chain(self, network: str | None) -> Addresses:
        """The addresses of a network; raises RouteUnsupported when no rail serves it."""
        found = self.chains.get(network or "") or self.account_chains.get(network or "")
        if found is None:
            raise RouteUnsupported("No rail serves this network.")
        return found

    @property
    def networks(self) -> frozenset[str]:
        """Every network that a rail serves."""
        return frozenset(self.chains) | frozenset(self.account_chains)

    def beside(self, network: str) -> list[str]:
        """The other networks on which an address of this one is ours as well."""
        return sorted(self.account_chains.keys() - {network}) if network in self.account_chains else []

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
