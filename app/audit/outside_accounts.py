"""Our books against account chains: what our calls did, who else used our keys, and what our addresses hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from app.audit.books import OurBooks, whole
from app.audit.report import Row
from app.domain.assets import CATALOGUE, asset_by_id, native_asset
from app.domain.money import Asset
from app.ports.account_chain import CallReceipt
from app.ports.chain import BlockId
from app.ports.records import AccountRecords


async def check_sends(network: str, records: AccountRecords, books: OurBooks) -> list[Row]:
    """X-2: every call is on the chain as the books have it, and no nonce of ours was used by anybody else."""
    found: list[Row] = []
    sends: Mapping[str, list[Row]] = defaultdict(list)
    for send in books.of("sends", network=network):
        sends[str(send["lineage_id"])].append(send)
    tip = books.tip(network)
    calls = books.of("calls", network=network)
    for call in calls:
        mined = await records.receipt(str(call["txid"]))
        if mined is not None and (tip is None or mined[0].height > tip.height):
            mined = None  # our follower has still to come to it
        found += _compare(call, mined, sends[str(call["id"])])
    used = {(call["sender"], call["nonce"]) for call in calls}
    for sender in books.of("senders", network=network):
        script = str(sender["script"])
        first = min((whole(nonce) for address, nonce in used if address == script), default=None)
        above = (await records.nonces(script)).mined
        found += [
            {"call": call["id"], "txid": call["txid"], "problem": "given up, and nobody has used its nonce"}
            for call in calls
            if call["sender"] == script and call["state"] == "lost" and whole(call["nonce"]) >= above
        ]
        missing = [n for n in range(above if first is None else first, above) if (script, n) not in used]
        found += [{"network": network, "sender": script, "nonce": n, "problem": "used, not by us"} for n in missing]
    return found


def _compare(call: Row, mined: tuple[BlockId, CallReceipt] | None, sends: Sequence[Row]) -> list[Row]:
    named = {"call": call["id"], "txid": call["txid"]}
    if mined is None:
        gone = call["height"] is not None
        return [{**named, "problem": "mined by the books, not by the chain"}] if gone else []
    block, receipt = mined
    told = (call["height"], call["ok"], call["fee_units"], call["sender"], call["nonce"])
    is_so = (block.height, receipt.ok, receipt.fee, receipt.sender, receipt.nonce)
    if told != is_so:
        return [{**named, "books": told, "chain": is_so, "problem": "not as the books have it"}]
    if call["purpose"] != "send" or not receipt.ok or call["is_filler"]:
        return []
    native = native_asset(str(call["network"])).id
    shown = Counter((o.asset.id if o.asset else native, o.script, o.amount) for o in receipt.outputs)
    wanted = Counter((str(call["asset"]), str(send["script"]), whole(send["units"])) for send in sends)
    return [{**named, "problem": "pays others than its sends"}] if shown != wanted else []


async def check_holdings(network: str, records: AccountRecords, books: OurBooks) -> list[Row]:
    """X-3: what our addresses hold at the newest block that we know, in each asset, is what the books say.

    Raises ChainMovedError when that block is gone.
    """
    tip = books.tip(network)
    if tip is None:
        return []
    scripts = [str(row["script"]) for row in books.of("call_holders", network=network)]
    assets = [asset for asset in CATALOGUE if asset.network == network]
    holders = [(script, asset) for asset in assets for script in scripts]
    held: Counter[Asset] = Counter()
    for (_, asset), units in zip(holders, await records.balances(holders, tip), strict=True):
        held[asset] += units
    leaving = _leaving(network, books)
    found: list[Row] = []
    for asset in assets:
        booked = _sum("call_wallets", network, asset, books)
        uncounted = _sum("arrivals", network, asset, books) - _sum("counted", network, asset, books)
        if booked - leaving[asset] + uncounted != held[asset]:
            row = {"network": network, "block": tip.hash, "asset": asset.id, "booked": booked, "chain": held[asset]}
            found.append({**row, "leaving": leaving[asset], "uncounted": uncounted})
    return found


def _sum(kind: str, network: str, asset: Asset, books: OurBooks) -> int:
    return sum(whole(row["units"]) for row in books.of(kind, network=network, asset=asset.id))


def _leaving(network: str, books: OurBooks) -> Counter[Asset]:
    """What has left by calls that are mined and not yet final, and so not booked."""
    leaving: Counter[Asset] = Counter()
    for call in books.of("calls", network=network, state="open"):
        if call["height"] is None:
            continue
        leaving[native_asset(network)] += whole(call["fee_units"])
        if call["purpose"] == "send" and call["ok"] and not call["is_filler"]:
            leaving[asset_by_id(str(call["asset"]))] += whole(call["units"])
    return leaving
