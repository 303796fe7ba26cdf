"""AES-CMAC and AES-CTR on the gateway, by the `cryptography` library, in the shape that the wire asks for."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC


class HostCipher:
    """Keys and iv are 16 bytes each; a tag has 16 bytes."""

    def cmac(self, key: bytes, data: bytes) -> bytes:
        """AES-CMAC (RFC 4493) of the data."""
        mac = CMAC(algorithms.AES(key))
        mac.update(data)
        return mac.finalize()

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """The data with the key stream over it; the same call undoes it."""
        return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(data)
