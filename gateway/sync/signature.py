"""Whether a line is the city's or an operator's: a domain prefix and the exact text, under an Ed25519 key.

The prefix keeps a receipt from passing for a payment, and both from passing for a record.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

RECEIPT_DOMAIN = b"lotgate-receipt-v1\n"
DOWN_DOMAIN = b"lotgate-down-v1\n"


class PublicKey:
    """Somebody's public key (32 bytes), loaded once. Raises ValueError when the bytes are no key."""

    def __init__(self, public: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(public)

    def signed(self, domain: bytes, line: str, signature: bytes) -> bool:
        """Whether the signature covers this line under this domain."""
        try:
            self._key.verify(signature, domain + line.encode())
        except InvalidSignature:
            return False
        return True


class CityKey(PublicKey):
    """The city's public key."""
