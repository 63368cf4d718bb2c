"""Coins for tests: selling them, sending them to deposit addresses, and what goes wrong with them on the way."""

from __future__ import annotations

import httpx

from app.db import spending
from app.services import treasury
from providers.sandbox.bitcoin.mempool import decode
from providers.sandbox.bitcoin.serialise import TxOut, build_transaction
from tests.support.world import World

Document = dict[str, object]
_OP_TRUE = b"\x51"  # what unlocks the faucet's coins


async def sell_order(world: World, amount: str = "0.01000000", **changes: object) -> Document:
    """A sell order on a fresh quote, paid out to a bank account in the United States."""
    quote = await sell_quote(world, amount)
    account = changes.pop("external_account_id", None) or await world.account()
    response = await world.post("/v1/orders", {"quote_id": quote["id"], "external_account_id": account, **changes})
    assert response.status_code == 201, response.text
    order: Document = response.json()
    return order


async def sell_quote(world: World, amount: str = "0.01000000", *, fiat: str = "USD") -> Document:
    """A quote to sell so many bitcoin."""
    return await world.quote(
        direction="sell",
        source={"asset": "BTC", "network": "bitcoin", "amount": amount},
        destination={"asset": fiat},
        payment_method=None,
    )


async def standing_address(world: World, **body: object) -> Document:
    """An address for the partner's balance, or what the body says."""
    response = await world.post(
        "/v1/deposit_addresses", {"asset": "BTC", "network": "bitcoin", "route": "balance", **body}
    )
    assert response.status_code == 201, response.text
    address: Document = response.json()
    return address


async def deposit(world: World, to: Document, amount: str = "0.01000000", *, confirmations: int = 0) -> str:
    """Send coins to an order or a standing address, and let the instance see it; the transaction's id."""
    name = "order_id" if to["object"] == "order" else "deposit_address_id"
    body = {name: to["id"], "amount": amount, "confirmations": confirmations}
    response = await world.post("/v1/simulate/chain/deposit", body)
    assert response.status_code == 200, response.text
    await world.follow()
    return str(response.json()["tx_hash"])


async def mined(world: World, blocks: int) -> None:
    """Mine blocks and let the instance see them, but do none of the jobs that follow."""
    await world.far.mine("bitcoin", blocks)
    await world.follow()


async def reorg(world: World, depth: int, *, drop: str | None = None, calm: bool = True) -> None:
    """Replace the newest blocks by empty ones, forget a transaction for good if one is named, and let it be seen.

    A person then lets deposits count again, unless it is not `calm`.
    """
    await world.far.command("POST", "/control/bitcoin/reorg", {"depth": depth})
    if drop is not None:
        await world.far.command("POST", "/control/bitcoin/drop", {"txid": drop})
    await world.follow()
    if calm:
        await start_crediting(world)
        await world.follow()


async def start_crediting(world: World) -> None:
    """What a person does once the chain is calm again after a reorganisation that took credited coins."""
    async with world.db.transaction() as tx:
        if not await spending.may_credit(tx, "bitcoin"):
            await treasury.turn(tx, "bitcoin", crediting=True, actor="ada", reason="the chain is calm")


async def rpc(world: World, method: str, *params: object) -> object:
    """Ask the node itself."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        response = await http.post(
            f"{world.far_url}/bitcoin", json={"id": 1, "method": method, "params": params}, auth=("sandbox", "sandbox")
        )
    answer = response.json()
    assert answer["error"] is None, answer
    found: object = answer["result"]
    return found


async def replace(world: World, txid: str, *, script: bytes | None = None) -> str:
    """Replace a waiting payment of the faucet by one with a higher fee; the new id.

    It pays the same as before, or to `script` what was paid to others than the faucet.
    """
    old = decode(bytes.fromhex(str(await rpc(world, "getrawtransaction", txid))))
    change = old.outputs[-1]
    paid = [output if script is None else TxOut(output.value, script) for output in old.outputs[:-1]]
    outputs = [*paid, TxOut(change.value - 5_000, change.script)]
    new = build_transaction(list(old.inputs), outputs, [_OP_TRUE])
    return str(await rpc(world, "sendrawtransaction", new.raw.hex()))


async def deposits_of(world: World, **wanted: object) -> list[Document]:
    """The partner's deposits, oldest first."""
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    data = (await world.get(f"/v1/deposits?{query}"))["data"]
    assert isinstance(data, list)
    return data[::-1]


async def order_of(world: World, order: Document) -> Document:
    """An order as it stands."""
    return await world.get(f"/v1/orders/{order['id']}")


async def balances(world: World) -> dict[tuple[str, str], int]:
    """Every account that is not at zero, debit positive; the operator's own are left out."""
    async with world.db.connection() as connection:
        records = await connection.fetch(
            """
            SELECT account, asset, sum(units) AS units FROM postings
            WHERE account NOT LIKE 'equity:%' AND account NOT LIKE 'bank:%'
            GROUP BY account, asset HAVING sum(units) <> 0
            """
        )
    return {(record["account"], record["asset"]): int(record["units"]) for record in records}


async def events(world: World, resource_id: object) -> list[str]:
    """The types of the events of one resource, in order."""
    async with world.db.connection() as connection:
        records = await connection.fetch(
            "SELECT type FROM events WHERE resource_id = $1 ORDER BY position", resource_id
        )
    return [record["type"] for record in records]


async def triggers(world: World, order: Document) -> list[str]:
    """The facts that moved an order, in order."""
    data = (await world.get(f"/v1/orders/{order['id']}/timeline"))["data"]
    assert isinstance(data, list)
    return [step["trigger"] for step in data]


def available(world: World) -> tuple[str, str]:
    """The partner's account of bitcoin, as `balances` calls it."""
    return (f"partner:{world.partner.id}:available", "BTC.bitcoin")


async def alerts(world: World) -> list[str]:
    """The kinds of the open alerts."""
    async with world.db.connection() as connection:
        records = await connection.fetch("SELECT kind FROM alerts WHERE resolved_at IS NULL ORDER BY id")
    return [record["kind"] for record in records]


async def may_spend(world: World) -> list[bool]:
    """Of every coin at a deposit address, whether the wallet may spend it."""
    async with world.db.connection() as connection:
        records = await connection.fetch(
            "SELECT settled FROM coins JOIN deposit_addresses USING (network, script) ORDER BY txid, vout"
        )
    return [record["settled"] for record in records]
