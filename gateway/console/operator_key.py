"""An operator's key, in a file that only its owner can read; and whose key a gateway's replies are under.

Owns the file (PEM, PKCS #8, mode 0600), the signature of a command, and the check of the city's word that a record key is a
chain's. Refuses to know what a command says.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

STATEMENT_DOMAIN = b"lotgate-key-v1\n"


class OperatorKeyError(Exception):
    """The key file is missing or holds no Ed25519 key; the text names the file and the remedy."""


class OperatorKey:
    """Signs with one operator's Ed25519 key. `id` is the key's id, `public_base64` its 32 public bytes."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = hashlib.sha256(public).hexdigest()[:16]
        self.public_base64 = base64.b64encode(public).decode()

    @classmethod
    def load(cls, path: Path) -> OperatorKey:
        """Read the key. Raises OperatorKeyError."""
        try:
            private = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise OperatorKeyError(f"{path}: {error.strerror}; make a key with `lotgate operator-key {path}`") from None
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise OperatorKeyError(f"{path}: no plain private key in PEM form ({error})") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise OperatorKeyError(f"{path}: not an Ed25519 key; make one with `lotgate operator-key`")
        return cls(private)

    @classmethod
    def create(cls, path: Path) -> OperatorKey:
        """Make a new key in a new file of mode 0600. Raises OperatorKeyError if the file exists or can't be written."""
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise OperatorKeyError(f"{path}: exists; a key is never overwritten, name another file") from None
        except OSError as error:
            raise OperatorKeyError(f"{path}: {error.strerror}; name a file in a folder of yours") from None
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        return cls(private)

    def sign(self, domain: bytes, line: str) -> bytes:
        """Ed25519 signature of 64 bytes over the domain and the line."""
        return self._private.sign(domain + line.encode())


def is_signed(public: bytes, domain: bytes, line: str, signature: bytes) -> bool:
    """Whether a signature of this key (32 bytes) covers a line under a domain."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, domain + line.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def load_city_key(path: Path) -> bytes:
    """The 32 bytes of the city's public key in a PEM file. Raises OperatorKeyError."""
    try:
        public = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise OperatorKeyError(f"{path}: no public key in PEM form ({error}); put the city's file there") from None
    if not isinstance(public, Ed25519PublicKey):
        raise OperatorKeyError(f"{path}: not an Ed25519 key; ask the city for the key that signs receipts")
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def record_key(city: bytes, gateway: str, statement: str, signature: str) -> bytes | None:
    """The 32 bytes of a gateway's record key by the city's signed statement, None if the statement does not hold.

    `city`: 32 bytes of its key; `signature`: base64.
    """
    try:
        if not is_signed(city, STATEMENT_DOMAIN, statement, base64.b64decode(signature, validate=True)):
            return None
        said = json.loads(statement)
        public = base64.b64decode(said["pub"], validate=True)
    except (ValueError, KeyError, TypeError):
        return None
    return public if said.get("chain") == gateway and len(public) == 32 else None
