"""A small JSON-RPC client, strict about what it gets."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx

AUTH = ("sandbox", "s3cret-ü")


class Refused(Exception):
    """The node's error object."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Client:
    """Calls as `await rpc("getblockhash", 5)`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def __call__(self, method: str, *params: object) -> Any:
        answer = await self.http.post("/bitcoin", json={"id": 1, "method": method, "params": params})
        body = json.loads(answer.content, parse_float=Decimal)
        if body["error"] is not None:
            assert answer.status_code in (404, 500)
            raise Refused(body["error"]["code"], body["error"]["message"])
        assert answer.status_code == 200
        return body["result"]
