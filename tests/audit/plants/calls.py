"""Errors in calls on account chains. The book has none of its own, so that each plant brings a chain with one call."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import Plant, entry, plant, then

ETH = "ETH.base"
HOT, TRANSIT, DEPOSITS = "wallet:hot:base", "wallet:transit:base", "wallet:deposits:base"
_SENDER = "ab" * 20

_CHAIN = f"""
    INSERT INTO account_chains (network, tip_height, tip_at, safe_height, finalized_height, sends_final)
    VALUES ('base', 9, now(), 8, 7, 'finalized');
    INSERT INTO blocks (network, height, hash) VALUES ('base', 8, 'b8'), ('base', 9, 'b9');
    INSERT INTO wallet_addresses (network, script, address, branch, index, purpose)
    VALUES ('base', '{_SENDER}', '0x', 'change', 0, 'funding');
    INSERT INTO senders (network, script, next_nonce) VALUES ('base', '{_SENDER}', 1)
"""  # noqa: S608 - our own words


def _call(
    number: int, *, nonce: int = 0, state: str = "done", units: int = 0, age: str = "0 h", purpose: str = "fill"
) -> str:
    return f"""
        INSERT INTO calls (id, network, sender, nonce, purpose, about, asset, units, gas_limit, gas_reserved, state,
                           created_at)
        VALUES ('ln_{number}', 'base', '{_SENDER}', {nonce}, '{purpose}',
                {f"'{_SENDER}'" if purpose == "collect" else "NULL"}, '{ETH}', {units}, 1,
                {0 if state == "open" else 30}, '{state}', now() - interval '{age}')
    """  # noqa: S608


def _attempt(number: int, place: int = 0, *, fee: int = 10, height: str = "8", ok: str = "true") -> str:
    paid = "NULL" if height == "NULL" else "10"
    return f"""
        INSERT INTO call_attempts (txid, network, call_id, raw, max_fee, priority_fee, height, ok, fee_units,
                                   created_at)
        VALUES ('tx_{number}_{place}', 'base', 'ln_{number}', '', {fee}, {fee}, {height}, {ok}, {paid},
                now() + interval '{place} s')
    """  # noqa: S608


def _gas(number: int, fee: int = 10) -> str:
    """What a call that set 30 aside and paid 10 books."""
    reserve = entry("gas_reserve", None, (TRANSIT, ETH, 30), (HOT, ETH, -30), reference=f"r{number}")
    paid = entry(
        "gas_paid",
        None,
        ("expense:network", ETH, fee),
        (HOT, ETH, 30 - fee),
        (TRANSIT, ETH, -30),
        reference=f"p{number}",
    )
    about = f"UPDATE entries SET subject = 'ln_{number}' WHERE id IN ('le_r{number}', 'le_p{number}')"  # noqa: S608
    money = entry("arrived", None, (HOT, ETH, 1000), ("equity:operator", ETH, -1000), reference=f"a{number}")
    return then(money, reserve, paid, about)


_DONE = then(_CHAIN, _call(1), _attempt(1), _gas(1))


def _plant(name: str, caught_by: str, *statements: str) -> Plant:
    return plant(name, caught_by, then(*statements))


PLANTS: Final = (
    _plant(
        "a nonce that two calls use",
        "I-17",
        _DONE,
        "ALTER TABLE calls DROP CONSTRAINT calls_network_sender_nonce_key",
        _call(2),
        _attempt(2),
        _gas(2),
    ),
    _plant(
        "a nonce above its sender's next", "I-18", _DONE, "UPDATE senders SET next_nonce = 0 WHERE network = 'base'"
    ),
    _plant(
        "a gap that nobody fills",
        "I-18",
        _DONE,
        "UPDATE senders SET next_nonce = 9 WHERE network = 'base'",
        _call(2, nonce=5, age="3 h"),
        _attempt(2),
        _gas(2),
    ),
    _plant(
        "two attempts at one call are mined",
        "R-160",
        _CHAIN,
        _call(1, state="open"),
        "DROP INDEX call_attempts_mined",
        _attempt(1),
        _attempt(1, 1, fee=20),
    ),
    _plant(
        "a call that was reverted counts as done",
        "R-160",
        _DONE,
        "UPDATE call_attempts SET ok = false WHERE network = 'base'",
    ),
    _plant(
        "a call that is mined counts as lost",
        "R-160",
        _DONE,
        "UPDATE calls SET state = 'lost' WHERE network = 'base'",
    ),
    plant(
        "a lost call whose gas stays set aside",
        "R-163",
        then(
            _CHAIN,
            _call(1, state="lost"),
            _attempt(1, height="NULL", ok="NULL"),
            entry("arrived", None, (HOT, ETH, 1000), ("equity:operator", ETH, -1000), reference="a1"),
            entry("gas_reserve", None, (TRANSIT, ETH, 30), (HOT, ETH, -30), reference="r1"),
            "UPDATE entries SET subject = 'ln_1' WHERE id = 'le_r1'",
        ),
        "R-164",
    ),
    _plant(
        "a replacement that pays hardly more",
        "R-161",
        _DONE,
        _attempt(1, 1, fee=11, height="NULL", ok="NULL"),
    ),
    _plant("a call to pay that pays nobody", "R-162", _CHAIN, _call(1, purpose="send"), _attempt(1), _gas(1)),
    _plant("gas booked at another price than was paid", "R-163", _CHAIN, _call(1), _attempt(1), _gas(1, fee=11)),
    _plant(
        "coins in transit that no call sends",
        "R-164",
        _DONE,
        entry("arrived", None, (TRANSIT, ETH, 5), ("equity:operator", ETH, -5)),
    ),
    _plant(
        "coins on deposit addresses that no deposit is",
        "R-165",
        _DONE,
        entry("arrived", None, (DEPOSITS, ETH, 5), ("equity:operator", ETH, -5)),
    ),
)
