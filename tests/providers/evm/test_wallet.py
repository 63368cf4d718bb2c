"""Keys, addresses and signatures, with published keys and eth-account's own derivation as second opinions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.assets import ETH, USDC_ETHEREUM
from app.ports.account_chain import FeeOffer, Transfer
from app.ports.chain import Address, Branch
from providers.evm.building import check_signed
from providers.evm.calls import TRANSFER_AUTHORIZED, Authorization, authorization_of
from providers.evm.derivation import HARDENED, ExtendedPrivateKey, read_account_key
from providers.evm.layout import read_call
from providers.evm.networks import PLAY
from providers.evm.signer import CallDraft, CallKind
from providers.evm.wallet import EvmWallet
from providers.evm.watching import WatchedWallet

MNEMONIC = "test test test test test test test test test test test junk"
WALLET = EvmWallet.from_mnemonic(MNEMONIC, PLAY)
WATCHED = WatchedWallet(WALLET.account_key)
HOT = WALLET.address(Branch.CHANGE, 0)
STRANGER = f"{0xBEEF0000:040x}"
# BIP-32, test vector 1, chain m/0h/1/2h.
SEED = bytes(range(16))
XPUB = "xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5"


def draft(kind: CallKind = CallKind.PAY, *transfers: Transfer, index: int | None = None, nonce: int = 7) -> CallDraft:
    branch = Branch.CHANGE if index is None else Branch.RECEIVE
    fees = FeeOffer(20, 3)
    return CallDraft("ethereum", 31_337, kind, branch, index or 0, transfers, nonce, 100_000, fees)


async def checked(wanted: CallDraft, made: CallDraft, *, source: Address = HOT, sender: Address = HOT) -> object:
    """Have one draft signed and pass it off as another."""
    return check_signed(PLAY, wanted, await WALLET.sign_call(made), source=source, sender=sender)


def test_an_account_key_is_written_as_everybody_does() -> None:
    parent = ExtendedPrivateKey.from_seed(SEED).child(HARDENED).child(1)
    key = parent.child(HARDENED + 2).public
    assert key.account_text(HARDENED + 2, parent.public.fingerprint) == XPUB
    assert read_account_key(XPUB) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "xpub",
        XPUB[:-1] + "6",
        XPUB + "1" * 200,
        XPUB.replace("D", "0"),
        # The same vector's root: not an account.
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
        "xprv9uHRZZhk6KAJC1avXpDAp4MDc3sQKNxDiPvvkX8Br5ngLNv1TxvUxt4cV1rGL5hj6KCesnDYUhd7oWgT11eZG7XnxHrnYeSvkzY7d2bhkJ7",
    ],
)
def test_what_is_no_account_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"extended (public )?key") as caught:
        WatchedWallet(text)
    assert not text or text not in str(caught.value)


def test_the_places_of_an_account_are_the_addresses_that_wallets_show() -> None:
    Account.enable_unaudited_hdwallet_features()
    for number in range(3):
        text = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}").address
        place = (Branch.CHANGE, 0) if number == 0 else (Branch.RECEIVE, number - 1)
        assert WALLET.address(*place).text == WATCHED.address(*place).text == text


@settings(max_examples=25, deadline=None)
@given(st.integers(0, HARDENED - 2))
def test_addresses_need_no_private_key(index: int) -> None:
    assert WATCHED.address(Branch.RECEIVE, index) == WALLET.address(Branch.RECEIVE, index)


@pytest.mark.parametrize("place", [(Branch.CHANGE, 1), (Branch.RECEIVE, -1), (Branch.RECEIVE, HARDENED - 1)])
def test_there_are_no_other_places(place: tuple[Branch, int]) -> None:
    for wallet in (WALLET, WATCHED):
        with pytest.raises(ValueError, match="hot wallet"):
            wallet.address(*place)


def test_a_seed_is_of_some_length_and_is_never_shown() -> None:
    assert repr(WALLET) == "<EvmWallet ethereum>"
    assert repr(EvmWallet(bytes(32), PLAY).__dict__["_branch"]).count("ExtendedPrivateKey object") == 1
    for size in (0, 31, 65):
        with pytest.raises(ValueError, match="32 to 64"):
            EvmWallet(bytes(size), PLAY)


@pytest.mark.parametrize(
    "words", ["", "canary", "canary " * 12, MNEMONIC + " junk", MNEMONIC.replace("junk", "canary")]
)
def test_a_mnemonic_that_is_none_is_not_repeated(words: str) -> None:
    with pytest.raises(ValueError, match="mnemonic") as caught:
        EvmWallet.from_mnemonic(words, PLAY)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_passphrase_opens_another_wallet() -> None:
    other = EvmWallet.from_mnemonic(f"  {MNEMONIC}\n", PLAY, passphrase="x")
    assert other.account_key != WALLET.account_key
    assert EvmWallet.from_mnemonic(f"  {MNEMONIC}\n", PLAY).account_key == WALLET.account_key


@pytest.mark.parametrize(
    ("made", "sender"),
    [
        (draft(CallKind.PAY, Transfer(ETH, STRANGER, 5)), HOT),
        (draft(CallKind.PAY, Transfer(USDC_ETHEREUM, STRANGER, 5), Transfer(USDC_ETHEREUM, STRANGER, 6)), HOT),
        (draft(CallKind.CANCEL), HOT),
        (draft(CallKind.CANCEL, index=4), WALLET.address(Branch.RECEIVE, 4)),
        (replace(draft(CallKind.APPROVE), asset=USDC_ETHEREUM), HOT),
        (draft(CallKind.COLLECT, Transfer(ETH, HOT.script, 5), index=4), WALLET.address(Branch.RECEIVE, 4)),
        (draft(CallKind.COLLECT, Transfer(USDC_ETHEREUM, HOT.script, 5), index=4), HOT),
    ],
)
async def test_signatures_are_what_others_make_of_them(made: CallDraft, sender: Address) -> None:
    raw = await WALLET.sign_call(made)
    assert await WALLET.sign_call(made) == raw  # the same draft, the same bytes
    source = WALLET.address(made.branch, made.index)
    signed = check_signed(PLAY, made, raw, source=source, sender=sender)
    assert Account.recover_transaction(raw) == sender.text
    assert (signed.sender, signed.nonce, signed.raw) == (sender.script, 7, raw)
    assert signed.most_fee == 2_000_000


async def test_an_authorisation_is_what_others_make_of_it() -> None:
    """EIP-712 as eth-account does it, recovered from the words in the call."""
    source = WALLET.address(Branch.RECEIVE, 9)
    made = draft(CallKind.COLLECT, Transfer(USDC_ETHEREUM, HOT.script, 5), index=9)
    authorization = authorization_of(PLAY, made, source)
    assert authorization is not None
    data = read_call(await WALLET.sign_call(made)).data
    assert data[:4] == TRANSFER_AUTHORIZED
    names = ("from", "to", "value", "validAfter", "validBefore", "nonce")
    kinds = ("address", "address", "uint256", "uint256", "uint256", "bytes32")
    values = (source.text, HOT.text, 5, 0, 2**256 - 1, authorization.nonce)
    message = encode_typed_data(
        domain_data={
            "name": "USD Coin",
            "version": "2",
            "chainId": 31_337,
            "verifyingContract": f"0x{PLAY.tokens[0].contract}",
        },
        message_types={
            "TransferWithAuthorization": [{"name": name, "type": kind} for name, kind in zip(names, kinds, strict=True)]
        },
        message_data=dict(zip(names, values, strict=True)),
    )
    v, r, s = (int.from_bytes(data[-96:][at : at + 32], "big") for at in (0, 32, 64))
    assert Account.recover_message(message, vrs=(v, r, s)) == source.text


def test_every_nonce_has_an_authorisation_of_its_own() -> None:
    """And a replacement has the one of what it replaces, so that only one of them can move anything."""
    transfer = Transfer(USDC_ETHEREUM, HOT.script, 5)
    nonces = set()
    for index, nonce in ((1, 7), (2, 7), (1, 8), (1, 7)):
        source = WALLET.address(Branch.RECEIVE, index)
        found = authorization_of(PLAY, draft(CallKind.COLLECT, transfer, index=index, nonce=nonce), source)
        assert found is not None
        nonces.add(found.nonce)
    assert len(nonces) == 3


class Forging(EvmWallet):
    """Has another deposit address authorise what this one should."""

    def _authorize(self, authorization: Authorization, draft: CallDraft) -> bytes:
        return super()._authorize(authorization, replace(draft, index=5))


GOOD = draft(CallKind.PAY, Transfer(USDC_ETHEREUM, STRANGER, 5))


@pytest.mark.parametrize(
    "made",
    [
        replace(GOOD, transfers=(Transfer(USDC_ETHEREUM, STRANGER, 6),)),
        replace(GOOD, transfers=(Transfer(USDC_ETHEREUM, HOT.script, 5),)),
        replace(GOOD, transfers=(Transfer(ETH, STRANGER, 5),)),
        replace(GOOD, transfers=GOOD.transfers * 2),
        replace(GOOD, nonce=8),
        replace(GOOD, gas_limit=100_001),
        replace(GOOD, fees=FeeOffer(21, 3)),
        replace(GOOD, fees=FeeOffer(20, 4)),
        draft(CallKind.CANCEL),
    ],
)
async def test_a_signer_that_does_something_else_is_found_out(made: CallDraft) -> None:
    with pytest.raises(RuntimeError, match="another call than it was given"):
        await checked(GOOD, made)


async def test_a_signer_with_another_key_is_found_out() -> None:
    other = EvmWallet(bytes(32), PLAY)
    with pytest.raises(RuntimeError, match="somebody else has signed it"):
        check_signed(PLAY, GOOD, await other.sign_call(GOOD), source=HOT, sender=HOT)
    source = WALLET.address(Branch.RECEIVE, 4)
    made = draft(CallKind.COLLECT, Transfer(USDC_ETHEREUM, HOT.script, 5), index=4)
    for wrong in (replace(made, index=5), replace(made, transfers=(Transfer(USDC_ETHEREUM, HOT.script, 6),))):
        with pytest.raises(RuntimeError, match="authoris"):
            await checked(made, wrong, source=source)
    forged = await Forging(bytes(range(64)), PLAY).sign_call(made)
    hot = Forging(bytes(range(64)), PLAY).address(Branch.CHANGE, 0)
    source = Forging(bytes(range(64)), PLAY).address(Branch.RECEIVE, 4)
    with pytest.raises(RuntimeError, match="somebody else has signed the authorisation"):
        check_signed(PLAY, made, forged, source=source, sender=hot)


async def test_bytes_that_are_no_call_of_ours_are_refused() -> None:
    raw = await WALLET.sign_call(GOOD)
    legacy = Account.from_key(bytes(31) + b"\1").sign_transaction(
        {"nonce": 7, "gasPrice": 20, "gas": 21_000, "to": bytes(20), "value": 5, "chainId": 31_337}
    )
    listed = Account.from_key(bytes(31) + b"\1").sign_transaction(
        {
            "type": 2,
            "chainId": 31_337,
            "nonce": 7,
            "maxFeePerGas": 20,
            "maxPriorityFeePerGas": 3,
            "gas": 21_000,
            "to": bytes(20),
            "value": 5,
            "accessList": [{"address": bytes(20), "storageKeys": []}],
        }
    )
    for wrong in (
        b"",
        b"\x02",
        raw[:-1],
        raw + b"\0",
        b"\x01" + raw[1:],
        legacy.raw_transaction,
        listed.raw_transaction,
    ):
        with pytest.raises(RuntimeError):
            check_signed(PLAY, GOOD, bytes(wrong), source=HOT, sender=HOT)
