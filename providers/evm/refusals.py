"""What nodes say when they do not take a transaction or cannot carry out a call, in the words of several of them.

JSON-RPC has one code for nearly everything (-32000), so that the text decides; the phrases are those of go-ethereum
(`core/txpool/errors.go`), Erigon, Reth, Anvil, Nethermind (`AcceptTxResult.cs`) and Besu (`RpcErrorType.java`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class SendAnswer(StrEnum):
    """What an error in answer to a broadcast means."""

    KNOWN = "known"  # it is with the network already
    NONCE_USED = "nonce_used"
    UNDERPRICED = "underpriced"
    SHORT = "insufficient_funds"  # not now: the sender cannot pay for it yet
    LATER = "later"  # not now
    REFUSED = "refused"  # never
    UNKNOWN = "unknown"  # nothing can be said


_SAID: Final[tuple[tuple[SendAnswer, tuple[str, ...]], ...]] = (
    (
        SendAnswer.KNOWN,
        ("already known", "alreadyknown", "already_exists", "already exists", "already imported", "known transaction"),
    ),
    (SendAnswer.NONCE_USED, ("nonce too low", "nonce is too low", "oldnonce", "nonce_too_low")),
    (
        SendAnswer.REFUSED,
        (
            "max priority fee per gas higher than max fee per gas",
            "tip higher than fee cap",
            "tip above fee cap",
            "chain id",
            "chainid",
            "invalid sender",
            "invalid signature",
            "intrinsic gas",
            "block gas limit",
            "gas limit too high",
            "gas limit exceeded",
            "gaslimitexceeded",
            "exceeds the configured cap",
            "oversized data",
            "decode",
            "rlp:",
            "not supported",
            "not an eoa",
        ),
    ),
    (
        SendAnswer.UNDERPRICED,
        (
            "underpriced",
            "could not replace",
            "replacementnotallowed",
            "ownnoncealreadyused",
            "feetoolow",
            "fee too low",
            "less than block base fee",
            "gas price below",
            "gas price too low",
        ),
    ),
    (SendAnswer.SHORT, ("insufficient funds", "insufficientfunds", "upfront cost exceeds")),
    (
        SendAnswer.LATER,
        (
            "pool is full",
            "txpool full",
            "pool overflow",
            "limit exceeded",
            "limit reached",
            "noncegap",
            "nonce gap",
            "nonce too high",
            "nonce too distant",
            "syncing",
            "not ready",
        ),
    ),
)
# "Invalid request", "method not found", "invalid params", "parse error", and EIP-1474's "transaction rejected".
_REFUSALS: Final = frozenset({-32600, -32601, -32602, -32700, -32003, -32010})

# Reverts: what USDC says, by what a person should read.
_REASONS: Final = (
    ("paused", "the token is paused"),
    ("account is blacklisted", "the address is blacklisted by the token's issuer"),
    ("exceeds balance", "the wallet holds too little"),
    ("exceeds allowance", "the disperse contract may not move the token"),
    ("to the zero address", "the token cannot be sent to this address"),
)
_EXECUTION_CODES: Final = frozenset({3, -32015})
_EXECUTION_TEXTS: Final = (
    "revert",
    "out of gas",
    "gas required exceeds",
    "insufficient funds",
    "outoffunds",
    "outofgas",
    "invalid opcode",
    "vm execution error",
    "insufficient balance for transfer",
)
_TOO_OFTEN: Final = (
    "rate limit",
    "request limit",
    "request count exceeded",
    "requests per second",
    "too many requests",
)
_UNKNOWN_BLOCK: Final = -39001
_STATE_GONE: Final = (
    "missing trie node",
    "historical state",
    "state not available",
    "state is not available",
    "pruned",
)
_BLOCK_GONE: Final = ("not found", "unknown block", "not currently canonical", "non-canonical", "not canonical")


def send_answer(code: int, message: str) -> SendAnswer:
    """What a node's error in answer to a broadcast means; a text that nobody knows proves nothing."""
    text = message.lower()
    for answer, phrases in _SAID:
        if any(phrase in text for phrase in phrases):
            return answer
    return SendAnswer.REFUSED if code in _REFUSALS else SendAnswer.UNKNOWN


def is_execution(code: int, message: str) -> bool:
    """Whether the node carried a call out, and the call itself failed."""
    return code in _EXECUTION_CODES or _has(message, _EXECUTION_TEXTS)


def is_throttle(message: str) -> bool:
    """Whether a provider of nodes wants to be asked less often."""
    return _has(message, _TOO_OFTEN)


def is_block_gone(code: int, message: str) -> bool:
    """Whether a node, asked for a block or the state after one, does not have it in its chain (yet, or any more)."""
    return code == _UNKNOWN_BLOCK or (_has(message, _BLOCK_GONE) and not _has(message, _STATE_GONE))


def plain_reason(text: str) -> str:
    """Why a transfer fails, in a few plain words, from the reason that the token gives."""
    said = text.lower()
    for phrase, plain in _REASONS:
        if phrase in said:
            return plain
    return "the transfer is refused" + (f": {text}" if text else "")


def _has(message: str, phrases: tuple[str, ...]) -> bool:
    text = message.lower()
    return any(phrase in text for phrase in phrases)
