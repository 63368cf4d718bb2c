"""External accounts as payouts and batches use them: pointers, what may be paid to, thousands at once (P-04, P-10)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from bitcoinlib.encoding import pubkeyhash_to_addr_bech32
from cryptography.fernet import Fernet

from app.db import external_accounts as account_rows
from app.db.database import Database
from app.db.external_accounts import ExternalAccount
from app.domain.assets import BTC, EUR, USD
from app.domain.errors import (
    AddressInvalid,
    ExternalAccountUnverified,
    NetworkMismatch,
    NotFound,
    RouteUnsupported,
    ValidationFailed,
)
from app.domain.event_types import ACCOUNT_EVENTS
from app.domain.external_account import EXTERNAL_ACCOUNT, AccountState, AccountTrigger, event_of
from app.domain.quote import Terms
from app.schemas.external_accounts import AchAccountIn, AnyAccountIn, ExternalAccountIn, SepaAccountIn, WalletIn
from app.services import external_accounts
from app.services.policy import Policy
from app.services.rails import Rails
from app.services.sealing import Sealer
from providers.bitcoin.networks import NETWORKS
from providers.bitcoin.node import Node
from providers.bitcoin.rail import BitcoinRail
from providers.bitcoin.wallet import Wallet
from tests.support.partners import TestPartner
from tests.support.processor import seconds_here

POLICY = Policy(Terms(26, 50, 100), timedelta(minutes=1), timedelta(minutes=15), limits={})
CAREFUL = replace(POLICY, accounts_verified_by_checks=False)
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SEALER = Sealer([Fernet.generate_key()])
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
WALLET = WalletIn(type="wallet", asset="BTC", network="bitcoin", address=ADDRESS)
ACH = AchAccountIn(
    type="bank", scheme="ach", routing_number="021000021", account_number="1234567890", holder_name="Ada Lovelace"
)
SEPA = SepaAccountIn(type="bank", scheme="sepa", iban="DE89370400440532013000", holder_name="Ada Lovelace")
ALL: tuple[AnyAccountIn, ...] = (WALLET, ACH, SEPA)
MANY = 10_000


@pytest.fixture
async def rails() -> AsyncIterator[Rails]:
    """A chain whose node nobody asks."""
    async with httpx.AsyncClient() as http:
        node = Node(http, "http://127.0.0.1:1", user="nobody", password="nothing")
        wallet = Wallet(bytes(32), NETWORKS["regtest"])
        bitcoin = BitcoinRail(wallet=wallet, signer=wallet, node=node)
        yield Rails(
            livemode=False,
            payin={},
            methods={},
            chains={"bitcoin": bitcoin},
            notifications={},
            publishable_keys={},
        )


def account_of(
    rails: Rails, body: ExternalAccountIn, partner_id: str = "pt_1", policy: Policy = POLICY
) -> ExternalAccount:
    """A new account that nobody has written yet."""
    return external_accounts.row_of(SEALER, partner_id, external_accounts.read(rails, body), policy, NOW)


@pytest.mark.parametrize(
    ("body", "changes", "refusal", "field"),
    [
        (WALLET, {"address": "bcrt1q"}, AddressInvalid, "address"),
        (WALLET, {"address": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"}, NetworkMismatch, "address"),
        (WALLET, {"asset": "EUR"}, ValidationFailed, "asset"),
        (WALLET, {"asset": "ETH", "network": "ethereum"}, RouteUnsupported, "network"),
        (ACH, {"routing_number": "021000022"}, ValidationFailed, "routing_number"),
        (SEPA, {"iban": "DE88370400440532013000"}, ValidationFailed, "iban"),
        (SEPA, {"bic": "BNPAFRPP"}, ValidationFailed, "bic"),
        (SEPA, {"holder_name": "\u5bff\u53f8"}, ValidationFailed, "holder_name"),
    ],
)
async def test_refusals_point_into_the_document(
    rails: Rails, body: ExternalAccountIn, changes: dict[str, str], refusal: type[ValidationFailed], field: str
) -> None:
    wrong = body.model_copy(update=changes)
    for pointer in ("", "/items/3/external_account"):
        with pytest.raises(refusal) as refused:
            external_accounts.read(rails, wrong, pointer=pointer)
        assert type(refused.value) is refusal
        assert refused.value.pointer == f"{pointer}/{field}"


async def test_what_a_body_says_is_never_printed(rails: Rails) -> None:
    for body, secret in ((ACH, "1234567890"), (SEPA, "0532013000")):
        assert secret not in repr(body)
        facts = external_accounts.read(rails, body)
        assert secret not in repr(facts)
        assert secret not in repr(external_accounts.bank_details(SEALER, account_of(rails, body)))
        assert secret.encode() not in repr(account_of(rails, body)).encode()


async def test_what_a_bank_is_told(rails: Rails) -> None:
    sepa = external_accounts.bank_details(SEALER, account_of(rails, SEPA))
    assert (sepa.iban, sepa.routing_number, sepa.account_number) == ("DE89370400440532013000", "", "")
    ach = external_accounts.bank_details(SEALER, account_of(rails, ACH))
    assert (ach.iban, ach.routing_number, ach.account_number, ach.checking) == ("", "021000021", "1234567890", True)
    savings = external_accounts.bank_details(
        SEALER, account_of(rails, ACH.model_copy(update={"account_type": "savings"}))
    )
    assert not savings.checking


async def test_p_04_only_a_verified_account_is_paid_to(rails: Rails) -> None:
    account = account_of(rails, SEPA)
    assert external_accounts.payable(account, EUR, pointer="/external_account_id") is account
    with pytest.raises(NotFound) as missing:
        external_accounts.payable(None, EUR, pointer="/external_account_id")
    assert missing.value.pointer == "/external_account_id"
    for state in AccountState:
        account.status = state.value
        if state is not AccountState.VERIFIED:
            with pytest.raises(ExternalAccountUnverified) as refused:
                external_accounts.payable(account, EUR, pointer="/x")
            assert refused.value.pointer == "/x"


async def test_p_10_an_account_takes_its_own_asset(rails: Rails) -> None:
    for body, own in ((WALLET, BTC), (ACH, USD), (SEPA, EUR)):
        account = account_of(rails, body)
        for asset in (BTC, USD, EUR):
            if asset == own:
                assert external_accounts.payable(account, asset, pointer="/amount/asset") is account
            else:
                with pytest.raises(ValidationFailed) as refused:
                    external_accounts.payable(account, asset, pointer="/amount/asset")
                assert refused.value.pointer == "/amount/asset"


async def test_the_same_place_has_the_same_fingerprint(rails: Rails) -> None:
    same: list[tuple[AnyAccountIn, dict[str, str]]] = [
        (WALLET, {"address": ADDRESS.upper()}),
        (ACH, {"holder_name": "Somebody Else", "account_type": "savings"}),
        (SEPA, {"iban": "de89 3704 0044 0532 0130 00", "bic": "COBADEFF", "holder_name": "X"}),
    ]
    for body, changes in same:
        again = account_of(rails, body.model_copy(update=changes))
        assert account_of(rails, body).fingerprint == again.fingerprint
    others = [account_of(rails, body).fingerprint for body in ALL]
    others.append(account_of(rails, ACH.model_copy(update={"account_number": "1234567891"})).fingerprint)
    others.append(account_of(rails, ACH.model_copy(update={"routing_number": "121000358"})).fingerprint)
    assert len(set(others)) == 5


async def test_who_speaks_for_a_place(rails: Rails, db: Database, partner: TestPartner) -> None:
    """Verified before rejected or locked, those before pending; closed ones not at all, unless a person decided."""
    rows = {
        (number, step): account_of(rails, body, partner.id, CAREFUL if step == "pending" else POLICY)
        for number, body in enumerate(ALL)
        for step in ("verified", "locked", "closed", "pending")
    }
    async with db.transaction() as tx:
        await external_accounts.begin(tx, list(rows.values()), request_id=None)
        for place in range(3):
            locked = rows[place, "locked"].id
            await external_accounts.decide(tx, locked, AccountTrigger.LOCKED, actor="ada", reason="x")
        closed = [(place, "closed") for place in range(3)] + [(1, "verified"), (2, "verified"), (2, "locked")]
        for key in closed:
            await external_accounts.close(tx, partner.id, rows[key].id, expected=None, request_id=None)
        found = await account_rows.find_by_fingerprints(
            tx, partner.id, [rows[place, "verified"].fingerprint for place in range(3)] + [b"nowhere"]
        )
        assert await account_rows.find_by_fingerprints(tx, "pt_other", list(found)) == {}
    speaking = [found[rows[place, "verified"].fingerprint].id for place in range(3)]
    assert speaking == [rows[0, "verified"].id, rows[1, "locked"].id, rows[2, "locked"].id]
    assert len(found) == 3


async def test_thousands_at_once(rails: Rails, db: Database, partner: TestPartner) -> None:
    """What a batch does with its inline wallets: read, seal, look for known ones, write, and read back."""
    bodies = [WALLET.model_copy(update={"address": address}) for address in _addresses(MANY)]
    started = time.process_time()
    made = [account_of(rails, body, partner.id) for body in bodies]
    assert time.process_time() - started < seconds_here(12)  # about 2 here
    async with db.transaction() as tx:
        started = time.perf_counter()
        await account_rows.insert_many(tx, made)
        inserting = time.perf_counter() - started
        found = await account_rows.get_many(tx, partner.id, [account.id for account in made])
        known = await account_rows.find_by_fingerprints(tx, partner.id, [a.fingerprint for a in made])
    assert inserting < seconds_here(15)  # about 1 here
    assert len(found) == len(known) == MANY
    assert all(found[account.id].script == account.script for account in made)


def _addresses(count: int) -> list[str]:
    """So many different addresses, of scripts that differ in their last bytes."""
    return [pubkeyhash_to_addr_bech32(number.to_bytes(20, "big"), prefix="bcrt") for number in range(1, count + 1)]


def test_every_trigger_has_an_event_of_the_catalogue() -> None:
    assert {event_of(trigger) for trigger in AccountTrigger} == set(ACCOUNT_EVENTS)


def test_nothing_leaves_closed_and_nothing_comes_back_to_new() -> None:
    assert EXTERNAL_ACCOUNT.allowed(AccountState.CLOSED) == frozenset()
    assert all(target is not AccountState.NEW for _, _, target in EXTERNAL_ACCOUNT.edges())
    for state in set(AccountState) - {AccountState.NEW, AccountState.CLOSED}:
        assert EXTERNAL_ACCOUNT.allows(state, AccountTrigger.CLOSED)
