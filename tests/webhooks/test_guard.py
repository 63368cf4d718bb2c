"""The guard: faults.md 5.3 step by step, with a canary that must see no connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.webhooks.names import PUBLIC, PUBLIC_V6, Internet, Names, tls_for
from tests.webhooks.receivers import answering, receiver
from webhooks.outbound.guard import SystemResolver
from webhooks.outbound.post import Poster

HOST = "hooks.example.com"
URL = f"https://{HOST}/hook?a=b"


async def test_the_name_is_kept_for_host_and_certificate_while_the_checked_address_is_dialled(tmp_path: Path) -> None:
    server_tls, client_tls = tls_for(HOST, tmp_path)
    seen: list[str | None] = []
    server_tls.sni_callback = lambda _socket, name, _context: seen.append(name)
    async with receiver(answering(204, body=b""), tls=server_tls) as there:
        internet = Internet(there.port)
        poster = Poster(Names([PUBLIC]), tls=client_tls, network=internet)
        reply = await poster.post(URL, {"webhook-id": "ev_1"}, b"{}")
    assert (reply.status, reply.error) == (204, None)
    assert internet.dialled == [(PUBLIC, 443)]
    assert seen == [HOST]
    [request] = there.requests
    assert request.line == "POST /hook?a=b HTTP/1.1"
    assert request.headers["host"] == HOST
    assert request.headers["webhook-id"] == "ev_1"
    assert request.body == b"{}"


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    server_tls, client_tls = tls_for("other.example.com", tmp_path)
    async with receiver(answering(204, body=b""), tls=server_tls) as there:
        poster = Poster(Names([PUBLIC]), tls=client_tls, network=Internet(there.port))
        reply = await poster.post(URL, {}, b"{}")
        assert (reply.status, reply.error, there.requests) == (None, "connection_failed", [])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(["127.0.0.1"], id="loopback"),
        pytest.param(["169.254.169.254"], id="metadata service"),
        pytest.param([PUBLIC, "10.0.0.7"], id="public and private"),
        pytest.param(["10.0.0.7", PUBLIC], id="private and public"),
        pytest.param([PUBLIC, "fd00::1"], id="AAAA private"),
        pytest.param(["::1"], id="AAAA only"),
        pytest.param(["64:ff9b::a9fe:a9fe"], id="NAT64 of the metadata service"),
        pytest.param(["::ffff:127.0.0.1"], id="mapped"),
        pytest.param(["nonsense"], id="no address at all"),
    ],
)
async def test_w_07_any_denied_address_means_no_connection(answer: list[str]) -> None:
    async with receiver(answering(200)) as canary:
        internet = Internet(canary.port)
        reply = await Poster(Names(answer), network=internet).post(URL, {}, b"{}")
        assert (reply.status, reply.error) == (None, "address_denied")
        assert internet.dialled == []
        assert canary.connections == 0


async def test_w_07_a_name_that_turns_private_is_refused_at_the_next_attempt(tmp_path: Path) -> None:
    server_tls, client_tls = tls_for(HOST, tmp_path)
    async with receiver(answering(200), tls=server_tls) as there:
        internet = Internet(there.port)
        names = Names([PUBLIC], ["127.0.0.1"])
        poster = Poster(names, tls=client_tls, network=internet)
        first, second = await poster.post(URL, {}, b"{}"), await poster.post(URL, {}, b"{}")
        assert (first.status, second.error) == (200, "address_denied")
        assert names.asked == [HOST, HOST]
        assert there.connections == 1


async def test_a_connection_that_ended_elsewhere_is_dropped_before_a_byte_is_sent() -> None:
    async with receiver(answering(200)) as canary:
        internet = Internet(canary.port, peer="127.0.0.1")
        reply = await Poster(Names([PUBLIC]), network=internet).post(URL, {}, b"{}")
        assert reply.error == "address_denied"
        assert canary.requests == []


async def test_a_name_without_an_address_is_a_failed_connection() -> None:
    reply = await Poster(Names([]), network=Internet(1)).post(URL, {}, b"{}")
    assert (reply.status, reply.error) == (None, "connection_failed")


async def test_the_next_address_is_tried_when_the_first_is_dead(tmp_path: Path) -> None:
    server_tls, client_tls = tls_for(HOST, tmp_path)
    async with receiver(answering(200), tls=server_tls) as there:
        internet = Internet(there.port, dead=[PUBLIC_V6])
        reply = await Poster(Names([PUBLIC_V6, PUBLIC]), tls=client_tls, network=internet).post(URL, {}, b"{}")
        assert reply.status == 200
        assert [address for address, _ in internet.dialled] == [PUBLIC_V6, PUBLIC]


async def test_loopback_needs_its_flag_at_every_attempt_and_gets_nothing_else() -> None:
    async with receiver(answering(200)) as there:
        allowed = Poster(Names(["10.0.0.1"]), allow_loopback=True)
        assert (await allowed.post(there.url, {}, b"{}")).status == 200
        refused = await Poster(Names(["127.0.0.1"])).post(there.url, {}, b"{}")
        assert (refused.status, refused.error) == (None, "url_forbidden")
        named = await Poster(Names(["127.0.0.1"]), allow_loopback=True).post(URL, {}, b"{}")
        assert named.error == "address_denied"
        assert there.connections == 1


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(answering(200)) as proxy, receiver(answering(200)) as there:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        reply = await Poster(Names([]), allow_loopback=True).post(there.url, {}, b"{}")
        assert (reply.status, proxy.connections, there.connections) == (200, 0, 1)


async def test_the_system_resolver_gives_every_address_and_nothing_for_nonsense() -> None:
    resolver = SystemResolver()
    assert "127.0.0.1" in await resolver.resolve("localhost")
    assert await resolver.resolve("a" * 300) == []
    assert await resolver.resolve("a..b") == []
