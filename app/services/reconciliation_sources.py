"""The far side's records as lines that reconciliation can hold against the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.db.reconciled import Watched
from app.domain.assets import dust_units, native_asset
from app.domain.reconciliation import OPENING, Line
from app.ports.chain import ChainTransaction
from app.ports.records import BankBooks, ChainCoins, PayinBooks, PayinLine

BROUGHT_FORWARD = "brought forward"


@dataclass(frozen=True, slots=True)
class Theirs:
    """A source's own side: its lines, what it says stands there by asset, and at which block it was asked."""

    lines: tuple[Line, ...]
    balances: Mapping[str, int]
    at_block: str | None = None


def of_payin(books: PayinBooks) -> Theirs:
    """A processor's balance transactions. Its fee on one is a line of its own, as it is an entry of its own here."""
    order_of = {payment.reference: payment.order_id for payment in books.payments}
    lines = tuple(line for one in books.lines for line in _payin(one, order_of))
    balances: Counter[str] = Counter()
    for line in lines:
        balances[line.asset] += line.units
    return Theirs(lines, balances)


def _payin(one: PayinLine, order_of: Mapping[str, str | None]) -> Iterator[Line]:
    thing, asset = one.payment_reference or one.reference, one.amount.asset.id
    group = order_of.get(one.payment_reference or "")
    if one.amount.units:
        yield Line(one.reference, thing, asset, one.amount.units, one.at, group=group)
    if one.fee:
        yield Line(f"{one.reference}:fee", thing, asset, -one.fee, one.at)


def of_bank(books: BankBooks) -> Theirs:
    """A bank's lines, and what stood there before the first of them."""
    payout_of = {transfer.reference: transfer.payout_id for transfer in books.transfers}
    lines = [
        Line(
            line.reference,
            payout_of.get(line.about or "") or line.about or line.reference,
            line.amount.asset.id,
            line.amount.units,
            line.at,
        )
        for line in books.lines
    ]
    asset = books.balance.asset.id
    before = books.balance.units - sum(line.units for line in lines if line.asset == asset)
    if before:
        lines.append(Line(BROUGHT_FORWARD, OPENING, asset, before, None))
    balances: Counter[str] = Counter()
    for line in lines:
        balances[line.asset] += line.units
    return Theirs(tuple(_once(lines)), balances)


def _once(lines: Sequence[Line]) -> Iterator[Line]:
    """A bank may use one reference for several lines, such as out and back: each gets a name of its own."""
    seen: Counter[str] = Counter()
    for line in lines:
        seen[line.reference] += 1
        times = seen[line.reference]
        yield line if times == 1 else Line(f"{line.reference}#{times}", line.thing, line.asset, line.units, line.at)


def of_chain(network: str, held: ChainCoins, history: Sequence[ChainTransaction], watched: Watched) -> Theirs:
    """What a chain says of the wallet at one block: a line for each of our transactions, and each that pays us."""
    asset = native_asset(network).id
    coins: dict[tuple[str, int], int] = {}
    lines = [line for one in history for line in _moved(one, network, asset, coins, watched)]
    return Theirs(tuple(lines), {asset: held.units}, f"{held.at.height} {held.at.hash}")


def _moved(
    one: ChainTransaction, network: str, asset: str, coins: dict[tuple[str, int], int], watched: Watched
) -> Iterator[Line]:
    spent = [coins.pop(outpoint) for outpoint in one.spends if outpoint in coins]
    ours = [output for output in one.outputs if output.script in watched.scripts]
    coins.update({(one.txid, output.vout): output.amount for output in ours})
    if spent:
        yield Line(one.txid, one.txid, asset, sum(output.amount for output in ours) - sum(spent), None)
        return
    arrived = 0
    for output in ours:
        if output.script not in watched.deposit_scripts:
            arrived += output.amount
            continue
        thing = f"{one.txid}:{output.vout}"
        is_dust = output.amount < dust_units(network) and thing not in watched.deposits
        excuse = "too small to be a deposit" if is_dust else None
        yield Line(thing, thing, asset, output.amount, None, excuse=excuse)
    if arrived:
        yield Line(one.txid, one.txid, asset, arrived, None)
