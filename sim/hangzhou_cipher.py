"""The Hangzhou platform's cryptography, written from the published facts with plain integers: padding, power, digest by hand.

Shares nothing with the gateway's: a mistake in one shows against the other. Owns both ends' operations, since the stand-in
plays the city and its tests play a lot. Not for anything that is not a test.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

PIECE = 117
DIGEST_INFO = {
    "md5": bytes.fromhex("3020300c06082a864886f70d020505000410"),
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
}
"""DER in front of the digest (RFC 8017 section 9.2, note 1)."""


@dataclass(frozen=True, slots=True)
class PublicNumbers:
    """Modulus and public exponent."""

    n: int
    e: int

    @property
    def size(self) -> int:
        """Bytes of a block."""
        return (self.n.bit_length() + 7) // 8


@dataclass(frozen=True, slots=True)
class PrivateNumbers:
    """A private key as its numbers."""

    public: PublicNumbers
    d: int


def private_numbers(body: str) -> PrivateNumbers:
    """From the Base64 body of a PKCS #8 key."""
    key = load_der_private_key(base64.b64decode(body), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    found = key.private_numbers()
    return PrivateNumbers(PublicNumbers(found.public_numbers.n, found.public_numbers.e), found.d)


def public_numbers(body: str) -> PublicNumbers:
    """From the Base64 body of an X.509 key."""
    key = load_der_public_key(base64.b64decode(body))
    assert isinstance(key, rsa.RSAPublicKey)
    found = key.public_numbers()
    return PublicNumbers(found.n, found.e)


def lock_private(plain: bytes, key: PrivateNumbers) -> str:
    """Blocks of type 1 under a private key, in Base64."""
    return base64.b64encode(b"".join(_raise(_pad(part, key.public.size), key) for part in _parts(plain))).decode()


def unlock_public(cipher: str, key: PublicNumbers) -> bytes | None:
    """What `lock_private` made, or None."""
    found = b""
    for block in _blocks(cipher, key.size):
        part = _unpad(pow(int.from_bytes(block), key.e, key.n).to_bytes(key.size), 1) if block else None
        if part is None:
            return None
        found += part
    return found


def unlock_private(cipher: str, key: PrivateNumbers) -> bytes | None:
    """Blocks of type 2 that somebody encrypted to this key, or None."""
    found = b""
    for block in _blocks(cipher, key.public.size):
        part = _unpad(_raise(block, key), 2) if block else None
        if part is None:
            return None
        found += part
    return found


def sign(text: str, key: PrivateNumbers, digest: str = "md5") -> str:
    """Signature over the ASCII bytes of a text, in Base64."""
    return base64.b64encode(_raise(_pad(_told(text, digest), key.public.size), key)).decode()


def signed(text: str, signature: str, key: PublicNumbers, digest: str = "md5") -> bool:
    """Whether the signature covers the text as it stands."""
    raw = base64.b64decode(signature)
    return pow(int.from_bytes(raw), key.e, key.n).to_bytes(key.size) == _pad(_told(text, digest), key.size)


def _told(text: str, digest: str) -> bytes:
    return DIGEST_INFO[digest] + hashlib.new(digest, text.encode("ascii"), usedforsecurity=False).digest()


def _parts(plain: bytes) -> list[bytes]:
    return [plain[i : i + PIECE] for i in range(0, len(plain), PIECE)]


def _blocks(cipher: str, size: int) -> list[bytes]:
    raw = base64.b64decode(cipher)
    return [raw[i : i + size] for i in range(0, len(raw), size)] if raw and len(raw) % size == 0 else [b""]


def _pad(data: bytes, size: int) -> bytes:
    return b"\0\1" + b"\xff" * (size - 3 - len(data)) + b"\0" + data


def _unpad(block: bytes, kind: int) -> bytes | None:
    if block[:2] != bytes([0, kind]):
        return None
    filling, zero, data = block[2:].partition(b"\0")
    wrong = kind == 1 and set(filling) != {0xFF}
    return None if not zero or len(filling) < 8 or wrong else data


def _raise(block: bytes, key: PrivateNumbers) -> bytes:
    n = key.public.n
    return pow(int.from_bytes(block), key.d, n).to_bytes(key.public.size)
