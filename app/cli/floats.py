"""`rampwright floats`: the operator's own money at a bank, from which sales are paid, put in and taken out."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli.instance import settings
from app.cli.output import fail, out, told
from app.domain.assets import asset_of
from app.domain.money import Money, parse_units
from app.services import bank_floats
from app.services.rails import Rails
from app.wiring import assembly
from app.wiring.needed import NotConfigured

Provider = Annotated[str, typer.Argument(help="The bank: increase, sepa.")]
Amount = Annotated[str, typer.Argument(help="How much, as `500.00`.")]
AssetCode = Annotated[str, typer.Argument(help="Of what: USD, EUR.")]
Reference = Annotated[
    str, typer.Option(help="What names this transfer, such as the bank's own id; told twice, it is booked once.")
]


def register(app: typer.Typer) -> None:
    """Add `rampwright floats`."""
    group = typer.Typer(help="The operator's own money at its banks.", no_args_is_help=True)
    group.command("put-in")(put_in)
    group.command("take-out")(take_out)
    app.add_typer(group, name="floats")


def put_in(provider: Provider, amount: Amount, asset: AssetCode, reference: Reference) -> None:
    """Book money that you have sent to the bank account. Nothing is sent by this."""
    _change(provider, amount, asset, reference, sign=1)


def take_out(provider: Provider, amount: Amount, asset: AssetCode, reference: Reference) -> None:
    """Book money that you have taken from the bank account. Nothing is sent by this."""
    _change(provider, amount, asset, reference, sign=-1)


def _change(provider: str, amount: str, asset: str, reference: str, *, sign: int) -> None:
    with told(NotConfigured):
        if not reference.strip() or len(reference) > 200 or not reference.isprintable():
            fail("A reference has 1 to 200 printable characters.")
        kind = asset_of(asset, None, pointer="/asset")
        money = Money(parse_units(amount, kind.decimals, pointer="/amount"), kind)
        if money.units <= 0:
            fail("Nothing is not booked.")
        booked = asyncio.run(_book(provider, money if sign > 0 else -money, reference.strip()))
    out.print(f"{money} at {provider}: {'booked' if booked else 'was booked before'}")


async def _book(provider: str, money: Money, reference: str) -> bool:
    async with assembly.parts(settings()) as shared:
        if (provider, money.asset.code) not in _accounts(shared.rails):
            fail(f"No account in {money.asset.code} at {provider} is configured.")
        return await bank_floats.put_in(shared.db, provider, money, reference)


def _accounts(rails: Rails) -> set[tuple[str, str]]:
    """The bank accounts of ours: provider and currency."""
    shared = {(provider, code) for code, (provider, _) in rails.shared_accounts.items()}
    return shared | {(bank.provider, code) for code, bank in rails.credits.items()}
