"""Payouts in coins: many in one transaction, each in exactly one, through lost answers, crashes and reorganisations."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import httpx
import pytest

from app.db import ledger, wallet
from app.db.columns import new_id
from app.db.payouts import Payout
from app.domain import bookkeeping_out as books
from app.domain.assets import BTC
from app.domain.money import Money
from app.main import build_app
from app.ports.errors import ProviderError
from app.services import intents, keys, payout_sends, payouts, sweeps
from tests.support.batches import address
from tests.support.coins import mined, reorg, standing_address
from tests.support.paying import alerts, entries, shown, status, steps
from tests.support.wallets import sender_of
from tests.support.world import World

NETWORK = "bitcoin"


async def accounts(world: World, count: int) -> list[str]:
    return [
        await world.account(type="wallet", asset="BTC", network=NETWORK, address=address(number))
        for number in range(count)
    ]


async def asked(world: World, account: str, units: int = 10_000) -> str:
    """A payout in coins, as a partner asks for one."""
    amount = {"asset": "BTC", "network": NETWORK, "amount": f"{units / 10**8:.8f}"}
    response = await world.post("/v1/payouts", {"amount": amount, "external_account_id": account})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def many(world: World, account: str, count: int) -> list[str]:
    """The same for hundreds, without the front door."""
    async with world.db.transaction() as tx:
        row = await tx.fetchrow("SELECT address, script FROM external_accounts WHERE id = $1", account)
        assert row is not None
        now = await tx.fetchval("SELECT now()")
        made = [
            Payout(
                id=new_id("po"), partner_id=world.partner.id, kind="payout", external_account_id=account, asset=BTC.id,
                units=10_000 + number, method="chain", provider=NETWORK, address=row["address"], script=row["script"],
                state="queued", sequence=1, payout_metadata={}, livemode=False, created_at=now, updated_at=now,
            )
            for number in range(count)
        ]  # fmt: skip
        for one in made:
            intents.seal_payout(world.worker.rules.intents, one)
            entry = books.reserved(one.id, one.partner_id, Money(one.units, BTC))
            await ledger.post(tx, entry, subject=one.id)
        await payouts.begin(tx, made, "test")
    return [one.id for one in made]


async def funded(world: World, units: int = 100_000_000) -> str:
    """A partner whose deposit is all that the wallet has, and an account to pay to."""
    to = await standing_address(world)
    await world.far.fund([(str(to["address"]), units)])
    await mined(world, 6)
    await world.drain()
    [account] = await accounts(world, 1)
    return account


async def fault(world: World, kind: str, times: int = 1) -> None:
    """Make the node misbehave when it is given a transaction. Nodes know no accounts: call `calm` at the end."""
    body = {"kind": kind, "target": NETWORK, "path": "/sendrawtransaction$", "times": times}
    await world.far.command("POST", "/control/faults", body)


async def send(world: World) -> bool:
    return await payout_sends.send_waiting(world.db, world.worker.senders[NETWORK])


async def lineages(world: World, made: Sequence[str]) -> dict[str, list[str]]:
    """The payouts of each lineage; every payout must be in just one."""
    async with world.db.connection() as connection:
        rows = await connection.fetch("SELECT payout_id, lineage_id FROM sends WHERE payout_id = ANY($1)", list(made))
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["lineage_id"], []).append(row["payout_id"])
    assert sorted(payout_id for inside in found.values() for payout_id in inside) == sorted(made)
    return found


async def settled(world: World, made: Sequence[str]) -> None:
    """Bury everything, and see that each is paid."""
    await mined(world, 3)
    await world.drain()
    async with world.db.connection() as connection:
        states = await connection.fetch("SELECT id, state FROM payouts WHERE id = ANY($1)", list(made))
    assert {row["state"] for row in states} == {"settled"}
    await world.audit()


async def test_450_payouts_are_two_transactions_and_each_is_in_one(world: World) -> None:
    account = await funded(world)
    await world.fund(2)
    made = await many(world, account, 450)
    assert await send(world)  # there is more
    assert not await send(world)
    found = await lineages(world, made)
    assert sorted(len(inside) for inside in found.values()) == [50, 400]
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM chain_transactions") == 2
    await settled(world, made)
    for lineage_id in found:
        assert await entries(world, lineage_id) == ["coins_reserve", "coins_deliver"]
    async with world.db.connection() as connection:
        transit = await ledger.balance(connection, f"wallet:transit:{NETWORK}", BTC.id)
    assert transit == 0


async def test_fault_f_82_f_83_two_workers_at_once_send_each_payout_once(world: World) -> None:
    account = await funded(world)
    await world.fund(4)
    made = await many(world, account, 30)
    await asyncio.gather(*(send(world) for _ in range(3)))
    await send(world)
    await lineages(world, made)
    async with world.db.connection() as connection:
        taken = await connection.fetch("SELECT spent_txid, count(DISTINCT lineage_id) AS times FROM coins GROUP BY 1")
    assert all(row["times"] <= 1 for row in taken)
    await settled(world, made)


@pytest.mark.parametrize(
    "kind",
    [pytest.param("lost_before", id="f_79"), pytest.param("lost", id="f_80"), pytest.param("error_after", id="f_81")],
)
async def test_fault_f_79_f_80_f_81_only_the_same_bytes_are_sent_again(world: World, kind: str) -> None:
    """Whatever became of the first try, nothing else is ever signed for these payouts."""
    account = await funded(world)
    made = [await asked(world, account) for _ in range(3)]
    await fault(world, kind)
    with pytest.raises(ProviderError):
        await send(world)
    for payout_id in made:
        assert await steps(world, payout_id) == ["created", "prepared"]
        assert await status(world, payout_id) == "queued"
        assert (await world.post(f"/v1/payouts/{payout_id}/cancel")).status_code == 409
    before = await signed(world)
    await send(world)  # nothing is left to prepare
    assert await signed(world) == before
    await world.now_due()
    assert await sweeps.rebroadcast(world.db, world.worker.senders) == 1
    await sweeps.rebroadcast(world.db, world.worker.senders)
    for payout_id in made:
        assert await steps(world, payout_id) == ["created", "prepared", "submitted"]
    assert await signed(world) == before
    await settled(world, made)
    assert {(await shown(world, payout_id))["tx_hash"] for payout_id in made} == {before[0][0]}


async def signed(world: World) -> list[tuple[str, bytes]]:
    async with world.db.connection() as connection:
        return [(row["txid"], row["raw"]) for row in await connection.fetch("SELECT txid, raw FROM chain_transactions")]


async def test_mined_before_we_have_written_down_that_it_left(world: World) -> None:
    account = await funded(world)
    made = [await asked(world, account) for _ in range(2)]
    await fault(world, "lost")
    with pytest.raises(ProviderError):
        await send(world)
    await settled(world, made)  # nobody broadcast it again
    for payout_id in made:
        assert await steps(world, payout_id) == ["created", "prepared", "settled"]


async def test_fault_f_88_a_reorganisation_takes_the_confirmation_of_all_back(world: World) -> None:
    account = await funded(world)
    made = [await asked(world, account, 20_000_000) for _ in range(3)]
    await world.drain()
    [txid] = {(await shown(world, payout_id))["tx_hash"] for payout_id in made}
    await mined(world, 1)
    async with world.db.connection() as connection:
        stored = await wallet.transaction(connection, str(txid))
    assert stored is not None
    assert stored.height is not None
    await reorg(world, 1, drop=str(txid))
    await world.drain()
    assert {await status(world, payout_id) for payout_id in made} == {"submitted"}
    await world.now_due()
    await sweeps.rebroadcast(world.db, world.worker.senders)
    await mined(world, 6)
    await settled(world, made)
    assert {(await shown(world, payout_id))["tx_hash"] for payout_id in made} == {txid}
    assert len(await signed(world)) == 1


async def test_fault_f_90_a_short_wallet_pays_the_smaller_ones_first_and_says_so(world: World) -> None:
    account = await funded(world)
    await world.fund(1)  # 0.05, and the rest cannot be spent for a while
    await free(world, False)
    small = [await asked(world, account, 1_000_000) for _ in range(2)]
    large = [await asked(world, account, 40_000_000), await asked(world, account, 30_000_000)]
    assert not await send(world)
    assert {await status(world, payout_id) for payout_id in small} == {"submitted"}
    assert not await send(world)
    for payout_id in large:
        assert await steps(world, payout_id) == ["created"]
    assert "wallet_short" in await alerts(world)
    await free(world, True)
    await world.drain()
    await mined(world, 6)
    await settled(world, [*small, *large])


async def free(world: World, yes: bool) -> None:
    """Whether the partner's deposit can be spent."""
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE coins SET settled = $1 WHERE units = 100000000", yes)


