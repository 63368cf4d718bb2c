"""A partner pays out: coins to a wallet, and dollars to a bank account that sends them back."""

from __future__ import annotations

from collections.abc import Iterator

from app.cli.stories.buy import ADDRESS
from app.cli.stories.sell import BANK_ACCOUNT
from app.cli.stories.stage import DemoFailed, Json, Stage, Step, money, part

_ENDED_BADLY = frozenset({"failed", "canceled"})


def to_wallet(stage: Stage) -> Iterator[Step]:
    """Pay a hundred-thousandth of a bitcoin. Raises DemoFailed."""
    wallet: Json = {"type": "wallet", "asset": "BTC", "network": "bitcoin", "address": ADDRESS}
    coins: Json = {"asset": "BTC", "network": "bitcoin", "amount": "0.00001000"}
    yield _asked(stage, wallet, coins)
    path = f"/v1/payouts/{stage.story.resource['id']}"
    never = _ENDED_BADLY | {"returned"}
    settled = stage.wait_for_status(path, "settled", never=never, detail=lambda found: f"in {found['tx_hash']}")
    yield stage.done("settled", settled)
    stage.story.timeline = stage.api.items(f"{path}/timeline")


def to_bank_and_back(stage: Stage) -> Iterator[Step]:
    """Pay 25 dollars; when all is done the receiver's bank sends them back. Raises DemoFailed."""
    yield _asked(stage, BANK_ACCOUNT, {"asset": "USD", "amount": "25.00"})
    payout_id = str(stage.story.resource["id"])
    path = f"/v1/payouts/{payout_id}"
    settled = stage.wait_for_status(
        path,
        "settled",
        never=_ENDED_BADLY | {"returned"},
        detail=lambda found: f"{found['provider_reference']} at {found['provider']}",
    )
    yield stage.done("settled", settled)
    try:
        stage.api.post("/v1/simulate/ach/return", {"payout_id": payout_id, "code": "R03"})
    except DemoFailed:
        if stage.api.get(path)["status"] != "returned":  # else only the answer was lost
            raise
    yield stage.done("bank return", "the receiving bank sends it back: R03, no account under this number")
    returned = stage.wait_for_status(
        path, "returned", never=_ENDED_BADLY, detail=lambda found: str(part(found, "returned")["code"])
    )
    yield stage.done("returned", f"{returned}; {_available(stage, 'USD')} available again")
    yield stage.done("event delivered", stage.wait_for_event("payout.returned"))
    stage.story.timeline = stage.api.items(f"{path}/timeline")


def _asked(stage: Stage, account: Json, amount: Json) -> Step:
    known = stage.api.post("/v1/external_accounts", account)
    body: Json = {"amount": amount, "external_account_id": known["id"]}
    payout = stage.story.resource = stage.api.post("/v1/payouts", body)
    return stage.done("payout", f"{payout['id']}: {money(payout['amount'])}, {payout['status']}")


def _available(stage: Stage, asset: str) -> str:
    rows = stage.api.items("/v1/balances")
    return next(money({**row, "amount": row["available"]}) for row in rows if row["asset"] == asset)
