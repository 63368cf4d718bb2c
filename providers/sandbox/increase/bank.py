"""The whole of Increase's far side in one piece: its parts, the clock that moves its transfers, and its routes."""

from __future__ import annotations

import asyncio
import time

from fastapi import APIRouter

from providers.sandbox.faults import Faults
from providers.sandbox.increase import api, controls
from providers.sandbox.increase.accounts import Accounts
from providers.sandbox.increase.acts import Acts
from providers.sandbox.increase.api import IncreaseApi
from providers.sandbox.increase.books import Books
from providers.sandbox.increase.deliveries import Deliveries
from providers.sandbox.increase.events import Events
from providers.sandbox.increase.inbound import Inbound
from providers.sandbox.increase.resources import Resources
from providers.sandbox.increase.transfers import Transfers
from providers.sandbox.store import Store

AT_ONCE = 500  # transfers moved in one turn of the loop, so that requests are answered in between
LONGEST_SLEEP = 0.2  # seconds: how late a step may be, beyond its pause


class Bank:
    """Increase, as one program of the sandbox."""

    def __init__(self, store: Store, faults: Faults, *, pause: float, first_pause: float, timeout: float) -> None:
        """`pause` is how many seconds a transfer rests in each state; the others are of webhooks, see Deliveries."""
        self._store = store
        self._books = Books(store)
        self._deliveries = Deliveries(store, self._books, faults, first_pause=first_pause, timeout=timeout)
        events = Events(self._books, self._deliveries)
        accounts = Accounts(self._books, events)
        self._transfers = Transfers(self._books, events, accounts, pause=pause)
        self._acts = Acts(store, self._books, self._transfers, Inbound(self._books, events, accounts))
        resources = Resources(self._books, events, self._deliveries, accounts, self._transfers)
        self._api = IncreaseApi(store, self._books, accounts, resources)

    async def run(self) -> None:
        """Move what is due and tell subscribers, for ever."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._deliveries.run())
            loops.create_task(self._move())

    def routes(self) -> APIRouter:
        """Increase's own endpoints, and what happens there without our asking."""
        routes = APIRouter()
        routes.include_router(api.router(self._api))
        routes.include_router(controls.router(self._acts))
        return routes

    async def _move(self) -> None:
        while True:
            now = time.time()
            for owner, transfer in self._books.due(now, AT_ONCE):
                with self._store.all_or_nothing():
                    self._transfers.step(owner, transfer)
            await self._store.durable()
            due = self._books.next_due()
            await asyncio.sleep(LONGEST_SLEEP if due is None else min(LONGEST_SLEEP, max(0.0, due - time.time())))
