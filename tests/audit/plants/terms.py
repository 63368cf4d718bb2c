"""Errors in quotes, terms and keys."""

from __future__ import annotations

from typing import Final

from tests.audit.plants.plant import plant

PLANTS: Final = (
    plant(
        "a quote used twice",
        "I-33",
        "ALTER TABLE orders DROP CONSTRAINT orders_quote_id_key;"
        "UPDATE orders SET quote_id = (SELECT quote_id FROM orders WHERE id = '{completed}') WHERE id = '{open}'",
    ),
    plant(
        "a quote used too late",
        "I-33",
        "UPDATE quotes SET used_at = expires_at + interval '1 second' WHERE order_id = '{open}'",
    ),
    plant(
        "an order on other terms than quoted",
        "I-33",
        "UPDATE quotes SET destination_units = destination_units + 1 WHERE order_id = '{open}'",
    ),
    plant(
        "a key used twice",
        "I-34",
        "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey;"
        "INSERT INTO idempotency_keys SELECT * FROM idempotency_keys LIMIT 1",
    ),
    plant(
        "a key that was never answered",
        "I-34",
        "INSERT INTO idempotency_keys (partner_id, key, request_hash, locked_at)"
        " SELECT id, 'lost', ''::bytea, now() - interval '1 hour' FROM partners",
    ),
    plant(
        "a price that does not add up",
        "R-20",
        "UPDATE quotes SET spread_units = spread_units + 1 WHERE order_id = '{open}';"
        "UPDATE orders SET spread_units = spread_units + 1 WHERE id = '{open}'",
    ),
    plant(
        "real money among test money",
        "R-21",
        "UPDATE notifications SET livemode = true WHERE id = (SELECT min(id) FROM notifications)",
    ),
    plant(
        "a refused request that made an order",
        "R-22",
        "UPDATE idempotency_keys SET status = 409 WHERE resource_id = '{open}'",
    ),
)
