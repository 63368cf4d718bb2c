"""Settings of how money goes out to banks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from app.settings.section import Section


class AccountsSettings(Section):
    """When an external account may be paid to: once its checks pass, or once a person has looked at it too."""

    external_accounts: Literal["checks", "manual"] = "checks"


class PayoutSettings(Section):
    """Which payouts another key has to approve: above so many units, by asset (`{"USD": 1000000}`)."""

    approval_above: dict[str, int] = Field(default_factory=dict)


class IncreaseSettings(Section):
    """The account at Increase, which pays out in dollars and takes them in."""

    increase_api_key: SecretStr | None = None
    increase_account_id: str | None = None
    increase_webhook_secrets: SecretStr | None = None  # one, or two with a comma while one replaces the other
    increase_api_base: str = "https://api.increase.com"


class SepaSettings(Section):
    """The euro account at a bank that takes files, and the folder in which they are exchanged."""

    sepa_folder: Path | None = None
    sepa_holder_name: str = ""
    sepa_iban: str | None = None
    sepa_bic: str | None = None
    sepa_bank_name: str = ""
    sepa_gather_seconds: int = Field(default=1, ge=0, le=86_400)
