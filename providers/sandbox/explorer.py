"""A block explorer of one page: what the sandbox's chain knows of a transaction, for whoever follows a link to it."""

from __future__ import annotations

from html import escape
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from providers.sandbox.bitcoin.address import address_of
from providers.sandbox.bitcoin.node import Node
from providers.sandbox.bitcoin.serialise import Transaction

_COIN: Final = 10**8
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def router(node: Node) -> APIRouter:
    """The page of every transaction of the node's."""
    routes = APIRouter()

    @routes.get("/explorer/bitcoin/{txid}")
    async def transaction(txid: str) -> HTMLResponse:
        block, waiting = node.view.block_of(txid), node.mempool.entries.get(txid)
        found = waiting.transaction if waiting is not None else None
        if block is not None:
            found = next(each for each in block.transactions if each.txid == txid)
        if found is None:
            return HTMLResponse(_page("No such transaction", "<p>The sandbox's chain does not know it."), 404, _HEADERS)
        depth = 0 if block is None else node.view.confirmations(block)
        where = "Waits for a block." if block is None else f"In block {block.height}, {depth} confirmations."
        return HTMLResponse(_page("A transaction of the sandbox", _body(found, where)), headers=_HEADERS)

    return routes


def _body(found: Transaction, where: str) -> str:
    rows = "".join(
        f"<tr><td>{number}<td>{escape(address_of(output.script) or output.script.hex())}"
        f"<td>{output.value // _COIN}.{output.value % _COIN:08d} BTC"
        for number, output in enumerate(found.outputs)
    )
    return f"<p><code>{escape(found.txid)}</code><p>{where}<table><tr><th>Output<th>To<th>Amount{rows}</table>"


def _page(title: str, body: str) -> str:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{body}</html>'
