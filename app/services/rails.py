"""The rails that this instance has: what `wiring` builds once and every service is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.errors import RouteUnsupported
from app.ports.chain import ChainProvider
from app.ports.notifications import NotificationSource
from app.ports.payin import PayinProvider


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
