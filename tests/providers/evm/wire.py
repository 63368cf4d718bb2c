"""What a node may answer, and what may become of the answer on its way."""

from __future__ import annotations

import httpx

URL = "http://node.invalid/v3/canary-key"
TXID = "ab" * 32
RAW = b"\x02\x00"

NOT_SENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("busy")]
LOST = [
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
]
# Answers that say nothing: cut, of another call, a proxy's page, an error without a code.
UNREADABLE = [
    httpx.Response(200, content=b""),
    httpx.Response(200, content=b'{"result": "0xab'),
    httpx.Response(200, content=b"[]"),
    httpx.Response(200, json={"result": f"0x{TXID}", "id": 999}),
    httpx.Response(200, json={"jsonrpc": "2.0", "id": 1}),
    httpx.Response(200, content=b'{"result": NaN, "id": 1}'),
    httpx.Response(502, text="<html>Bad Gateway</html>"),
    httpx.Response(500, json={"result": f"0x{TXID}", "id": 1}),
    httpx.Response(200, json={"error": {"message": "?"}, "id": 1}),
    httpx.Response(200, json={"error": "?", "id": 1}),
    httpx.Response(200, json={"error": {"code": "x", "message": "?"}, "id": 1}),
]


def error(code: int, message: str = "text", *, status: int = 200, data: object = None) -> httpx.Response:
    return httpx.Response(
        status, json={"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message, "data": data}}
    )


def result(value: object, *, call_id: int = 1) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "result": value, "id": call_id})
