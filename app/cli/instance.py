"""Which instance the operator's commands work on: the configured one, else that of `rampwright dev`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.db.database import Database
from app.dev.home import DevError, Home, environment
from app.settings import ProcessSettings, Settings


def settings() -> Settings:
    """The configured settings; without a database, those of the `rampwright dev` that RAMPWRIGHT_HOME belongs to."""
    process = ProcessSettings()
    if process.database_url is None:
        home = Home(process.home)
        instance = None if process.livemode else home.instance()
        if instance is None:
            raise DevError(
                "Which instance? Set RAMPWRIGHT_DATABASE_URL, or RAMPWRIGHT_HOME to that of a running `rampwright dev`."
            )
        os.environ.update(environment(instance, home.secrets()))
    return Settings()


@asynccontextmanager
async def opened() -> AsyncIterator[Database]:
    """The instance's database. Raises DevError when there is none."""
    db = Database(settings().process.database_url or "", pool_size=2)
    try:
        yield db
    finally:
        await db.close()
