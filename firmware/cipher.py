"""AES-CMAC (RFC 4493) and AES-CTR from a bare AES-ECB block class, for nodes on either interpreter.

Owns the two constructions and nothing else. The block class comes in as an argument with the call shape of
MicroPython's `cryptolib.aes`: aes(key, 1).encrypt(blocks). Keys are set up once and kept, since a node uses the same
three all the time.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Block(Protocol):
        """One AES-128 key in ECB mode."""

        def encrypt(self, blocks: bytes) -> bytes: ...


ECB = 1
BLOCK_BYTES = 16
KEYS_MAX = 8  # node key, and two keys each for the running and the offered session, with room for one change
TOP_BIT = 1 << 127
MASK = (1 << 128) - 1


class Cipher:
    """CMAC and CTR over one AES implementation."""

    def __init__(self, aes: "Callable[[bytes, int], Block]") -> None:
        self._aes = aes
        self._keys: dict[bytes, tuple[Block, int, int]] = {}

    def cmac(self, key: bytes, data: bytes) -> bytes:
        """The 16-byte tag of `data` under a 16-byte key."""
        block, whole, padded = self._key(key)
        last = max(0, (len(data) - 1) // BLOCK_BYTES) * BLOCK_BYTES
        chain = bytes(BLOCK_BYTES)
        for at in range(0, last, BLOCK_BYTES):
            mixed = int.from_bytes(chain, "big") ^ int.from_bytes(data[at : at + BLOCK_BYTES], "big")
            chain = block.encrypt(mixed.to_bytes(BLOCK_BYTES, "big"))
        tail = data[last:]
        subkey = whole
        if len(tail) < BLOCK_BYTES:
            subkey = padded
            tail = tail + b"\x80" + bytes(BLOCK_BYTES - 1 - len(tail))
        mixed = int.from_bytes(chain, "big") ^ int.from_bytes(tail, "big") ^ subkey
        return bytes(block.encrypt(mixed.to_bytes(BLOCK_BYTES, "big")))

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """`data` with the key stream over it; the same call undoes it. `iv`: 16 bytes, counted up from its last bytes."""
        block = self._key(key)[0]
        counter = int.from_bytes(iv, "big")
        count = (len(data) + BLOCK_BYTES - 1) // BLOCK_BYTES
        blocks = b"".join([((counter + i) & MASK).to_bytes(BLOCK_BYTES, "big") for i in range(count)])
        stream = block.encrypt(blocks)[: len(data)] if count else b""
        mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
        return mixed.to_bytes(len(data), "big") if data else b""

    def _key(self, key: bytes) -> "tuple[Block, int, int]":
        known = self._keys.get(key)
        if known is None:
            if len(self._keys) >= KEYS_MAX:
                self._keys.clear()
            block = self._aes(key, ECB)
            whole = _double(int.from_bytes(block.encrypt(bytes(BLOCK_BYTES)), "big"))
            known = (block, whole, _double(whole))
            self._keys[key] = known
        return known


def _double(value: int) -> int:
    return (value << 1 & MASK) ^ (0x87 if value & TOP_BIT else 0)
