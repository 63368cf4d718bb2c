"""Ids in paths: whatever does not look like one of ours cannot exist, so it is not found."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Path
from pydantic import AfterValidator

from app.domain.errors import NotFound
from app.domain.machines import RESOURCES

_ULID: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"


def id_pattern(prefix: str) -> re.Pattern[str]:
    """The form of the ids of one kind."""
    return re.compile(f"{prefix}_{_ULID}", re.ASCII)


def _check(prefix: str) -> Callable[[str], str]:
    form = id_pattern(prefix)

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise NotFound
        return value

    return check


ORDER_ID: Final = id_pattern("or")
EVENT_ID: Final = id_pattern("ev")
ENDPOINT_ID: Final = id_pattern("we")
DELIVERY_ID: Final = id_pattern("wd")
DEPOSIT_ID: Final = id_pattern("dp")
DEPOSIT_ADDRESS_ID: Final = id_pattern("da")
EXTERNAL_ACCOUNT_ID: Final = id_pattern("xa")
PAYOUT_ID: Final = id_pattern("po")
BATCH_ID: Final = id_pattern("pb")
TOP_UP_ID: Final = id_pattern("tu")
BREAK_ID: Final = id_pattern("rb")
RUN_ID: Final = id_pattern("rr")
SESSION_ID: Final = id_pattern("ss")


def _path(prefix: str) -> Any:
    """How an id in a path is documented. Its form is checked by `_check`, which says 404 and not 422."""
    return Path(examples=[f"{prefix}_01JD0000000000000000000000"], json_schema_extra={"pattern": f"^{prefix}_{_ULID}$"})


QuoteId = Annotated[str, _path("qt"), AfterValidator(_check("qt"))]
OrderId = Annotated[str, _path("or"), AfterValidator(_check("or"))]
EventId = Annotated[str, _path("ev"), AfterValidator(_check("ev"))]
EndpointId = Annotated[str, _path("we"), AfterValidator(_check("we"))]
ExternalAccountId = Annotated[str, _path("xa"), AfterValidator(_check("xa"))]
PayoutId = Annotated[str, _path("po"), AfterValidator(_check("po"))]
TopUpId = Annotated[str, _path("tu"), AfterValidator(_check("tu"))]
DepositId = Annotated[str, _path("dp"), AfterValidator(_check("dp"))]
DepositAddressId = Annotated[str, _path("da"), AfterValidator(_check("da"))]
BreakId = Annotated[str, _path("rb"), AfterValidator(_check("rb"))]
BatchId = Annotated[str, _path("pb"), AfterValidator(_check("pb"))]
SessionId = Annotated[str, _path("ss"), AfterValidator(_check("ss"))]
FileId = Annotated[str, _path("fi"), AfterValidator(_check("fi"))]
# A name that no machine has is not found, by the service.
MachineName = Annotated[str, Path(examples=["payout"], json_schema_extra={"enum": list(RESOURCES)})]
