"""The API process for a measurement, with the card rail that was asked for; says its port."""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import replace

import structlog
import uvicorn
import uvloop

from app.cli import collector
from app.main import build_app
from app.settings import Settings
from app.wiring import assembly, gateway
from bench.card import InstantCard


async def main(rail: str) -> None:
    """Serve until a signal comes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    settings = Settings()
    async with assembly.parts(settings) as parts:
        if rail == "instant":
            parts = replace(parts, rails=replace(parts.rails, payin={"stripe": InstantCard()}))
        context = gateway.context(settings, parts)
        await context.board.refresh()
        prices = asyncio.create_task(context.board.run())
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(build_app(context), log_level="warning", access_log=False, lifespan="off")
        )
        collector.calm()
        print(listener.getsockname()[1], flush=True)
        await server.serve([listener])
        prices.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
