"""What our own pages may load, and who may frame them: the Content-Security-Policy of each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

REPORTS_PATH: Final = "/widget/v1/csp-reports"
REPORTING_ENDPOINTS: Final = f'csp="{REPORTS_PATH}"'
PERMISSIONS: Final = "camera=(self), clipboard-write=(self), geolocation=(), microphone=(), payment=(self)"
STRIPE_PERMISSIONS: Final = PERMISSIONS.replace("payment=(self)", 'payment=(self "https://js.stripe.com")')

# What Stripe.js needs by https://docs.stripe.com/security/guide ("Content Security Policy"); the host of its address
# field is left out, because our form has none.
_STRIPE_SCRIPTS: Final = ("https://js.stripe.com", "https://*.js.stripe.com")
_STRIPE_FRAMES: Final = (*_STRIPE_SCRIPTS, "https://hooks.stripe.com")
_STRIPE_CALLS: Final = ("https://api.stripe.com",)

# A second look at what the session's own validation let through: nothing else ever gets into a header.
_ORIGIN: Final = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[1-9][0-9]{0,4})?", re.ASCII)


def _policy(directives: dict[str, Iterable[str]]) -> str:
    return "; ".join(" ".join((name, *sources)) for name, sources in directives.items())


def checkout(allowed_origins: Iterable[str], *, stripe: bool) -> str:
    """The policy of one session's page: framed by these exact origins and by nobody else.

    `stripe` lets Stripe.js in, where cards are paid with it.
    """
    origins = [origin for origin in allowed_origins if _ORIGIN.fullmatch(origin)]
    return _policy(
        {
            "default-src": ["'none'"],
            "script-src": ["'self'", *(_STRIPE_SCRIPTS if stripe else ())],
            "style-src": ["'self'"],
            "img-src": ["'self'", "data:"],
            "connect-src": ["'self'", *(_STRIPE_CALLS if stripe else ())],
            **({"frame-src": _STRIPE_FRAMES} if stripe else {}),
            "base-uri": ["'none'"],
            "form-action": ["'self'"],
            "object-src": ["'none'"],
            "worker-src": ["'none'"],  # or it would be script-src's: nothing may ever stand between page and server
            "frame-ancestors": origins or ["'none'"],
            "report-uri": [REPORTS_PATH],  # for browsers that do not know the next one
            "report-to": ["csp"],
        }
    )


PLAYGROUND: Final = _policy(
    {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "frame-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
        "report-uri": [REPORTS_PATH],
        "report-to": ["csp"],
    }
)
MISSING: Final = _policy(
    {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
)
