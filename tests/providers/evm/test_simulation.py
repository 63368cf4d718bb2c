"""Trying before signing: what would fail is known, by whom and why, and the rest goes out together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from app.domain.assets import ETH, USDC_ETHEREUM
from app.domain.money import Asset
from app.ports.account_chain import Simulation, Transfer
from app.ports.errors import ProviderRejected
from providers.evm.contracts import disperse_script
from providers.evm.networks import private_network
from providers.evm.node import Node, Reverted
from providers.evm.rail import EvmRail
from providers.evm.refusals import plain_reason
from providers.evm.simulation import _reason
from providers.sandbox.nodes.anvil import CHAIN_ID, running_anvil
from tests.providers.evm.conftest import FEES, ODD, World, stranger

BLACKLISTED = "the address is blacklisted by the token's issuer"


def transfers(asset: Asset, recipients: Sequence[str], units: int = 5) -> list[Transfer]:
    return [Transfer(asset, recipient, units) for recipient in recipients]


@pytest.fixture(scope="module")
async def approved(world: World) -> World:
    """The world, with the disperse contract allowed to move the token."""
    signed = await world.rail.approve(USDC_ETHEREUM, nonce=await world.nonce(), fees=FEES)
    await world.rail.broadcast(signed.raw)
    await world.play.mine()
    return world


@pytest.fixture
async def blacklisted(world: World) -> AsyncIterator[str]:
    """Somebody whom the token's issuer does not let receive anything."""
    script = stranger(666)
    await world.play.token(world.usdc, b"blacklist(address)", script)
    yield script
    await world.play.token(world.usdc, b"unBlacklist(address)", script)


async def test_before_the_approval_each_is_tried_alone(world: World, blacklisted: str) -> None:
    found = await world.rail.simulate(transfers(USDC_ETHEREUM, [stranger(1), blacklisted, stranger(2)]))
    assert found == Simulation(0, {1: BLACKLISTED}, unapproved=True)


async def test_one_that_goes_through(world: World) -> None:
    for asset in (USDC_ETHEREUM, ETH):
        found = await world.rail.simulate(transfers(asset, [stranger(1)]))
        assert (found.refused, found.halted) == ({}, None)
        signed = await world.pay(*transfers(asset, [stranger(1)]), gas_limit=found.gas_limit)
        await world.play.mine()
        assert (await world.mined(signed.txid)).ok


async def test_fault_f_89_one_recipient_whom_the_token_refuses(world: World, blacklisted: str) -> None:
    found = await world.rail.simulate(transfers(USDC_ETHEREUM, [blacklisted]))
    assert found == Simulation(0, {0: BLACKLISTED})


async def test_fault_f_89_the_bad_ones_of_a_batch_are_found_and_the_rest_is_paid(
    approved: World, blacklisted: str
) -> None:
    world = approved
    wanted = transfers(USDC_ETHEREUM, [stranger(20), blacklisted, stranger(21), world.usdc, stranger(22)])
    found = await world.rail.simulate(wanted)
    assert found.refused == {1: BLACKLISTED, 3: BLACKLISTED}
    assert (found.halted, found.unapproved) == (None, False)
    rest = [wanted[place] for place in (0, 2, 4)]
    signed = await world.pay(*rest, gas_limit=found.gas_limit)
    await world.play.mine()
    receipt = await world.mined(signed.txid)
    assert [output.script for output in receipt.outputs] == [each.recipient for each in rest]
    assert receipt.ok


async def test_fault_f_89_a_batch_with_a_bad_recipient_reverts_whole(approved: World, blacklisted: str) -> None:
    """Nobody is paid a part: that is why it is tried before."""
    world = approved
    before = await world.balance(world.rail.hot.script, USDC_ETHEREUM)
    wanted = transfers(USDC_ETHEREUM, [stranger(23), blacklisted])
    signed = await world.pay(*wanted, gas_limit=300_000)
    await world.play.mine()
    receipt = await world.mined(signed.txid)
    assert (receipt.ok, receipt.outputs) == (False, ())
    assert await world.balance(stranger(23), USDC_ETHEREUM) == 0
    assert await world.balance(world.rail.hot.script, USDC_ETHEREUM) == before


