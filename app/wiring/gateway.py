"""What the API process hands its routes. The other processes load none of it: no web framework is theirs."""

from __future__ import annotations

from app.api.context import Context
from app.services.endpoints import HookRules
from app.services.session_rules import SessionRules
from app.settings import Settings
from app.wiring.assembly import Parts, policy
from app.wiring.prices import price_board
from app.wiring.secrets import session_tokens
from providers.sandbox.client import SandboxClient
from webhooks.outbound.guard import SystemResolver


def context(settings: Settings, shared: Parts) -> Context:
    """The context of an API process."""
    url = settings.process.sandbox_url
    return Context(
        db=shared.db,
        rails=shared.rails,
        board=price_board(settings, shared.http, shared.rails.networks),
        policy=policy(settings),
        sealer=shared.sealer,
        simulator=None if url is None else SandboxClient(shared.http, url),
        hooks=HookRules(
            SystemResolver(),
            allow_loopback=settings.process.allow_loopback,
            own_hosts=frozenset(settings.process.public_hosts),
        ),
        sessions=SessionRules(
            session_tokens(settings),
            public_url=settings.widget.public_url,
            allow_loopback=settings.process.allow_loopback,
            test_cards=url is not None,
            own_window_above=settings.widget.own_window_above,
            explorers=settings.widget.explorers,
        ),
    )
