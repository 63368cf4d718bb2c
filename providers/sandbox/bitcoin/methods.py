"""The JSON-RPC methods, with the names, arguments and refusals of Bitcoin Core."""

from __future__ import annotations

from collections.abc import Callable

from providers.sandbox.bitcoin import arguments, views
from providers.sandbox.bitcoin.address import OP_RETURN, AddressRefused, script_of, script_type, witness_program
from providers.sandbox.bitcoin.errors import (
    ALREADY_IN_CHAIN,
    INVALID_PARAMETER,
    MISSING_OR_SPENT,
    NOT_FOUND,
    RpcError,
)
from providers.sandbox.bitcoin.mempool import decode
from providers.sandbox.bitcoin.node import Node
from providers.sandbox.bitcoin.policy import MIN_FEE_RATE
from providers.sandbox.bitcoin.serialise import Block

DEFAULT_MAX_FEE_RATE = "0.10"  # BTC per 1,000 virtual bytes, Core's guard against absurd fees
MAX_TARGET = 1_008  # blocks, the furthest that a fee can be estimated for
MAX_GENERATED = 10_000  # blocks in one call
_REASON_OF = {MISSING_OR_SPENT: "missing-inputs", ALREADY_IN_CHAIN: "txn-already-known"}


class Methods:
    """The methods of one node. Names of arguments are Core's, since callers may name them."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._view = node.view
        self._mempool = node.mempool
        methods: list[Callable[..., object]] = [
            self.estimatesmartfee,
            self.generatetoaddress,
            self.getbestblockhash,
            self.getblock,
            self.getblockchaininfo,
            self.getblockcount,
            self.getblockhash,
            self.getblockheader,
            self.getmempoolentry,
            self.getnetworkinfo,
            self.getrawmempool,
            self.getrawtransaction,
            self.gettxout,
            self.invalidateblock,
            self.scantxoutset,
            self.sendrawtransaction,
            self.testmempoolaccept,
            self.validateaddress,
        ]
        self.by_name = {method.__name__: method for method in methods}

    def getblockchaininfo(self) -> object:
        """The state of the chain."""
        tip = self._view.tip
        return {
            "chain": "regtest",
            "blocks": tip.height,
            "headers": tip.height,
            "bestblockhash": tip.hash,
            "bits": views.BITS,
            "difficulty": views.DIFFICULTY,
            "time": tip.time,
            "mediantime": self._view.median_time(tip),
            "verificationprogress": 1,
            "initialblockdownload": False,
            "chainwork": views.chainwork(tip),
            "size_on_disk": self._node.log.size,
            "pruned": False,
            "warnings": [],
        }

    def getnetworkinfo(self) -> object:
        """Who we are: alone, and with Core's version 31 policy as far as it is built."""
        rate = views.amount(MIN_FEE_RATE)
        return {
            "version": 310000,
            "subversion": "/rampwright-sandbox:31.0.0/",
            "protocolversion": 70016,
            "localrelay": True,
            "networkactive": False,
            "connections": 0,
            "relayfee": rate,
            "incrementalfee": rate,
            "warnings": [],
        }

    def getblockcount(self) -> object:
        """The height of the tip."""
        return self._view.tip.height

    def getbestblockhash(self) -> object:
        """The hash of the tip."""
        return self._view.tip.hash

    def getblockhash(self, height: object) -> object:
        """The active chain's block at a height."""
        wanted = arguments.whole(height)
        if not 0 <= wanted < len(self._view.active):
            raise RpcError(INVALID_PARAMETER, "Block height out of range")
        return self._view.active[wanted]

    def getblockheader(self, blockhash: object, verbose: object = True) -> object:
        """A block's header, as JSON or as bytes."""
        block = self._view.block(arguments.hash_of(blockhash, "blockhash"))
        return views.header(self._view, block) if arguments.flag(verbose) else block.raw[:80].hex()

    def getblock(self, blockhash: object, verbosity: object = 1) -> object:
        """A block: 0 bytes, 1 with the ids of its transactions, 2 with the transactions whole."""
        block = self._view.block(arguments.hash_of(blockhash, "blockhash"))
        level = arguments.verbosity(verbosity)
        return block.raw.hex() if level <= 0 else views.block(self._view, block, with_transactions=level > 1)

    def getrawtransaction(self, txid: object, verbosity: object = 0, blockhash: object = None) -> object:
        """A transaction of the mempool, of the active chain (as with Core's -txindex), or of a block that is named."""
        wanted = arguments.hash_of(txid, "txid")
        block: Block | None = None
        if blockhash is not None:
            block = self._view.block(arguments.hash_of(blockhash, "blockhash"))
        elif wanted not in self._mempool.entries:
            block = self._view.block_of(wanted)
        if block is not None:
            found = next((each for each in block.transactions if each.txid == wanted), None)
        else:
            waiting = self._mempool.entries.get(wanted)
            found = None if waiting is None else waiting.transaction
        if found is None:
            raise RpcError(NOT_FOUND, "No such mempool or blockchain transaction")
        if arguments.verbosity(verbosity) <= 0:
            return found.raw.hex()
        answer = views.transaction(found)
        if block is not None:
            confirmations = self._view.confirmations(block)
            answer |= {"blockhash": block.hash, "confirmations": max(confirmations, 0)}
            answer |= {"time": block.time, "blocktime": block.time}
            if blockhash is not None:
                answer["in_active_chain"] = confirmations > 0
        return answer

    def gettxout(self, txid: object, n: object, include_mempool: object = True) -> object:
        """An unspent output, or null."""
        outpoint = (arguments.hash_of(txid, "txid"), arguments.whole(n))
        if arguments.flag(include_mempool):
            coin = None if outpoint in self._mempool.spender else self._mempool.coin(outpoint)
        else:
            coin = self._view.coins.get(outpoint)
        return None if coin is None else views.coin(self._view, coin)

    def scantxoutset(self, action: object, scanobjects: object = None) -> object:
        """Every confirmed coin of some scripts."""
        if arguments.text(action) != "start":
            return False if action == "abort" else None  # a scan is over before anybody can ask about it
        wanted = dict(arguments.descriptor(each) for each in arguments.array(scanobjects))
        found = [
            (outpoint, coin, said) for script, said in wanted.items() for outpoint, coin in self._view.coins.of(script)
        ]
        return {
            "success": True,
            "txouts": len(self._view.coins),
            "height": self._view.tip.height,
            "bestblock": self._view.tip.hash,
            "unspents": [views.unspent(self._view, outpoint, coin, said) for outpoint, coin, said in found],
            "total_amount": views.amount(sum(coin.value for _, coin, _ in found)),
        }

    def sendrawtransaction(
        self, hexstring: object, maxfeerate: object = DEFAULT_MAX_FEE_RATE, maxburnamount: object = 0
    ) -> object:
        """Let a transaction into the mempool; one that waits already is answered with its txid again."""
        raw = arguments.raw_transaction(hexstring)
        burned = [output.value for output in decode(raw).outputs if output.script[:1] == bytes([OP_RETURN])]
        if any(value > arguments.satoshi(maxburnamount) for value in burned):
            raise RpcError(MISSING_OR_SPENT, "Unspendable output exceeds maximum configured by user (maxburnamount)")
        return self._node.submit(raw, max_fee_rate=arguments.satoshi(maxfeerate))

    def testmempoolaccept(self, rawtxs: object, maxfeerate: object = DEFAULT_MAX_FEE_RATE) -> object:
        """Whether the mempool would take each transaction by itself (packages are not known here)."""
        most = arguments.satoshi(maxfeerate)
        return [self._judged(arguments.raw_transaction(each), most) for each in arguments.array(rawtxs)]

    def _judged(self, raw: bytes, max_fee_rate: int) -> dict[str, object]:
        transaction = decode(raw)
        answer: dict[str, object] = {"txid": transaction.txid, "wtxid": transaction.wtxid}
        try:
            fee = self._mempool.check(transaction).fee
        except RpcError as refusal:
            return answer | {"allowed": False, "reject-reason": _REASON_OF.get(refusal.code, refusal.message)}
        if max_fee_rate and fee * 1_000 > max_fee_rate * transaction.vsize:
            return answer | {"allowed": False, "reject-reason": "max-fee-exceeded"}
        return answer | {"allowed": True, "vsize": transaction.vsize, "fees": {"base": views.amount(fee)}}

    def getrawmempool(self, verbose: object = False, mempool_sequence: object = False) -> object:
        """The waiting transactions."""
        if arguments.flag(mempool_sequence):
            raise RpcError(INVALID_PARAMETER, "The mempool sequence is not kept here")
        if arguments.flag(verbose):
            return {txid: views.mempool_entry(self._mempool, txid) for txid in self._mempool.entries}
        return list(self._mempool.entries)

    def getmempoolentry(self, txid: object) -> object:
        """One waiting transaction."""
        wanted = arguments.hash_of(txid, "txid")
        if wanted not in self._mempool.entries:
            raise RpcError(NOT_FOUND, "Transaction not in mempool")
        return views.mempool_entry(self._mempool, wanted)

    def estimatesmartfee(self, conf_target: object, estimate_mode: object = "economical") -> object:
        """The fee rate that the sandbox was told to name; without one, what a young Core answers."""
        target = arguments.whole(conf_target)
        if not 1 <= target <= MAX_TARGET:
            raise RpcError(INVALID_PARAMETER, f"Invalid conf_target, must be between 1 and {MAX_TARGET}")
        if arguments.text(estimate_mode).lower() not in ("unset", "economical", "conservative"):
            raise RpcError(INVALID_PARAMETER, "Invalid estimate_mode parameter")
        if self._node.fee_rate is None:
            return {"errors": ["Insufficient data or no feerate found"], "blocks": max(target, 2)}
        return {"feerate": views.amount(self._node.fee_rate), "blocks": target}

    def validateaddress(self, address: object) -> object:
        """Whether an address is one of this chain."""
        said = arguments.text(address)
        try:
            script = script_of(said)
        except AddressRefused as refusal:
            return {"isvalid": False, "error_locations": [], "error": refusal.message}
        version, program = witness_program(script) or (0, b"")
        return {
            "isvalid": True,
            "address": said.lower(),
            "scriptPubKey": script.hex(),
            "isscript": script_type(script) == "witness_v0_scripthash",
            "iswitness": True,
            "witness_version": version,
            "witness_program": program.hex(),
        }

    def generatetoaddress(self, nblocks: object, address: object, maxtries: object = None) -> object:
        """Mine blocks with what the mempool holds. `maxtries` is accepted and not needed."""
        count = arguments.whole(nblocks)
        if not 0 <= count <= MAX_GENERATED:
            raise RpcError(INVALID_PARAMETER, f"nblocks must be between 0 and {MAX_GENERATED}")
        return self._node.mine(count, script_of(arguments.text(address)))

    def invalidateblock(self, blockhash: object) -> object:
        """Refuse a block and all upon it; the chain is rebuilt without them."""
        self._node.invalidate(arguments.hash_of(blockhash, "blockhash"))
        return None
