"""A chain of play money: an anvil, with the contracts on it, coins for everybody, and blocks when they are wanted.

For development and tests only. Everything here needs a node that signs for its own accounts and mines on demand.
"""

from __future__ import annotations

import itertools
from typing import Final

import httpx

from providers.evm.answers import as_hash, as_list, as_object, as_quantity, as_script, decode
from providers.evm.calls import Call, view
from providers.evm.contracts import DEPLOYER, artefact, deployment
from providers.evm.encoding import WORD
from providers.evm.networks import PLAY

_GAS: Final = hex(10_000_000)
_FEE: Final = 10**12  # wei per unit of gas: whatever the network asks
_SUPPLY: Final = 10**15  # a thousand million dollars of play money


class PlayChain:
    """An anvil. Its first account is the issuer of TestUSDC, and the one that everything is given by."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        """Use the caller's client."""
        self._client = client
        self._url = url
        self._ids = itertools.count(1)
        self._issuer: str | None = None

    async def ask(self, method: str, *params: object) -> object:
        """One call to the node; raises RuntimeError for an error."""
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        answer = as_object(decode((await self._client.post(self._url, json=body)).content))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    async def deploy(self) -> str:
        """Put the contracts there, and mine them, unless that is done; the script of TestUSDC, as `PLAY` has it.

        Raises RuntimeError when the chain was used for something else before.
        """
        (token,) = PLAY.tokens
        if await self.ask("eth_getCode", f"0x{token.contract}", "latest") == "0x":
            await self.send(Call(DEPLOYER, 0, deployment()))
            made = await self.create(artefact("TestUSDC").creation_code + _SUPPLY.to_bytes(WORD, "big"))
            if made != token.contract:
                raise RuntimeError("this anvil is not new: TestUSDC does not come to stand where it belongs")
        return token.contract

    async def create(self, creation_code: bytes) -> str:
        """Make a contract, and mine it; its script."""
        issuer = f"0x{await self.issuer()}"
        call = {"from": issuer, "data": f"0x{creation_code.hex()}", "gas": _GAS}
        txid = await self.ask("eth_sendTransaction", call)
        await self.mine()
        receipt = as_object(await self.ask("eth_getTransactionReceipt", txid))
        return as_script(receipt["contractAddress"])

    async def issuer(self) -> str:
        """The script of the account that everything is done from."""
        if self._issuer is None:
            self._issuer = as_script(as_list(await self.ask("eth_accounts"))[0])
        return self._issuer

    async def send(self, call: Call) -> str:
        """Send a call from the issuer, and mine it; its id. Whether it was reverted is not looked at."""
        txid = await self.put(call)
        await self.mine()
        return txid

    async def put(self, call: Call, *, tip: int = 0) -> str:
        """Send a call from the issuer, who offers this tip in wei, and leave it waiting; its id."""
        said = {
            "from": f"0x{await self.issuer()}",
            "to": f"0x{call.target}",
            "value": hex(call.value),
            "data": f"0x{call.data.hex()}",
            "gas": _GAS,
            "maxFeePerGas": hex(_FEE),
            "maxPriorityFeePerGas": hex(tip),
        }
        return as_hash(await self.ask("eth_sendTransaction", said))

    async def token(self, contract: str, signature: bytes, *arguments: str | int) -> str:
        """Have the issuer call a function of a contract, and mine it; the call's id."""
        return await self.send(Call(contract, 0, view(signature, *arguments)))

    async def pay_token(self, contract: str, recipient: str, units: int) -> str:
        """Pay play money out of the issuer's own, and mine it; the payment's id."""
        return await self.token(contract, b"transfer(address,uint256)", recipient, units)

    async def give(self, recipient: str, wei: int) -> None:
        """Let an account hold so much of the chain's own coin, out of nothing."""
        await self.ask("anvil_setBalance", f"0x{recipient}", hex(wei))

    async def mine(self, blocks: int = 1) -> None:
        """Mine what waits, and then empty blocks."""
        await self.ask("anvil_mine", hex(blocks))

    async def height(self) -> int:
        """The height of the newest block."""
        return as_quantity(await self.ask("eth_blockNumber"))
