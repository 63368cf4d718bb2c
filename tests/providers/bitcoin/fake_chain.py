"""A node made of a list of blocks, with Bitcoin Core's wire format and no rules at all."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx


def block_hash(height: int, branch: str = "a") -> str:
    """A hash that tells its height and branch."""
    return f"{branch * 8}{height:056x}"


def block(height: int, branch: str = "a", *, parent: str | None = None, outputs: str = "") -> str:
    """A block as JSON text, so that amounts are spelt as a node spells them."""
    previous = parent or (block_hash(height - 1, branch) if height else None)
    coinbase = json.dumps({"coinbase": "51", "sequence": 4294967295})
    paid = outputs or '{"value": 50.00000000, "n": 0, "scriptPubKey": {"hex": "51", "type": "nonstandard"}}'
    link = f'"previousblockhash": "{previous}",' if previous else ""
    return (
        f'{{"hash": "{block_hash(height, branch)}", "height": {height}, {link} "tx": '
        f'[{{"txid": "{height:064x}", "vin": [{coinbase}], "vout": [{paid}]}}]'
    )


def txid(name: str) -> str:
    """A transaction's id that tells its one-letter name."""
    return name * 64


def waiting(name: str, *, pays: int = 500) -> str:
    """A transaction of the mempool as JSON text; it spends some coin, and pays satoshi to BIP-173's example key."""
    spent = json.dumps({"txid": "f" * 64, "vout": 1, "sequence": 4294967293})
    script = '{"hex": "0014751e76e8199196d454941c45d1b3a323f1433bd6", "type": "witness_v0_keyhash"}'
    paid = f'{{"value": 0.{pays:08d}, "n": 0, "scriptPubKey": {script}}}'
    return f'{{"txid": "{txid(name)}", "vin": [{spent}], "vout": [{paid}]}}'


@dataclass
class FakeChain:
    """The active chain is `blocks`, lowest first; `orphans` can still be read by their hash."""

    blocks: list[str]
    name: str = "regtest"
    orphans: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    fee_answer: str = "{}"
    fee_targets: list[int] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    on_call: Callable[[str], None] = lambda method: None

    def client(self) -> httpx.AsyncClient:
        """A client whose every request this chain answers."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer), trust_env=False)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        self.calls.append(call["method"])
        self.on_call(call["method"])
        value, error = getattr(self, f"_{call['method']}")(*call["params"])
        body = f'{{"result": {value or "null"}, "error": {error or "null"}, "id": {call["id"]}}}'
        return httpx.Response(500 if error else 200, text=body)

    def _getblockchaininfo(self) -> tuple[str, None]:
        return json.dumps({"chain": self.name, "blocks": len(self.blocks) - 1, "headers": len(self.blocks) - 1}), None

    def _estimatesmartfee(self, target_blocks: int) -> tuple[str, None]:
        self.fee_targets.append(target_blocks)
        return self.fee_answer, None

    def _getblockcount(self) -> tuple[str, None]:
        return str(len(self.blocks) - 1), None

    def _getbestblockhash(self) -> tuple[str, None]:
        return json.dumps(_hash_of(self.blocks[-1])), None

    def _getrawmempool(self) -> tuple[str, None]:
        return json.dumps([json.loads(text)["txid"] for text in self.waiting]), None

    def _getrawtransaction(self, wanted: str, verbosity: int) -> tuple[str | None, str | None]:
        assert verbosity == 1
        for text in self.waiting:
            if json.loads(text)["txid"] == wanted:
                return text, None
        return None, '{"code": -5, "message": "No such mempool transaction. Use -txindex"}'

    def _getblockhash(self, height: int) -> tuple[str | None, str | None]:
        if not 0 <= height < len(self.blocks):
            return None, '{"code": -8, "message": "Block height out of range"}'
        return json.dumps(_hash_of(self.blocks[height])), None

    def _getblock(self, wanted: str, verbosity: int) -> tuple[str | None, str | None]:
        assert verbosity == 2
        hashes = [_hash_of(text) for text in self.blocks]
        if wanted in hashes:
            place = hashes.index(wanted)
            following = f', "nextblockhash": "{hashes[place + 1]}"' if place + 1 < len(hashes) else ""
            return self.blocks[place] + following + "}", None
        for text in self.orphans:
            if _hash_of(text) == wanted:
                return text + "}", None
        return None, '{"code": -5, "message": "Block not found"}'


def _hash_of(text: str) -> str:
    return str(json.loads(text + "}")["hash"])
