"""Errors in widget sessions."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import plant, then


def _session(order: str, **bound: str) -> str:
    """SQL for a session that has placed an order, and has bound this too."""
    names, values = "".join(f", {name}" for name in bound), "".join(f", {value}" for value in bound.values())
    return f"""
        INSERT INTO sessions (id, partner_id, status, direction, source_asset, destination_asset, customer, metadata,
                              locale, theme, allowed_origins, token_id, credential_hash, opened_at, order_id, livemode,
                              expires_at{names})
        SELECT 'ss_1', partner_id, 'ordered', direction, source_asset, destination_asset, '{{{{}}}}', '{{{{}}}}', 'en',
               '{{{{}}}}', '{{{{}}}}', 't', sha256('c'), now(), id, livemode, now(){values}
        FROM orders WHERE id = '{{{order}}}'
    """  # noqa: S608 - our own words


def _of_session(order: str) -> str:
    """SQL that makes an order and its quote that session's."""
    return then(
        f"UPDATE orders SET session_id = 'ss_1' WHERE id = '{{{order}}}'",  # noqa: S608 - our own words
        f"UPDATE quotes SET session_id = 'ss_1' WHERE order_id = '{{{order}}}'",  # noqa: S608
    )


PLANTS: Final = (
    plant(
        "an order that goes elsewhere than its session has bound",
        "R-170",
        then(_session("open", address="'elsewhere'"), _of_session("open")),
    ),
    plant(
        "an order of more than its session has bound",
        "R-170",
        then(_session("open", amount_side="'source'", amount_units="1"), _of_session("open")),
    ),
    plant(
        "an order on a quote that was made elsewhere",
        "R-170",
        then(_session("open"), "UPDATE orders SET session_id = 'ss_1' WHERE id = '{open}'"),
    ),
    plant("a session that names another's order", "R-170", _session("open")),
    plant(
        "two orders of one session",
        "R-171",
        then(
            _session("open"),
            _of_session("open"),
            _of_session("sent"),
            "UPDATE sessions SET order_id = greatest('{open}', '{sent}')",
        ),
    ),
)
