"""How fast the signer signs through its socket, and what one large transaction takes until it is stored."""

from __future__ import annotations

import asyncio
import statistics
import time

from app.db.columns import new_id
from app.db.database import Transaction
from app.db.payouts import Payout
from app.domain.assets import BTC
from app.ports.chain import Branch, CoinInput, Recipient
from app.services import follower, intents, payout_sends, payouts, preparing
from app.services.deposit_rules import DepositRules
from app.signer.client import SignerClient
from app.wiring import assembly, gateway
from bench.instance import Instance, opened
from bench.report import Line
from providers.bitcoin.signer import Draft
from providers.sandbox.client import SandboxClient

_INPUTS, _DRAFTS = 100, 12
_OUTPUTS, _SENDS = 500, 7
_COIN = 50_000_000
_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def measure(instance: Instance) -> list[Line]:
    """Sign many inputs, then make large sends; durable disks, one worker, one signer."""
    return asyncio.run(_measure(instance))


async def _measure(instance: Instance) -> list[Line]:
    async with opened(instance) as parts:
        rate = await _inputs(instance, parts)
        milliseconds = await _sends(instance, parts)
    return [
        Line("P2WPKH inputs signed through the socket", f"{rate:.0f}/s", ">= 400/s", rate >= 400),
        Line(
            f"a send to {_OUTPUTS} built, signed and stored",
            f"{statistics.median(milliseconds):.0f} ms",
            "<= 250 ms",
            statistics.median(milliseconds) <= 250,
            f"median of {_SENDS}, the slowest {max(milliseconds):.0f} ms",
        ),
    ]


async def _inputs(instance: Instance, parts: assembly.Parts) -> float:
    """Coins that nobody ever mined, gathered into one: the signer cannot know."""
    client = SignerClient(instance.settings().signer_socket)
    back = parts.rails.chains["bitcoin"].new_address(Branch.CHANGE, 0)

    async def sign(number: int) -> None:
        coins = tuple(
            CoinInput(f"{number:032x}{place:032x}", 1, _COIN, Branch.RECEIVE, place % preparing.POOL_SIZE)
            for place in range(_INPUTS)
        )
        outputs = (Recipient(back.script, _INPUTS * _COIN - 10_000),)
        await client.sign_draft("bitcoin", Draft(coins, outputs, (back,)))

    await sign(1)
    began = time.perf_counter()
    for number in range(_DRAFTS):
        await sign(number + 2)
    taken = time.perf_counter() - began
    await client.aclose()
    return _INPUTS * _DRAFTS / taken


async def _sends(instance: Instance, parts: assembly.Parts) -> list[float]:
    rail = parts.rails.chains["bitcoin"]
    sender = await preparing.open_wallet(parts.db, rail)
    far = SandboxClient(parts.http, instance.far_url)
    await far.fund(
        [(rail.new_address(Branch.RECEIVE, number % preparing.POOL_SIZE).text, _COIN) for number in range(60)]
    )
    context = gateway.context(instance.settings(), parts)
    rules = DepositRules(context.policy, context.board, livemode=False)
    while await follower.follow(parts.db, rail, rules):
        pass
    taken: list[float] = []
    for _ in range(_SENDS):
        async with parts.db.transaction() as tx:
            made = await _payouts(tx, instance, parts)
        began = time.perf_counter()
        async with parts.db.transaction() as tx:
            await preparing.prepare(tx, sender, [payout_sends.outgoing_of(payout) for payout in made], 5)
        taken.append((time.perf_counter() - began) * 1000)
    return taken[1:]


async def _payouts(tx: Transaction, instance: Instance, parts: assembly.Parts) -> list[Payout]:
    destination, now = parts.rails.chains["bitcoin"].parse(_ADDRESS), await tx.fetchval("SELECT now()")
    made = [
        Payout(
            id=new_id("po"), partner_id=instance.partner_id, kind="payout", asset=BTC.id, units=10_000 + number,
            method="chain", provider="bitcoin", address=destination.text, script=destination.script, state="queued",
            sequence=1, payout_metadata={}, livemode=False, created_at=now, updated_at=now,
        )
        for number in range(_OUTPUTS)
    ]  # fmt: skip
    for payout in made:
        intents.seal_payout(parts.rails.intents, payout)
    await payouts.begin(tx, made, "bench")
    return made
