"""The platform's legacy cryptography: RSA blocks as "encryption", and an MD5 or SHA-1 signature over their Base64.

Owns both directions and the loading of keys as the city hands them out. Rules: the signature is checked over the text as it
came, before anything is decrypted; what then is no JSON object is a fault of keys, never a message. This is authenticity of
a weak kind and no secrecy: whoever has a public key reads everything. Nothing else of the product may use it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo
from cryptography.hazmat.primitives.hashes import MD5, SHA1, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

PIECE_BYTES = 117
"""Plain bytes of one block: every known client's constant, also under a longer key."""
CIPHER_TEXT_MAX = 1_048_576
"""Base64 of one message: a photo of 512 KB inside the cipher takes 767 KB."""


class CipherKey(StrEnum):
    """With which key a sender encrypts."""

    OWN_PRIVATE = "own-private"
    SERVER_PUBLIC = "server-public"


class SignHash(StrEnum):
    """The hash of the signature."""

    MD5 = "md5"
    SHA1 = "sha1"


class DataForm(StrEnum):
    """How the fields of a call stand under `data`: as an object, or as a text that holds the object."""

    OBJECT = "object"
    STRING = "string"


class SealFault(StrEnum):
    """Why a sealed message is none."""

    TOO_LONG = "too-long"
    SIGNATURE = "signature"
    BLOCKS = "blocks"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Sealed:
    """Base64 of the blocks, and Base64 of the signature over exactly that text."""

    cipher: str
    sign: str


class KeyTextError(ValueError):
    """A key is not what the city hands out; the text says what it should be."""


def read_private(text: str) -> RSAPrivateKey:
    """The own private key from its Base64 body (PKCS #8 DER), with or without PEM lines. Raises KeyTextError."""
    try:
        key = load_der_private_key(_der(text), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyTextError(f"no private key in PKCS #8 as Base64 ({error})") from None
    if not isinstance(key, RSAPrivateKey):
        raise KeyTextError("not an RSA private key")
    return key


def read_public(text: str) -> RSAPublicKey:
    """The city's public key from its Base64 body (X.509 DER), with or without PEM lines. Raises KeyTextError."""
    try:
        key = load_der_public_key(_der(text))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyTextError(f"no public key in X.509 form as Base64 ({error})") from None
    if not isinstance(key, RSAPublicKey):
        raise KeyTextError("not an RSA public key")
    return key


@dataclass(frozen=True, slots=True)
class Seal:
    """One lot's way of sealing and opening: its own private key, the city's public key, and the city's two choices."""

    own: RSAPrivateKey
    city: RSAPublicKey
    cipher_key: CipherKey
    sign_hash: SignHash

    def close(self, plain: bytes) -> Sealed:
        """Encrypt and sign a message to the city."""
        return self.signed(self.blocks(plain))

    def blocks(self, plain: bytes) -> Iterator[bytes]:
        """The encrypted blocks one by one: a photo has thousands, and each private one takes up to a millisecond."""
        for i in range(0, len(plain), PIECE_BYTES):
            piece = plain[i : i + PIECE_BYTES]
            if self.cipher_key is CipherKey.OWN_PRIVATE:
                yield self.own.sign(piece, PKCS1v15(), NoDigestInfo())
            else:
                yield self.city.encrypt(piece, PKCS1v15())

    def signed(self, blocks: Iterable[bytes]) -> Sealed:
        """Blocks joined, as text, and signed."""
        cipher = base64.b64encode(b"".join(blocks)).decode("ascii")
        signature = self.own.sign(cipher.encode("ascii"), PKCS1v15(), _hash(self.sign_hash))
        return Sealed(cipher, base64.b64encode(signature).decode("ascii"))

    def open(self, sealed: Sealed) -> dict[str, Any] | SealFault:
        """The object in a message of the city, or why there is none."""
        if len(sealed.cipher) > CIPHER_TEXT_MAX:
            return SealFault.TOO_LONG
        try:
            signature = base64.b64decode(sealed.sign, validate=True)
            self.city.verify(signature, sealed.cipher.encode("ascii"), PKCS1v15(), _hash(self.sign_hash))
        except (InvalidSignature, binascii.Error, ValueError):
            return SealFault.SIGNATURE
        try:
            plain = self._decrypt(base64.b64decode(sealed.cipher, validate=True))
        except (InvalidSignature, binascii.Error, ValueError):
            return SealFault.BLOCKS
        try:
            found = json.loads(plain.decode("utf-8"))
        except (ValueError, RecursionError):
            # Private-key decryption under a wrong key gives random bytes and no error since OpenSSL 3.2.
            return SealFault.KEY
        return found if isinstance(found, dict) else SealFault.KEY

    def _decrypt(self, data: bytes) -> bytes:
        own = self.cipher_key is CipherKey.SERVER_PUBLIC
        size = (self.own.key_size if own else self.city.key_size) // 8
        if not data or len(data) % size:
            raise ValueError("not whole blocks")
        blocks = [data[i : i + size] for i in range(0, len(data), size)]
        if own:
            return b"".join(self.own.decrypt(block, PKCS1v15()) for block in blocks)
        return b"".join(self.city.recover_data_from_signature(block, PKCS1v15(), None) for block in blocks)


def _hash(name: SignHash) -> HashAlgorithm:
    return MD5() if name is SignHash.MD5 else SHA1()


def _der(text: str) -> bytes:
    # A label is not looked at: a PKCS #8 body is handed out under the label of another form.
    lines = [line.strip() for line in text.splitlines()]
    return base64.b64decode("".join(line for line in lines if not line.startswith("-----")), validate=True)
