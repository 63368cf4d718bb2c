"""What the node refuses, with the numbers that Bitcoin Core gives such refusals (its src/rpc/protocol.h)."""

from __future__ import annotations

MISC = -1
TYPE_ERROR = -3
NOT_FOUND = -5  # no such block or transaction; Core uses it for an unusable address as well
INSUFFICIENT_FUNDS = -6
INVALID_PARAMETER = -8
DECODE_FAILED = -22
MISSING_OR_SPENT = -25
REJECTED = -26
ALREADY_IN_CHAIN = -27
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INTERNAL_ERROR = -32603
PARSE_ERROR = -32700


class RpcError(Exception):
    """A refusal as JSON-RPC tells it: a number to act upon and a sentence to read."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
