"""A wallet for tests: bitcoinlib signs, so that nothing of the node's own code makes the signatures it checks."""

from __future__ import annotations

from collections.abc import Sequence

from bitcoinlib.keys import HDKey
from bitcoinlib.transactions import Transaction

from providers.sandbox.bitcoin.serialise import Outpoint, parse_transaction

_ACCOUNT = HDKey.from_seed("00" * 31 + "07", network="regtest", witness_type="segwit").key_for_path("m/84h/1h/0h/0")


class Purse:
    """One key with its P2WPKH address."""

    def __init__(self, index: int) -> None:
        self._key = _ACCOUNT.child_private(index)
        self.address: str = self._key.address()
        self.script = b"\x00\x14" + bytes(self._key.hash160)

    def pay(
        self,
        coin: tuple[Outpoint, int],
        outputs: Sequence[tuple[str, int]],
        *,
        fee: int,
        sequence: int = 0xFFFFFFFD,
        locktime: int = 0,
    ) -> str:
        """Spend one coin, what is left goes back; the signed transaction as hex."""
        (txid, vout), value = coin
        transaction = Transaction(network="regtest", witness_type="segwit", version=2, locktime=locktime)
        transaction.add_input(
            prev_txid=txid,
            output_n=vout,
            keys=self._key.public(),
            value=value,
            witness_type="segwit",
            sequence=sequence,
        )
        for address, amount in outputs:
            transaction.add_output(amount, address)
        change = value - sum(amount for _, amount in outputs) - fee
        if change > 0:
            transaction.add_output(change, self.address)
        transaction.sign(self._key, index_n=0)
        return str(transaction.raw_hex())


def txid_of(raw: str) -> str:
    """The txid, from the bytes: bitcoinlib's own is wrong after signing."""
    return parse_transaction(bytes.fromhex(raw)).txid
