from __future__ import annotations
import time, re
from app.audit.rules import INVARIANTS
from app.audit.books import _QUERIES
from tests.audit.book import Book
COPIES = 150

async def test_speed(book: Book) -> None:
    out = open("/tmp/rule_speed.txt", "w")
    async with book.db.connection() as c:
        t = c.transaction(); await t.start()
        try:
            await c.execute("SET LOCAL session_replication_role = replica"); await c.execute("SET LOCAL statement_timeout = 0")
            tables = [r[0] for r in await c.fetch("SELECT tablename FROM pg_tables WHERE schemaname='public'")]
            for table in tables:
                if table in ("alembic_version", "idempotency_keys", "quotes", "notifications", "jobs", "blocks", "wallet_switches", "sanctioned_addresses"): continue
                n = await c.fetchval(f"SELECT count(*) FROM {table}")
                if not n or n > 2000: continue
                t0 = time.perf_counter()
                serial = [r[0] for r in await c.fetch(
                    "SELECT attname FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid=a.attrelid AND d.adnum=a.attnum"
                    " WHERE attrelid=$1::regclass AND (attidentity<>'' OR pg_get_expr(adbin,adrelid) LIKE 'nextval%')", table)]
                cols = [r[0] for r in await c.fetch(
                    "SELECT attname FROM pg_attribute WHERE attrelid=$1::regclass AND attnum>0 AND NOT attisdropped AND attgenerated='' ORDER BY attnum", table)]
                use = [x for x in cols if x not in serial]
                names = ", ".join(f'"{x}"' for x in use)
                sel = ", ".join(f'(r)."{x}"' for x in use)
                sql = (f"INSERT INTO {table} ({names}) SELECT {sel} FROM (SELECT jsonb_populate_record(NULL::{table},"
                  " regexp_replace(regexp_replace(to_jsonb(s)::text, '([a-z]{2,4}_[0-9A-HJKMNP-TV-Z]{20,})', '\\1x' || n, 'g'),"
                  " '([0-9a-f]{34})[0-9a-f]{6}', '\\1' || lpad(to_hex(n), 6, '0'), 'g')::jsonb) AS r"
                  f" FROM {table} AS s, generate_series(1, {COPIES}) AS n OFFSET 0) AS q ON CONFLICT DO NOTHING")
                try:
                    async with c.transaction():
                        await c.execute(sql, timeout=200)
                except Exception as e:
                    out.write(f"-- {table}: {e}\n")
                out.write(f"{table} {n} {time.perf_counter() - t0:.1f}\n"); out.flush()
            await c.execute("ANALYZE", timeout=200)
            for table in tables:
                out.write(f"{table} {await c.fetchval(f'SELECT count(*) FROM {table}')}\n")
            out.flush()
            todo = [(r.id, r.sql) for r in INVARIANTS if r.id in ("I-19", "R-32", "R-112", "R-113", "R-39", "I-14", "R-53")]
            await c.execute("SET LOCAL statement_timeout = '20s'")
            for name, sql in todo:
                a = time.perf_counter()
                try:
                    async with c.transaction():
                        rows = await c.fetch(sql, timeout=25)
                    said = f"{len(rows)} rows"
                except Exception as e:
                    said = str(e)[:100]
                took = time.perf_counter() - a
                out.write(f"{took:8.2f} s {name} {said}\n"); out.flush()
                if took > 0.8:
                    for r in await c.fetch("EXPLAIN " + sql):
                        out.write("      " + r[0] + "\n")
        finally:
            await t.rollback()
