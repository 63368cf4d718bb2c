"""The demo's stories, told one after the other through a running instance, over its public HTTP API alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from app.cli.receiver import Receiver, receiving
from app.cli.stories import batch, buy, chain, paying, payout, sell
from app.cli.stories.stage import Api, Stage, Step, Story
from app.dev.home import Instance

# What the subscriber is told: the ends of the stories, and all of an order.
_EVENT_TYPES = ["order.*", "payout.returned", "payout_batch.*"]


class StoryName(StrEnum):
    """What can be told."""

    BUY = "buy"
    BUY_USDC = "buy_usdc"
    SELL = "sell"
    PAYOUT = "payout"
    BATCH = "batch"
    BANK_RETURN = "bank_return"
    CARD_3DS = "card_3ds"
    CARD_DECLINED = "card_declined"
    DEBIT_RETURNED = "debit_returned"
    DISPUTE = "dispute"
    FEE_BUMP = "fee_bump"
    REORGANISATION = "reorganisation"


class Driver:
    """A partner's program, and its customers."""

    def __init__(
        self,
        instance: Instance,
        *,
        amount: str,
        patience: float,
        busy: Callable[[str], None],
        only: Sequence[StoryName] = (),
    ) -> None:
        """`amount` in euros is for the card; `patience` is how many seconds each step may take.

        `only` names the stories to tell; all of them if it is empty.
        """
        self._api = Api(instance)
        self._patience = patience
        self._busy = busy
        tellings: dict[StoryName, Callable[[Stage], Iterator[Step]]] = {
            StoryName.BUY: lambda stage: buy.tell(stage, amount),
            **({StoryName.BUY_USDC: lambda stage: buy.usdc(stage, amount)} if instance.evm_rpc_url else {}),
            StoryName.SELL: sell.tell,
            StoryName.PAYOUT: payout.to_wallet,
            StoryName.BATCH: batch.tell,
            StoryName.BANK_RETURN: payout.to_bank_and_back,
            StoryName.CARD_3DS: paying.three_d_secure,
            StoryName.CARD_DECLINED: paying.declined,
            StoryName.DEBIT_RETURNED: paying.debit_returned,
            StoryName.DISPUTE: paying.dispute,
            StoryName.FEE_BUMP: lambda stage: chain.fee_bump(stage, instance.sandbox_url),
            StoryName.REORGANISATION: lambda stage: chain.reorganised(stage, instance.sandbox_url),
        }
        self._tellings = {name: tell for name, tell in tellings.items() if not only or name in only}
        self.stories: list[Story] = []

    def run(self) -> Iterator[tuple[Story, Step]]:
        """Tell every story, each step as it is made. Raises DemoFailed."""
        try:
            with receiving(Receiver()) as receiver:
                endpoint = self._subscribe(receiver)
                try:
                    for name, tell in self._tellings.items():
                        stage = Stage(name.value, self._api, receiver, patience=self._patience, busy=self._busy)
                        self.stories.append(stage.story)
                        for step in tell(stage):
                            yield stage.story, step
                finally:
                    self._api.delete(f"/v1/webhook_endpoints/{endpoint}")
        finally:
            self._api.close()

    def _subscribe(self, receiver: Receiver) -> str:
        made = self._api.post("/v1/webhook_endpoints", {"url": receiver.url, "event_types": _EVENT_TYPES})
        receiver.secret = str(made["secret"])
        self._api.post(f"/v1/webhook_endpoints/{made['id']}/enable", {})
        return str(made["id"])
