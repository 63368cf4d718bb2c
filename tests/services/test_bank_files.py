"""Payouts in files: handed over once through any crash, and whatever the bank's files say is said once of each."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest

from app.domain.external_account import AccountTrigger
from app.ports.errors import ProviderUnavailable
from app.services import bank_files, external_accounts
from providers.sepa.format import SepaFiles
from providers.sepa.writing import SepaAccount
from tests.support.paying import alerts, entries, shown, standing, status, steps
from tests.support.world import World
from webhooks.inbound.process import process_notification

CLOSED = "DE25000000000000000004"  # what the sandbox's bank refuses
RETURNING = "DE54000000000000000064"  # what comes back once it was booked
GOOD = "DE89370400440532013000"


async def several(world: World, count: int, iban: str = GOOD) -> list[str]:
    """Payouts of ten euros."""
    await world.top_up(count * 10_00, "EUR")
    account = await world.account(type="bank", scheme="sepa", iban=iban, holder_name="Ada Lovelace")
    return [await one(world, account) for _ in range(count)]


async def one(world: World, account: str, **changes: object) -> str:
    body = {"amount": {"asset": "EUR", "amount": "10.00"}, "external_account_id": account, **changes}
    response = await world.post("/v1/payouts", body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def sent(world: World) -> list[bytes]:
    """Every file that was handed over to the bank, which takes what it finds at any moment."""
    folders = ("outbox", "taken", "archive")
    return [path.read_bytes() for folder in folders for path in (world.sepa_folder / folder).glob("*.xml")]


def leave(world: World, name: str, data: bytes) -> None:
    """Let the bank leave a file for us."""
    (world.sepa_folder / "inbox" / name).write_bytes(data)


async def send(world: World) -> bool:
    return await bank_files.send_waiting(world.db, world.rails, world.worker.sealer)


async def read(world: World) -> None:
    """Fetch what the bank has left, and read it."""
    await bank_files.fetch_reports(world.db, world.rails)
    await world.drain()


async def message_id(world: World) -> str:
    """How the bank knows the newest of our files."""
    async with world.db.connection() as connection:
        data = bytes(await connection.fetchval("SELECT data FROM payment_files ORDER BY id DESC LIMIT 1"))
    found = re.search(rb"<MsgId>([^<]+)</MsgId>", data)
    assert found is not None
    return found[1].decode()


def refusal(message: str, reason: str, number: str = "BANK1") -> bytes:
    """A status report that refuses a whole file."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>{number}</MsgId><CreDtTm>2026-11-01T12:00:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>
