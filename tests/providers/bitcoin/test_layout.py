"""Reading serialised transactions."""

import pytest

from providers.bitcoin.building import FeePolicy, plan_transaction
from providers.bitcoin.layout import read_transaction
from tests.providers.bitcoin.samples import EVERY_KIND, change_of, coin, pay, regtest_wallet

# The coinbase of Bitcoin's first block.
GENESIS = (
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054"
    "696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420"
    "666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61"
    "deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)
# The native P2WPKH example of BIP-143, signed.
BIP143 = (
    "01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26b"
    "a6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecba"
    "b4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202c"
    "b206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2"
    "d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a95"
    "4c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253"
    "f62fc70f07aeee635711000000"
)


def test_the_older_serialisation() -> None:
    layout = read_transaction(bytes.fromhex(GENESIS))
    assert layout.txid == "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
    assert layout.vsize == len(GENESIS) // 2
    assert (layout.outputs[0][1], layout.inputs[0].witness) == (50 * 10**8, ())


def test_the_segwit_serialisation() -> None:
    layout = read_transaction(bytes.fromhex(BIP143))
    assert layout.txid == "e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609"
    assert [len(each.witness) for each in layout.inputs] == [0, 2]
    assert [each.sequence for each in layout.inputs] == [0xFFFFFFEE, 0xFFFFFFFF]
    assert [amount for _, amount in layout.outputs] == [112340000, 223450000]
    assert (layout.version, layout.locktime) == (1, 17)


def test_every_cut_and_every_addition_is_noticed() -> None:
    wallet = regtest_wallet()
    recipients = [pay(1_000, script) for script in EVERY_KIND]
    plan = plan_transaction([coin(0, 90_000)], recipients, change_of(wallet), fee_rate=1, fees=FeePolicy())
    raw = wallet.signed(plan.draft)
    assert read_transaction(raw).outputs == tuple((output.script, output.amount) for output in plan.draft.outputs)
    for size in range(len(raw)):
        with pytest.raises(ValueError, match=r"cut short|left over"):
            read_transaction(raw[:size])
    with pytest.raises(ValueError, match="left over"):
        read_transaction(raw + b"\x00")
