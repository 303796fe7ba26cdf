"""AES-128 in ECB mode with the call shape of the board's block class, so that host nodes run the board's own cipher file."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ECB = 1


class Aes:
    """aes(key, 1).encrypt(blocks): `blocks` is whole 16-byte blocks. ValueError on another mode, as on the board."""

    def __init__(self, key: bytes, mode: int) -> None:
        if mode != ECB:
            raise ValueError("only ECB, mode 1")
        self._update = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update

    def encrypt(self, blocks: bytes) -> bytes:
        """The blocks, each encrypted alone."""
        if len(blocks) % 16:
            raise ValueError("whole blocks only")
        return self._update(blocks)