async def test_fault_f_89_a_contract_that_takes_no_coins(world: World) -> None:
    proud = await world.play.create(ODD.creation_code)
    reason = "the transfer is refused: no coins, please"
    assert await world.rail.simulate(transfers(ETH, [proud])) == Simulation(0, {0: reason})
    found = await world.rail.simulate(transfers(ETH, [stranger(24), proud, stranger(25)]))
    assert found.refused == {1: reason}
    assert found.gas_limit > 0
    assert await world.rail.simulate(transfers(ETH, [proud, proud])) == Simulation(0, {0: reason, 1: reason})


async def test_fault_f_89_a_paused_token_halts_everything(approved: World) -> None:
    world = approved
    await world.play.token(world.usdc, b"pause()")
    for count in (1, 3):
        found = await world.rail.simulate(transfers(USDC_ETHEREUM, [stranger(1)] * count))
        assert found == Simulation(0, {}, halted="the token is paused")
    assert (await world.rail.simulate(transfers(ETH, [stranger(1)]))).halted is None
    await world.play.token(world.usdc, b"unpause()")


async def test_fault_f_89_our_own_address_on_the_blacklist_halts_everything(approved: World) -> None:
    world = approved
    await world.play.token(world.usdc, b"blacklist(address)", world.rail.hot.script)
    found = await world.rail.simulate(transfers(USDC_ETHEREUM, [stranger(1), stranger(2)]))
    await world.play.token(world.usdc, b"unBlacklist(address)", world.rail.hot.script)
    assert found == Simulation(0, {}, halted="our own address is blacklisted by the token's issuer")


async def test_fault_f_89_the_disperse_contract_on_the_blacklist_is_nobodys_fault(approved: World) -> None:
    world = approved
    await world.play.token(world.usdc, b"blacklist(address)", disperse_script())
    found = await world.rail.simulate(transfers(USDC_ETHEREUM, [stranger(1), stranger(2)]))
    await world.play.token(world.usdc, b"unBlacklist(address)", disperse_script())
    assert found == Simulation(0, {}, halted=f"together: {BLACKLISTED}")


async def test_a_wallet_that_holds_too_little(approved: World) -> None:
    """For all of them: then for as many as it can pay, the smallest first."""
    world = approved
    for asset in (USDC_ETHEREUM, ETH):
        held = await world.balance(world.rail.hot.script, asset)
        found = await world.rail.simulate(transfers(asset, [stranger(1)], held + 1))
        assert found == Simulation(0, {}, halted="the wallet holds too little")
        wanted = [Transfer(asset, stranger(number), units) for number, units in enumerate((held, 7, held, 8))]
        found = await world.rail.simulate(wanted)
        assert (found.refused, found.halted, found.unapproved) == ({}, None, False)
        assert found.gas_limit > 0


async def test_batches_want_the_disperse_contract(world: World) -> None:
    """Without code, its address would take the coins and be silent."""
    async with running_anvil() as other, httpx.AsyncClient() as client:
        node = Node(client, other.url, provider="ethereum", chain_id=CHAIN_ID)
        network = private_network(CHAIN_ID, world.usdc)
        rail = EvmRail(wallet=world.wallet, signer=world.wallet, node=node, network=network)
        await other.ask("anvil_setBalance", f"0x{rail.hot.script}", hex(10**18))
        assert (await rail.simulate(transfers(ETH, [stranger(1)]))).gas_limit > 0
        with pytest.raises(ProviderRejected) as caught:
            await rail.simulate(transfers(ETH, [stranger(1), stranger(2)]))
        assert caught.value.code == "disperse_missing"
        with pytest.raises(ProviderRejected, match="there is no contract"):
            await rail.check()


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("Pausable: paused", "the token is paused"),
        ("Blacklistable: account is blacklisted", BLACKLISTED),
        ("ERC20: transfer amount exceeds balance", "the wallet holds too little"),
        ("ERC20: transfer to the zero address", "the token cannot be sent to this address"),
        ("something new", "the transfer is refused: something new"),
        ("", "the transfer is refused"),
    ],
)
def test_reasons_are_said_plainly(said: str, plain: str) -> None:
    assert plain_reason(said) == plain


@pytest.mark.parametrize("data", [b"", b"\x08\xc3\x79\xa0", b"\x08\xc3\x79\xa0" + b"\xff" * 96, b"abcd" + bytes(96)])
def test_answers_of_contracts_that_make_no_sense(data: bytes) -> None:
    assert _reason(Reverted("words of the node", data)) == "words of the node"
