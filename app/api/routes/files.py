"""Files: uploads that batches are made of."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api import bodies
from app.api.answers import answered, gives, shown
from app.api.calls import Call, Reading, Write, Writing
from app.api.ids import FileId
from app.api.routing import StrictRoute
from app.schemas.files import FileOut
from app.services import files

router = APIRouter(prefix="/v1/files", tags=["payouts"], route_class=StrictRoute)
Reader = Annotated[Call, Depends(Reading("payouts:read"))]
Maker = Annotated[Write, Depends(Writing("payouts:create"))]

_MOST_BYTES: Final = 1024 * 1024 * 1024
_TYPE: Final = re.compile(rb'(text/csv|application/x-ndjson)(?:[ \t]*;[ \t]*charset="?utf-8"?)?[ \t]*', re.IGNORECASE)
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD: Final = {
    "required": True,
    "description": "At most 1 GiB, in UTF-8. CSV has a header row (RFC 4180); NDJSON one item of a batch on each line.",
    "content": {
        "text/csv": _BINARY
        | {"example": "amount,asset,external_account_id\n25.00,USD,xa_01JD0000000000000000000000\n"},
        "application/x-ndjson": _BINARY,
    },
}


@router.post("", status_code=201, responses=gives(FileOut, status=201), openapi_extra={"requestBody": _UPLOAD})
async def upload_file(request: Request, call: Maker) -> Response:
    """Upload the items of a batch. The same upload under the same key gives the first file again."""
    content_type = bodies.check_type(request.scope, _TYPE).partition(b";")[0].strip().decode().lower()
    bodies.check_length(request.scope, _MOST_BYTES)
    content = bodies.chunks(request.receive, _MOST_BYTES)
    return answered(await files.upload(call.context.db, call.caller.partner_id, content_type, content, call.request))


@router.get("/{file_id}", responses=gives(FileOut))
async def get_file(file_id: FileId, request: Request, call: Reader) -> Response:
    """A file as it stands; what is in it is not shown again."""
    return shown(request, await files.get(call.context.db, call.caller.partner_id, file_id))
