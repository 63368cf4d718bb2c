"""How fast the follower reads a chain: blocks of 2,000 outputs, while 100,000 scripts are watched."""

from __future__ import annotations

import asyncio
import secrets
import time

from app.cli import collector
from app.db import wallet
from app.ports.chain import Address, Branch
from app.services import follower, preparing
from app.services.deposit_rules import DepositRules
from app.wiring import gateway
from bench.instance import Instance, opened
from bench.report import Line
from providers.bitcoin.encoding import encode_segwit
from providers.sandbox.client import SandboxClient

_BLOCKS, _OUTPUTS, _WATCHED, _AT_ONCE = 80, 2_000, 100_000, 10_000
_FIRST_INDEX = 1_000_000  # beyond any address that the wallet derives


def measure(instance: Instance) -> list[Line]:
    """Mine blocks that pay other people, and a few outputs of each to us, then read them all."""
    rate = asyncio.run(_rate(instance))
    detail = f"{_BLOCKS} blocks of {_OUTPUTS} outputs, {_WATCHED} scripts watched"
    return [Line("blocks followed", f"{rate:.0f}/s", ">= 40/s", rate >= 40, detail)]


async def _rate(instance: Instance) -> float:
    async with opened(instance) as parts:
        rail, far = parts.rails.chains["bitcoin"], SandboxClient(parts.http, instance.far_url)
        context = gateway.context(instance.settings(), parts)
        rules = DepositRules(context.policy, context.board, livemode=False)
        await preparing.open_wallet(parts.db, rail)
        for start in range(0, _WATCHED, _AT_ONCE):
            async with parts.db.transaction() as tx:
                await wallet.add_addresses(tx, rail.network, _addresses(start), "funding")
        while await follower.follow(parts.db, rail, rules):
            pass
        ours = rail.new_address(Branch.RECEIVE, 0).text
        outputs = [*_others(_OUTPUTS - 2), (ours, 10_000), (ours, 10_000)]
        for _ in range(_BLOCKS):
            await far.fund(outputs)
        collector.calm()  # as the worker does
        began = time.perf_counter()
        while await follower.follow(parts.db, rail, rules):
            pass
        return _BLOCKS / (time.perf_counter() - began)


def _others(count: int) -> list[tuple[str, int]]:
    """Payments to people whom nobody knows, each of them at another address."""
    return [(encode_segwit("bcrt", 0, secrets.token_bytes(20)), 1_000) for _ in range(count)]


def _addresses(start: int) -> list[Address]:
    """Scripts that nobody pays."""
    return [
        Address(f"watched-{index}", f"0014{secrets.token_hex(20)}", Branch.RECEIVE, _FIRST_INDEX + index)
        for index in range(start, start + _AT_ONCE)
    ]