async def test_fault_f_92_where_only_confirmed_coins_are_spent_a_send_waits_for_them(world: World) -> None:
    sender_of(world, unconfirmed_depth=0)
    account = await funded(world)
    first = await asked(world, account, 10_000)
    await world.drain()
    second = await asked(world, account, 10_000)
    await world.drain()
    assert await steps(world, second) == ["created"]  # the change of the first is not in a block yet
    assert "wallet_short" in await alerts(world)
    await mined(world, 1)
    await world.drain()
    assert await status(world, second) == "submitted"
    await settled(world, [first, second])


async def test_fault_f_94_an_altered_destination_does_not_get_the_coins(world: World) -> None:
    """Both payouts are approved by another key; then somebody who can write into the database changes one's script."""
    await funded(world)
    account, thief = await accounts(world, 2)
    app = build_app(replace(world.context, policy=replace(world.context.policy, approval_above={BTC.id: 9_999})))
    _, key = await keys.issue(world.db, world.partner.id, "test", [keys.CHECKER])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://rampwright.test", headers=world.partner.headers
    ) as http:
        strict = replace(world, client=http)
        honest, altered = await asked(strict, account), await asked(strict, account)
        for payout_id in (honest, altered):
            assert await status(world, payout_id) == "pending_approval"
            await world.drain()
            assert await steps(world, payout_id) == ["approval_required"]
            path = f"/v1/payouts/{payout_id}/approve"
            checker = {"Authorization": f"Bearer {key}", "Idempotency-Key": payout_id}
            response = await http.post(path, headers=checker)
            assert response.status_code == 200, response.text
    async with world.db.transaction() as tx:
        await tx.execute(
            "UPDATE payouts SET script = (SELECT script FROM external_accounts WHERE id = $2) WHERE id = $1",
            altered,
            thief,
        )
    await world.drain()
    held = await shown(world, altered)
    assert isinstance(held["hold"], dict)
    assert (held["status"], held["tx_hash"], held["hold"]["reason"]) == ("queued", None, "approval_void")
    assert "approval_void" in await alerts(world)
    assert await status(world, honest) == "submitted"
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sends") == 1
