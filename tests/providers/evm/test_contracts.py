"""The committed artefacts are what the committed sources compile to, and the contracts do what their sources say."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.domain.assets import USDC_ETHEREUM
from app.ports.account_chain import Transfer
from providers.evm import contracts
from providers.evm.calls import AUTHORIZATION, LARGEST, PAY_NATIVE, Call, pay, selector, view
from providers.evm.contracts import artefact, disperse_script, read_artefact
from providers.evm.encoding import keccak
from providers.evm.layout import read_call
from providers.evm.networks import PLAY
from providers.sandbox.nodes.places import FOLDER
from tests.providers.evm.conftest import FEES, World, stranger

HOME = Path(contracts.__file__).parent
SOURCES = [HOME / "Disperse.sol", HOME / "TestUSDC.sol", Path(__file__).parent / "OddToken.sol"]
COMPILER = FOLDER / "node_modules" / "solc"


def ipfs_hash(text: bytes) -> bytes:
    """The SHA-256 by which IPFS knows a small file: of one block of dag-pb with one block of UnixFS in it."""
    inner = b"\x08\x02\x12" + varint(len(text)) + text + b"\x18" + varint(len(text))
    return hashlib.sha256(b"\x0a" + varint(len(inner)) + inner).digest()


def varint(number: int) -> bytes:
    """A number in groups of seven bits, the lowest first."""
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_an_artefact_is_of_its_source(source: Path) -> None:
    """The code ends with the hash of the metadata, which hold the hash of the source and the compiler's version."""
    made = read_artefact(source.with_suffix(".json").read_bytes())
    metadata = json.loads(made.metadata)
    assert (made.contract, made.source) == (source.stem, source.name)
    assert metadata["sources"][source.name]["keccak256"] == f"0x{keccak(source.read_bytes()).hex()}"
    asked = re.search(r"pragma solidity (.+);", source.read_text())
    assert asked is not None
    assert made.compiler.startswith(f"{asked[1]}+commit.")
    assert metadata["compiler"]["version"] in made.compiler
    assert metadata["settings"]["evmVersion"] == "paris"
    for code in (made.creation_code, made.runtime_code):
        assert ipfs_hash(made.metadata.encode()) in code[-60:]
    assert made.runtime_code in made.creation_code


def test_the_compiler_makes_the_same_of_the_sources() -> None:
    node = shutil.which("node")
    assert node is not None
    environment = os.environ | {"NODE_PATH": str(COMPILER.parent)}
    script = str(HOME / "compile.mjs")
    subprocess.run([node, script, "--check", *map(str, SOURCES)], check=True, env=environment, timeout=60)


def test_disperse_has_neither_storage_nor_an_owner() -> None:
    """No opcode that writes or reads storage, destroys, delegates or makes contracts stands in it."""
    forbidden = {0x54, 0x55, 0x5C, 0x5D, 0xF0, 0xF2, 0xF4, 0xF5, 0xFF}
    code = artefact("Disperse").runtime_code[:-53]  # the metadata's hash is no code
    found, at = set[int](), 0
    while at < len(code):
        found.add(code[at])
        at += code[at] - 0x5E if 0x60 <= code[at] <= 0x7F else 1  # the data of PUSH1 to PUSH32 is skipped
    assert not found & forbidden
    assert {0xF1, 0xFD} <= found  # it does call, and revert


def test_disperse_stands_where_it_belongs(world: World) -> None:
    assert disperse_script() == "554a2ba98729e2929a4836849ad92d4bfe1634b7"
    assert world.usdc == PLAY.tokens[0].contract


async def refused(world: World, call: Call) -> str:
    """What a call that must be reverted answers, as hex; the caller is the issuer of play money."""
    sender = f"0x{await world.play.issuer()}"
    said = {"from": sender, "to": f"0x{call.target}", "value": hex(call.value), "data": f"0x{call.data.hex()}"}
    with pytest.raises(RuntimeError) as caught:
        await world.play.ask("eth_call", said, "latest")
    return str(caught.value)