</CstmrPmtStsRpt></Document>""".encode()


async def test_a_crash_between_writing_a_file_and_handing_it_over(world: World) -> None:
    made = await several(world, 3)
    outbox = world.sepa_folder / "outbox"
    outbox.rename(outbox.with_name("away"))
    with pytest.raises(ProviderUnavailable):
        await send(world)
    for payout_id in made:
        assert await steps(world, payout_id) == ["created", "prepared"]
        assert (await world.post(f"/v1/payouts/{payout_id}/cancel")).status_code == 409
    outbox.with_name("away").rename(outbox)
    await send(world)
    await world.sepa()
    before = sent(world)
    assert len(before) == 1
    # Killed before it was recorded: it is handed over again, and is not left for the bank a second time.
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE payment_files SET handed_over_at = NULL")
    await send(world)
    await world.sepa()
    assert sent(world) == before
    assert {await status(world, payout_id) for payout_id in made} == {"settled"}
    for payout_id in made:
        assert await steps(world, payout_id) == ["created", "prepared", "submitted", "settled"]
        assert await entries(world, payout_id) == ["payout_reserve", "payout_settle"]
    await world.audit()


async def test_fault_f_82_two_workers_put_each_payout_into_one_file(world: World) -> None:
    made = await several(world, 8)
    await asyncio.gather(*(send(world) for _ in range(4)))
    await send(world)
    await world.sepa()
    named = [name for data in sent(world) for name in re.findall(rb"<EndToEndId>([^<]+)<", data)]
    assert len(named) == len(set(named)) == len(made)
    assert {await status(world, payout_id) for payout_id in made} == {"settled"}
    assert await world.available("EUR") == "0.00"
    await world.audit()


async def test_a_file_that_the_bank_gets_twice_is_paid_once(world: World) -> None:
    made = await several(world, 2)
    await send(world)
    await world.sepa()
    [data] = sent(world)
    (world.sepa_folder / "outbox" / "again.xml").write_bytes(data)  # an operator copies it by hand, say
    await world.sepa()
    # The bank refuses the second as a duplicate, which says nothing about the first.
    assert {await status(world, payout_id) for payout_id in made} == {"settled"}
    assert "unknown_provider_status" in await alerts(world)
    assert await world.available("EUR") == "0.00"
    await world.audit()


async def test_what_is_refused_as_a_whole_fails_for_each(world: World) -> None:
    made = await several(world, 2)
    ours = world.rails.bank_files["sepa"]
    wrong = replace(ours, form=SepaFiles(SepaAccount("Rampwright Test", GOOD)))  # not the account that is ours there
    rails = replace(world.rails, bank_files={"sepa": wrong})
    await bank_files.send_waiting(world.db, rails, world.worker.sealer)
    await world.sepa()
    for payout_id in made:
        failed = await shown(world, payout_id)
        assert failed["status"] == "failed"
        assert isinstance(failed["failure"], dict)
        assert failed["failure"]["code"] == "rejected_ac02"
        assert await entries(world, payout_id) == ["payout_reserve", "payout_free"]
    leave(world, "again.xml", refusal(await message_id(world), "AC02"))
    await read(world)
    assert await world.available("EUR") == "20.00"
    await world.audit()


async def test_a_file_refused_as_a_duplicate_fails_for_none(world: World) -> None:
    made = await several(world, 2)
    await send(world)
    leave(world, "duplicate.xml", refusal(await message_id(world), "AM05"))
    await read(world)
    assert {await status(world, payout_id) for payout_id in made} == {"submitted"}
    assert "unknown_provider_status" in await alerts(world)


async def test_one_item_refused_one_that_comes_back_and_one_paid(world: World) -> None:
    await world.top_up(100_00, "EUR")
    ids = []
    for iban in (CLOSED, RETURNING, GOOD):
        account = await world.account(type="bank", scheme="sepa", iban=iban, holder_name="Ada Lovelace")
        ids.append(await one(world, account))
    refused, returned, paid = ids
    await world.drain()
    await world.sepa()
    assert [await status(world, payout_id) for payout_id in ids] == ["failed", "returned", "settled"]
    failure, back = (await shown(world, refused))["failure"], (await shown(world, returned))["returned"]
    assert isinstance(failure, dict)
    assert isinstance(back, dict)
    assert (failure["code"], back["code"], back["scheme_code"]) == ("rejected_ac04", "returned_ac04", "AC04")
    assert await steps(world, returned) == ["created", "prepared", "submitted", "settled", "returned"]
    assert await entries(world, returned) == ["payout_reserve", "payout_settle", "payout_return"]
    assert await world.available("EUR") == "90.00"
    # Days later the third comes back as well; then everything is told once more.
    async with world.db.connection() as connection:
        wire = bytes(await connection.fetchval("SELECT data FROM payment_files ORDER BY id DESC LIMIT 1"))
    name = next(n.decode() for n in re.findall(rb"<EndToEndId>([^<]+)<", wire) if paid[3:].encode() in n)
    await world.far.sepa_return(world.sepa_folder, name, "AC06")
    await world.sepa()
    assert await status(world, paid) == "returned"
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE notifications SET state = 'received'")
        stored = [row["id"] for row in await tx.fetch("SELECT id FROM notifications WHERE provider = 'sepa'")]
    for stored_id in stored:
        await process_notification(world.db, world.rails, stored_id)
    assert [await status(world, payout_id) for payout_id in ids] == ["failed", "returned", "returned"]
    assert await world.available("EUR") == "100.00"
    for payout_id in ids:
        assert await standing(world, payout_id, "EUR") == 0
    await world.audit()


async def test_a_file_that_cannot_be_read_is_parked_and_stops_nobody(world: World) -> None:
    [made] = await several(world, 1)
    await world.drain()
    leave(world, "a-broken.xml", b"<Document>" * 3)
    leave(world, "b-foreign.xml", refusal("NOT-OURS", "AC02"))
    await world.sepa()
    assert await status(world, made) == "settled"
    async with world.db.connection() as connection:
        states = {
            row["notification_id"]: row["state"]
            for row in await connection.fetch(
                "SELECT notification_id, state FROM notifications WHERE provider = 'sepa'"
            )
        }
    assert states["a-broken.xml"] == "parked"
    assert "notification_parked" in await alerts(world)
    assert set(states.values()) <= {"parked", "processed"}
    await world.audit()


async def test_what_cannot_be_said_is_held_while_the_others_go(world: World) -> None:
    made = await several(world, 3)
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE payouts SET reference = 'Größe' WHERE id = $1", made[1])
    await world.pay_out()
    await world.pay_out()
    held = await shown(world, made[1])
    assert isinstance(held["hold"], dict)
    assert (held["status"], held["hold"]["reason"]) == ("queued", "cannot_be_said")
    assert "payout_refused" in await alerts(world)
    assert [await status(world, payout_id) for payout_id in (made[0], made[2])] == ["submitted", "submitted"]
    assert (await world.post(f"/v1/payouts/{made[1]}/cancel")).status_code == 200
    await world.sepa()
    assert await world.available("EUR") == "10.00"
    await world.audit()


async def test_an_account_locked_since_is_left_out_of_the_file(world: World) -> None:
    made = await several(world, 2)
    other = await one_more(world)
    async with world.db.transaction() as tx:
        account_id = str((await shown(world, other))["external_account_id"])
        await external_accounts.decide(tx, account_id, AccountTrigger.LOCKED, actor="ada", reason="a hint")
    await world.pay_out()
    held = await shown(world, other)
    assert isinstance(held["hold"], dict)
    assert held["hold"]["reason"] == "external_account_unverified"
    assert [await status(world, payout_id) for payout_id in made] == ["submitted", "submitted"]
    await world.audit()


async def one_more(world: World) -> str:
    await world.top_up(10_00, "EUR")
    account = await world.account(type="bank", scheme="sepa", iban=GOOD, holder_name="Grace Hopper")
    return await one(world, account)
