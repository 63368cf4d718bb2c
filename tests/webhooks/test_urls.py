"""Which URLs and addresses a webhook may go to: faults.md W-01..W-06, W-08 and the deny list of 5.3."""

from __future__ import annotations

import pytest

from app.domain.errors import WebhookUrlForbidden
from app.domain.urls import MAX_URL, hook_url, is_denied
from app.services.hosts import public_name


def read(text: str, *, allow_loopback: bool = False) -> str:
    return str(hook_url(text, public_name=public_name, allow_loopback=allow_loopback))


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("https://hooks.example.com", "https://hooks.example.com/"),
        ("https://hooks.example.com/", "https://hooks.example.com/"),
        ("https://hooks.example.com:443/a", "https://hooks.example.com/a"),
        ("https://hooks.example.com:8443/a?b=c%20d&e", "https://hooks.example.com:8443/a?b=c%20d&e"),
        ("https://HOOKS.Example.COM/A", "https://hooks.example.com/A"),
        ("https://example.co.uk?x=1", "https://example.co.uk/?x=1"),
    ],
)
def test_good_urls_have_one_spelling(text: str, stored: str) -> None:
    assert read(text) == stored
    assert read(stored) == stored


W_01 = [
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://hooks.example.com/",
    "javascript:alert(1)",
    "hooks.example.com/",
    "//hooks.example.com/",
    "https:/hooks.example.com/",
    "https:hooks.example.com",
    "",
    " https://hooks.example.com/",
    "https://hooks.example.com/ ",
]
W_02_V4 = [
    "127.0.0.1",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.3",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.1.2.3",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
]
W_02_V6 = [
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::5",
    "::ffff:8.8.8.8",
]
W_03 = ["2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "0", "127。0。0。1", "１２７.0.0.1"]  # noqa: RUF001
W_04 = [
    "localhost",
    "printer.local",
    "db.internal",
    "metadata.google.internal",
    "single",
    "hooks.example.com.",
    "com",
    "co.uk",
    "-bad.com",
    "a..b.com",
    "a_b.example.com",
]
W_05 = [
    "https://u:p@hooks.example.com/",
    "https://good.com@evil.com/",
    "https://hooks.example.com\\@evil.com/",
    "https://hooks.example.com/a\\b",
    "https://hooks.example.com/#fragment",
    "https://hooks.exam\tple.com/",
    "https://hooks.example.com/\r\nHost: evil",
    "https://hooks.example.com/\x00",
    "https://hooks.example.com/a b",
    "https://hooks.example.com%2eevil.com/",
    "https://[::1]/",
    "https://hooks.example.com:443:443/",
    "https://hooks.example.com/ü",
    "https://hooks.example.com:８443/",  # noqa: RUF001
]
W_06 = ["22", "25", "80", "6379", "0", "0443", "65536", "99999", "443a", ""]


@pytest.mark.parametrize(
    "text",
    [
        *W_01,
        *(f"https://{host}/" for host in (*W_02_V4, *W_03, *W_04)),
        *(f"https://[{host}]/" for host in W_02_V6),
        *W_05,
        *(f"https://hooks.example.com:{port}/" for port in W_06),
    ],
)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_w_01_to_06_forbidden_urls(text: str, allow_loopback: bool) -> None:
    with pytest.raises(WebhookUrlForbidden) as refusal:
        read(text, allow_loopback=allow_loopback)
    assert refusal.value.pointer == "/url"
    assert not text or text not in refusal.value.detail


def test_w_08_names_in_other_scripts_are_stored_as_their_a_label() -> None:
    assert read("https://bücher.de/") == "https://xn--bcher-kva.de/"
    assert read("https://xn--bcher-kva.de/") == "https://xn--bcher-kva.de/"
    assert read("https://раypal.com/") == "https://xn--ypal-43d9g.com/"  # noqa: RUF001 - a Cyrillic look-alike
    with pytest.raises(WebhookUrlForbidden):
        read("https://xn--a.com/")


def test_w_08_long_names_and_paths_are_refused() -> None:
    label = "a" * 63
    longest = ".".join([label, label, label, "a" * 57, "com"])
    assert len(longest) == 253
    assert read(f"https://{longest}/")
    for host in (f"a{longest}", ".".join(["a" * 64, "com"])):
        with pytest.raises(WebhookUrlForbidden):
            read(f"https://{host}/")
    head = "https://hooks.example.com/"
    assert read(head + "a" * (MAX_URL - len(head)))
    for length in (MAX_URL - len(head) + 1, 8192):
        with pytest.raises(WebhookUrlForbidden):
            read(head + "a" * length)


def test_loopback_is_admitted_for_development_only_and_exactly() -> None:
    for text in ("http://127.0.0.1:1/", "http://127.0.0.1:49152/hook?a=b", "http://127.0.0.1:65535/"):
        assert read(text, allow_loopback=True) == text
        with pytest.raises(WebhookUrlForbidden):
            read(text)
    for text in (
        "http://127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "https://127.0.0.1:8443/",
        "http://127.0.0.2:80/",
        "http://localhost:80/",
        "http://u@127.0.0.1:80/",
        "http://127.0.0.1:80/#f",
        "http://[::1]:80/",
    ):
        with pytest.raises(WebhookUrlForbidden):
            read(text, allow_loopback=True)


@pytest.mark.parametrize("address", [*W_02_V4, *W_02_V6, "", "no address", "127.1", "1.1.1.1:80"])
def test_denied_addresses(address: str) -> None:
    assert is_denied(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert not is_denied(address)
