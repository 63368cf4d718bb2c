"""The SDN file: what is taken from it, what is refused, and how little of it is in memory at a time."""

from __future__ import annotations

import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from app.dev.caretaker import SANCTIONS
from app.ports.screening import ListedAddress, ListUnreadable
from providers.ofac.sdn import SdnAdvanced

OLD_NAMESPACE = "http://www.un.org/sanctions/1.0"
NEW_NAMESPACE = "https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/ADVANCED_XML"
FEATURE = "<FeatureVersion ID='1'><VersionDetail DetailTypeID='1432'>{}</VersionDetail></FeatureVersion>"


def written(folder: Path, text: str) -> Path:
    path = folder / "sdn_advanced.xml"
    path.write_text(text)
    return path


def test_the_list_has_its_date_its_labels_and_the_primary_names() -> None:
    read = SdnAdvanced().read(SANCTIONS)
    assert read.issued_on == date(2026, 1, 2)
    one, two = "TEST PARTY One", "TEST PARTY TWO"
    assert read.addresses == (
        ListedAddress("bcrt1q2vjtln4rjel63r4pj6z7g5fnrttcv2pds0wz2f", "XBT", "900001", one),
        ListedAddress("mwBjpwsgxGkYzDPLKmMu4mtx6cZbTA3GZE", "XBT", "900001", one),
        ListedAddress("0x9162c5265012ff986C5534D62114e1F9adD79561", "ETH", "900001", one),
        ListedAddress("rltc1qa3ycj3tmlp0yqsgw0l6wyh9gt25ft9vd8t07kp", "LTC", "900002", two),
        ListedAddress("0x348D1C34FF4AE081B8F863D7DE60E3E4B23E27FE", "USDC", "900002", two),
    )


def test_the_older_namespace_reads_the_same(tmp_path: Path) -> None:
    text = SANCTIONS.read_text()
    assert NEW_NAMESPACE in text
    other = written(tmp_path, text.replace(NEW_NAMESPACE, OLD_NAMESPACE))
    assert SdnAdvanced().read(other) == SdnAdvanced().read(SANCTIONS)


def test_a_currency_that_nobody_here_has_heard_of_is_taken_too(tmp_path: Path) -> None:
    text = SANCTIONS.read_text().replace("Address - USDC", "Address - NEWCOIN")
    labels = {one.label for one in SdnAdvanced().read(written(tmp_path, text))}
    assert labels == {"XBT", "ETH", "LTC", "NEWCOIN"}


BOMB = '<!DOCTYPE Sanctions [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
WITH_BOMB = SANCTIONS.read_text().replace("<Sanctions ", BOMB + "<Sanctions ").replace("TEST PARTY TWO", "&b;")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not whole XML"),
        ("not XML at all", "not whole XML"),
        (SANCTIONS.read_text()[:-200], "not whole XML"),  # the download was cut short
        (WITH_BOMB, "not whole XML"),
        ("<sdnList><sdnEntry/></sdnList>", "holds sdnList"),
        (SANCTIONS.read_text().replace("DateOfIssue", "DateOfNothing"), "does not say when"),
        (SANCTIONS.read_text().replace("<Month>1<", "<Month>13<"), "cannot be read"),
        (SANCTIONS.read_text().replace("Digital Currency", "Postal"), "names no digital currency address"),
        (SANCTIONS.read_text().replace("mwBjpwsgxGkYzDPLKmMu4mtx6cZbTA3GZE", " "), "without text"),
    ],
)
def test_what_is_not_a_whole_list_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ListUnreadable, match=problem):
        SdnAdvanced().read(written(tmp_path, text))


def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    party = "".join(f"<Feature ID='{n}' FeatureTypeID='8'>{FEATURE.format('x' * 100)}</Feature>" for n in range(30))
    many = f"<DistinctParty FixedRef='1'><Profile ID='1'>{party}</Profile></DistinctParty>" * 800
    text = SANCTIONS.read_text().replace("<DistinctParties>", f"<DistinctParties>{many}")
    path = written(tmp_path, text)
    assert path.stat().st_size > 4_000_000
    tracemalloc.start()
    try:
        read = SdnAdvanced().read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(read.addresses) == 5
    assert peak < 1_000_000
