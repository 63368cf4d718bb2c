"""Whose coins an input spent: what it reveals names its address; what a node says goes before that."""

from __future__ import annotations

import hashlib

import httpx
import pytest
import respx

from app.ports.errors import ProviderUnavailable
from providers.bitcoin.networks import MAIN
from providers.bitcoin.node import Node
from providers.bitcoin.senders import SpentAddresses

# The generator point's key, whose addresses are in BIP-173 and everywhere.
KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
P2PKH = "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"
P2SH_P2WPKH = "3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN"
P2WPKH = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
# BIP-173: P2WSH of `<key> OP_CHECKSIG`.
SCRIPT = f"21{KEY}ac"
P2WSH = "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"
SIGNATURE = "30" + "44" + "ab" * 69
TXID, BLOCK = "11" * 32, "22" * 32


def spending(script: str = "", *witness: str) -> dict[str, object]:
    return {"txid": "33" * 32, "vout": 0, "scriptSig": {"hex": script}, "txinwitness": list(witness)}


def pushed(*items: str) -> str:
    return "".join(f"{len(item) // 2:02x}{item}" for item in items)


async def senders_of(*inputs: dict[str, object]) -> tuple[str, ...]:
    async with httpx.AsyncClient() as http, respx.mock:
        node = respx.post("http://node.test/").respond(json={"id": 1, "error": None, "result": {"vin": list(inputs)}})
        lookup = SpentAddresses(Node(http, "http://node.test/", user="u", password="p"), MAIN)
        found = await lookup.senders(TXID, BLOCK)
        assert b'"params":["' + TXID.encode() + b'",2,"' + BLOCK.encode() in node.calls[0].request.content
        return found


@pytest.mark.parametrize(
    ("one", "address"),
    [
        (spending("", SIGNATURE, KEY), P2WPKH),
        (spending(pushed(SIGNATURE, KEY)), P2PKH),
        (
            spending(
                pushed("0014" + hashlib.new("ripemd160", hashlib.sha256(bytes.fromhex(KEY)).digest()).hexdigest()),
                SIGNATURE,
                KEY,
            ),
            P2SH_P2WPKH,
        ),
        (spending("", SIGNATURE, SCRIPT), P2WSH),
        (spending("004c47" + SIGNATURE + pushed(SCRIPT)), "34wjDxkCQrUPYwnCRtap5uib6XNcVaud9K"),
    ],
)
async def test_what_an_input_reveals_names_its_address(one: dict[str, object], address: str) -> None:
    assert address in await senders_of(one)


async def test_the_node_s_own_word_goes_before_what_is_derived() -> None:
    told = spending("", SIGNATURE) | {"prevout": {"scriptPubKey": {"hex": "5120" + "ab" * 32, "address": "bc1ptold"}}}
    bare = spending(pushed(SIGNATURE)) | {"prevout": {"scriptPubKey": {"hex": f"21{KEY}ac"}}}
    assert await senders_of(told, bare, told) == ("bc1ptold",)


async def test_a_coinbase_has_no_sender_and_every_other_input_counts() -> None:
    assert await senders_of({"coinbase": "04ffff001d"}) == ()
    found = await senders_of(spending("", SIGNATURE, KEY), spending(pushed(SIGNATURE, KEY)))
    assert {P2WPKH, P2PKH} <= set(found)


@pytest.mark.parametrize("script", ["4c", "05aabb", "4dffff00", "zz"])
async def test_an_input_that_cannot_be_read_is_no_clean_one(script: str) -> None:
    with pytest.raises(ProviderUnavailable):
        await senders_of(spending(script))
