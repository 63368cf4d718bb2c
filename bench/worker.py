"""The job process for a measurement; says when it is about to work."""

from __future__ import annotations

import asyncpg
import structlog
import uvloop

from app.settings import Settings
from app.wiring import assembly
from app.worker import run


async def main() -> None:
    """Work until a signal comes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    settings = Settings()
    async with assembly.parts(settings) as parts:
        worker = await assembly.worker(settings, parts)
        connection = await asyncpg.connect(parts.db.url)
        print("ready", flush=True)
        await run(worker, connection)
        await connection.close()


if __name__ == "__main__":
    uvloop.run(main())
