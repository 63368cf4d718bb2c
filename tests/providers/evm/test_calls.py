"""What our calls say, read back with eth-abi; and the published numbers by which tokens know themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import decode, encode

from app.domain.assets import ETH, USDC_BASE, USDC_ETHEREUM
from app.domain.money import Asset
from app.ports.account_chain import FeeOffer, Transfer
from app.ports.chain import Branch
from providers.evm.calls import (
    APPROVE,
    AUTHORIZATION_TYPE,
    LARGEST,
    PAY_NATIVE,
    PAY_TOKEN,
    TRANSFER,
    TRANSFER_AUTHORIZED,
    Call,
    call_of,
    pay,
    view,
)
from providers.evm.contracts import disperse_script
from providers.evm.networks import BASE, BASE_SEPOLIA, MAINNET, PLAY, SEPOLIA, EvmNetwork, Token, private_network
from providers.evm.signer import CallDraft, CallKind
from providers.evm.wallet import EvmWallet

WALLET = EvmWallet(bytes(32), PLAY)
HOT, SOURCE = WALLET.address(Branch.CHANGE, 0), WALLET.address(Branch.RECEIVE, 2)
USDC = PLAY.tokens[0].contract
MANY = [(f"{0xBEEF0000 + number:040x}", number * 10**18 + 1) for number in range(200)]


def shown(script: str) -> str:
    return f"0x{script}"


def draft(kind: CallKind, *transfers: Transfer, asset: Asset | None = None) -> CallDraft:
    fees = FeeOffer(20, 3)
    return CallDraft("ethereum", 31_337, kind, Branch.RECEIVE, 2, transfers, 7, 100_000, fees, asset)


def test_the_functions_are_those_that_everybody_calls() -> None:
    """As block explorers list them; the typehash is the one of EIP-3009."""
    assert (TRANSFER.hex(), APPROVE.hex(), TRANSFER_AUTHORIZED.hex()) == ("a9059cbb", "095ea7b3", "e3ee160e")
    assert AUTHORIZATION_TYPE.hex() == "7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267"


def test_one_transfer_is_plain() -> None:
    call = pay(PLAY, [Transfer(USDC_ETHEREUM, MANY[1][0], 5)])
    assert (call.target, call.value, call.data[:4]) == (USDC, 0, TRANSFER)
    assert decode(["address", "uint256"], call.data[4:]) == (shown(MANY[1][0]), 5)
    assert pay(PLAY, [Transfer(ETH, MANY[1][0], 5)]) == Call(MANY[1][0], 5, b"")


@pytest.mark.parametrize("count", [2, 3, 200])
def test_several_go_through_the_disperse_contract(count: int) -> None:
    some = MANY[:count]
    recipients, amounts = [shown(script) for script, _ in some], [units for _, units in some]
    call = pay(PLAY, [Transfer(USDC_ETHEREUM, script, units) for script, units in some])
    assert (call.target, call.value) == (disperse_script(), 0)
    assert call.data == PAY_TOKEN + encode(["address", "address[]", "uint256[]"], [shown(USDC), recipients, amounts])
    call = pay(PLAY, [Transfer(ETH, script, units) for script, units in some])
    assert (call.target, call.value) == (disperse_script(), sum(amounts))
    assert call.data == PAY_NATIVE + encode(["address[]", "uint256[]"], [recipients, amounts])


def test_an_approval_is_for_the_disperse_contract_only() -> None:
    call = call_of(PLAY, draft(CallKind.APPROVE, asset=USDC_ETHEREUM), HOT)
    assert (call.target, call.value, call.data[:4]) == (USDC, 0, APPROVE)
    assert decode(["address", "uint256"], call.data[4:]) == (shown(disperse_script()), LARGEST)
    moving = draft(CallKind.APPROVE, Transfer(USDC_ETHEREUM, HOT.script, 1), asset=USDC_ETHEREUM)
    for wrong in (draft(CallKind.APPROVE), draft(CallKind.APPROVE, asset=ETH), moving):
        with pytest.raises(ValueError, match="approval"):
            call_of(PLAY, wrong, HOT)


def test_a_cancellation_pays_nothing_to_oneself() -> None:
    assert call_of(PLAY, draft(CallKind.CANCEL), SOURCE) == Call(SOURCE.script, 0, b"")


def test_a_collection_is_an_authorisation_or_a_payment() -> None:
    call = call_of(PLAY, draft(CallKind.COLLECT, Transfer(USDC_ETHEREUM, HOT.script, 5)), SOURCE)
    kinds = ["address", "address", "uint256", "uint256", "uint256", "bytes32"]
    assert (call.target, call.value, call.data[:4]) == (USDC, 0, TRANSFER_AUTHORIZED)
    found = decode(kinds, call.data[4:])
    assert found[:5] == (shown(SOURCE.script), shown(HOT.script), 5, 0, LARGEST)
    plain = call_of(PLAY, draft(CallKind.COLLECT, Transfer(ETH, HOT.script, 5)), SOURCE)
    assert plain == Call(HOT.script, 5, b"")
    for transfers in ((), (Transfer(ETH, HOT.script, 5),) * 2):
        with pytest.raises(ValueError, match="one transfer"):
            call_of(PLAY, draft(CallKind.COLLECT, *transfers), SOURCE)


@pytest.mark.parametrize("script", ["", "ab", "AB" * 20, "0x" + "ab" * 19, "zz" * 20, "ab" * 21])
def test_a_script_that_is_none_is_not_paid(script: str) -> None:
    for asset in (ETH, USDC_ETHEREUM):
        with pytest.raises(ValueError, match="hex"):
            pay(PLAY, [Transfer(asset, script, 1)])
        with pytest.raises(ValueError, match="hex"):
            pay(PLAY, [Transfer(asset, MANY[0][0], 1), Transfer(asset, script, 1)])


def test_fault_f_99_a_draft_for_another_chain_is_no_call() -> None:
    good = draft(CallKind.PAY, Transfer(ETH, MANY[0][0], 1))
    for wrong in (replace(good, chain_id=1), replace(good, network="base")):
        with pytest.raises(ValueError, match="another chain"):
            call_of(PLAY, wrong, HOT)


@pytest.mark.parametrize(
    ("network", "domain"),
    [
        # What DOMAIN_SEPARATOR() of the real contracts answers.
        (MAINNET, "06c37168a7db5138defc7866392bb87a741f9b3d104deb5094588ce041cae335"),
        (BASE, "02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f"),
    ],
)
def test_real_tokens_sign_by_the_name_that_we_believe(network: EvmNetwork, domain: str) -> None:
    assert network.tokens[0].domain(network.chain_id).hex() == domain


def test_networks_are_told_apart() -> None:
    networks = (MAINNET, SEPOLIA, BASE, BASE_SEPOLIA, PLAY)
    assert len({network.chain_id for network in networks}) == len(networks)
    assert len({network.tokens[0].domain(network.chain_id) for network in networks}) == len(networks)
    assert [network.tokens[0].asset for network in networks] == [
        USDC_ETHEREUM,
        USDC_ETHEREUM,
        USDC_BASE,
        USDC_BASE,
        USDC_ETHEREUM,
    ]
    assert [network.native.network for network in networks] == [network.name for network in networks]
    with pytest.raises(ValueError, match="public"):
        private_network(8453, USDC)
    with pytest.raises(ValueError, match="twice"):
        EvmNetwork("ethereum", 5, ETH, (Token(USDC_ETHEREUM, USDC), Token(USDC_BASE, USDC)))


def test_questions_to_contracts() -> None:
    assert view(b"balanceOf(address)", USDC).hex() == "70a08231" + USDC.rjust(64, "0")
