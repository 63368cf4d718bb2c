"""External accounts to make in tests: one body of each kind."""

from __future__ import annotations

from tests.api.front import ADDRESS, Caller, Json

PATH = "/v1/external_accounts"
# Passes the check that card numbers pass, as one account number in ten does.
NUMBER = "4000001234567899"
IBAN = "DE89370400440532013000"
WALLET: Json = {"type": "wallet", "asset": "BTC", "network": "bitcoin", "address": ADDRESS}
ACH: Json = {
    "type": "bank",
    "scheme": "ach",
    "routing_number": "021000021",
    "account_number": NUMBER,
    "holder_name": "Ada Lovelace",
}
SEPA: Json = {"type": "bank", "scheme": "sepa", "iban": IBAN, "holder_name": "Ada Lovelace"}
ALL = {"wallet": WALLET, "ach": ACH, "sepa": SEPA}


async def made(caller: Caller, body: Json, **changes: object) -> Json:
    """A new account."""
    response = await caller.post(PATH, body | changes)
    assert response.status_code == 201, response.text
    found: Json = response.json()
    return found
