"""The catalogue: identities, decimals, and the ladder of confirmations."""

from __future__ import annotations

import pytest

from app.domain.assets import (
    BITCOIN_DEPTH,
    BTC,
    CATALOGUE,
    ETH,
    EUR,
    LTC,
    DepthStep,
    asset_by_id,
    asset_of,
    confirmations_needed,
    native_asset,
    read_ladder,
)
from app.domain.errors import ValidationFailed
from app.domain.money import Asset, Money

# ISO 4217 for the fiat currencies; the chains' own smallest units, and the USDC contracts' `decimals`.
DECIMALS = {
    "EUR": 2, "USD": 2, "GBP": 2, "JPY": 0,
    "BTC.bitcoin": 8, "LTC.litecoin": 8, "ETH.ethereum": 18, "ETH.base": 18, "USDC.ethereum": 6, "USDC.base": 6,
}  # fmt: skip


def test_the_catalogue_is_what_it_is() -> None:
    assert {asset.id: asset.decimals for asset in CATALOGUE} == DECIMALS
    assert len({asset.id for asset in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("asset", CATALOGUE, ids=lambda asset: asset.id)
def test_every_asset_is_found_by_its_pair_and_by_its_id(asset: Asset) -> None:
    assert asset_of(asset.code, asset.network) is asset
    assert asset_by_id(asset.id) is asset


@pytest.mark.parametrize(
    ("code", "network"),
    [("BTC", None), ("BTC", "ethereum"), ("EUR", "bitcoin"), ("btc", "bitcoin"), ("USDC", None), ("DOGE", "dogecoin")],
)
def test_any_other_pair_is_refused_where_it_stands(code: str, network: str | None) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        asset_of(code, network, pointer="/source/asset")
    assert refusal.value.pointer == "/source/asset"


def test_an_unknown_id_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        asset_by_id("BTC")
    with pytest.raises(KeyError):
        native_asset("dogecoin")


def test_what_networks_run_on() -> None:
    assert (native_asset("bitcoin"), native_asset("litecoin"), native_asset("ethereum")) == (BTC, LTC, ETH)
    assert EUR.network is None


@pytest.mark.parametrize(
    ("satoshi", "blocks"),
    [
        (1, 1), (99_999, 1), (100_000, 2), (999_999, 2), (1_000_000, 3), (9_999_999, 3), (10_000_000, 6),
        (21_000_000 * 10**8, 6),
    ],
)  # fmt: skip
def test_larger_amounts_are_buried_deeper(satoshi: int, blocks: int) -> None:
    assert confirmations_needed(Money(satoshi, BTC)) == blocks


def test_the_ladder_rises_and_has_no_gap() -> None:
    below = [step.below_units for step in BITCOIN_DEPTH]
    assert below[-1] is None
    rising = [units for units in below if units is not None]
    assert rising == sorted(rising)
    assert [step.confirmations for step in BITCOIN_DEPTH] == sorted({step.confirmations for step in BITCOIN_DEPTH})


def test_a_ladder_is_read_as_the_operator_writes_it() -> None:
    assert read_ladder("100000:1,1000000:2,10000000:3,*:6") == BITCOIN_DEPTH
    assert read_ladder(" 5:1, *:100 ") == (DepthStep(5, 1), DepthStep(None, 100))
    assert confirmations_needed(Money(5, BTC), read_ladder("5:1,*:100")) == 100
    assert confirmations_needed(Money(4, BTC), read_ladder("5:1,*:100")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "", "6", "*", "*:", ":6", "*:0", "100:0,*:6", "*:-1", "*:1.5", "*:x", "100:1", "100:1,200:2", "200:1,100:2,*:3",
        "100:3,*:2", "100:1,100:2,*:3", "*:1,*:2", "*:1,100:2", "-5:1,*:2", "1e5:1,*:6", "*:1001", "100:1,,*:6",
        "*:\u0661", "*:" + "9" * 40,
    ],
)  # fmt: skip
def test_a_ladder_that_leaves_a_gap_or_counts_what_is_in_no_block_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"ladder|confirmations"):
        read_ladder(text)