async def test_disperse_takes_neither_more_nor_less_than_it_pays(world: World) -> None:
    two = pay(PLAY, [Transfer(PLAY.native, stranger(1), 5), Transfer(PLAY.native, stranger(2), 6)])
    for value in (10, 12, 0):
        assert selector(b"WrongSum()").hex() in await refused(world, Call(two.target, value, two.data))
    lists_differ = selector(b"ListsDiffer()").hex()
    longer = Call(two.target, 11, two.data.replace((2).to_bytes(32, "big"), (1).to_bytes(32, "big"), 1))
    assert lists_differ in await refused(world, longer)
    empty = PAY_NATIVE + b"".join(number.to_bytes(32, "big") for number in (64, 96, 0, 0))
    assert lists_differ in await refused(world, Call(disperse_script(), 0, empty))
    assert "revert" in await refused(world, Call(disperse_script(), 5, b""))  # coins alone are not taken
    pay_token = pay(PLAY, [Transfer(USDC_ETHEREUM, stranger(number), 5) for number in (1, 2)])
    assert "revert" in await refused(world, Call(pay_token.target, 1, pay_token.data))


async def test_an_allowance_serves_nobody_but_who_gave_it(world: World) -> None:
    """The hot wallet has approved the contract; somebody else calls it, and only his own token could move."""
    hot = world.rail.hot.script
    await world.play.ask("anvil_impersonateAccount", f"0x{hot}")
    approve = view(b"approve(address,uint256)", disperse_script(), LARGEST)
    said = {"from": f"0x{hot}", "to": f"0x{world.usdc}", "data": f"0x{approve.hex()}", "gas": hex(100_000)}
    await world.play.ask("eth_sendTransaction", said)
    await world.play.mine()
    issuer = await world.play.issuer()
    batch = pay(PLAY, [Transfer(USDC_ETHEREUM, issuer, 5), Transfer(USDC_ETHEREUM, issuer, 6)])
    assert b"exceeds allowance".hex() in await refused(world, batch)


async def test_a_token_that_answers_nothing_or_false_pays_nobody(world: World) -> None:
    not_paid = selector(b"NotPaid(uint256,bytes)").hex()
    for token in (stranger(77), disperse_script()):  # no code at all, and code that does not know the question
        data = pay(PLAY, [Transfer(USDC_ETHEREUM, stranger(number), 5) for number in (1, 2)]).data
        other = data.replace(bytes.fromhex(world.usdc), bytes.fromhex(token))
        assert not_paid in await refused(world, Call(disperse_script(), 0, other))


async def test_an_authorisation_is_good_once_for_whom_and_what_it_says(world: World) -> None:
    """TestUSDC refuses what USDC refuses, in the same words."""
    rail, source = world.rail, world.deposit_address(0)
    await world.play.pay_token(world.usdc, source.script, 100)
    gas = rail.collect_gas(USDC_ETHEREUM)
    signed = await rail.collect(source, USDC_ETHEREUM, 40, nonce=await world.nonce(), gas_limit=gas, fees=FEES)
    data = read_call(signed.raw).data
    place = 4 + 2 * 32
    more = data[:place] + (41).to_bytes(32, "big") + data[place + 32 :]
    assert "FiatTokenV2: invalid signature" in await refused(world, Call(world.usdc, 0, more))
    await world.play.send(Call(world.usdc, 0, data))  # anybody may hand it in: it moves the same to the same place
    assert await world.balance(source.script, USDC_ETHEREUM) == 60
    assert "authorization is used or canceled" in await refused(world, Call(world.usdc, 0, data))
    await world.play.token(world.usdc, b"pause()")
    assert "Pausable: paused" in await refused(world, Call(world.usdc, 0, data))
    await world.play.token(world.usdc, b"unpause()")


async def test_only_the_payee_hands_in_what_is_for_him_to_receive(world: World) -> None:
    words = (world.rail.hot.script, stranger(1), 1, 0, LARGEST, 0, 27, 1, 1)
    signature = b"receiveWithAuthorization(" + AUTHORIZATION + b",uint8,bytes32,bytes32)"
    assert "caller must be the payee" in await refused(world, Call(world.usdc, 0, view(signature, *words)))
