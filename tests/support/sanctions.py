"""Sanctions lists for tests: the one of test mode, with what a test adds to it, or takes from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from app.db.screening_cases import ScreeningCase, open_cases
from app.dev.caretaker import SANCTIONS
from app.domain.screening import Freshness
from app.services import screening_lists
from app.wiring.screening_list import list_format
from providers.bitcoin.encoding import encode_segwit
from providers.sandbox.bitcoin.faucet import SCRIPT
from tests.support.world import World

LISTED = "bcrt1q2vjtln4rjel63r4pj6z7g5fnrttcv2pds0wz2f"  # in SANCTIONS
ISSUED = "<Year>2026</Year>\n    <Month>1</Month>\n    <Day>2</Day>"
_END = "  </DistinctParties>"


def list_with(folder: Path, addresses: Sequence[str] = (), *, issued: date | None = None) -> Path:
    """The list of test mode with more addresses of bitcoin on it; a file in `folder`."""
    text = SANCTIONS.read_text()
    more = "".join(
        f"""
        <DistinctParty FixedRef="91000{place}"><Profile ID="91000{place}"><Feature ID="1" FeatureTypeID="344">
        <FeatureVersion ID="1"><VersionDetail DetailTypeID="1432">{address}</VersionDetail></FeatureVersion>
        </Feature></Profile></DistinctParty>
        """
        for place, address in enumerate(addresses)
    )
    assert _END in text
    text = text.replace(_END, more + _END)
    if issued is not None:
        assert ISSUED in text
        dated = f"<Year>{issued.year}</Year><Month>{issued.month}</Month><Day>{issued.day}</Day>"
        text = text.replace(ISSUED, dated)
    path = folder / "list.xml"
    path.write_text(text)
    return path


async def bring_in(world: World, folder: Path, *addresses: str, issued: date | None = None) -> None:
    """Make the list of test mode, with these addresses on it, the list."""
    await screening_lists.bring_in(world.db, list_format(), list_with(folder, addresses, issued=issued), actor="ada")


async def let_age(world: World) -> None:
    """From now on the list of test mode is too old to be believed."""
    await require(world, issued_within=timedelta(days=1))


async def require(world: World, *, issued_within: timedelta = timedelta(days=36_500)) -> None:
    """Require the list, issued within so long a time."""
    await screening_lists.require(world.db, {list_format().source: Freshness(timedelta(days=1), issued_within)})


async def cases(world: World) -> list[ScreeningCase]:
    """The open cases."""
    async with world.db.connection() as connection:
        return await open_cases(connection)


def faucet_address() -> str:
    """Where every coin of the far side's faucet comes from."""
    return encode_segwit("bcrt", 0, SCRIPT[2:])
