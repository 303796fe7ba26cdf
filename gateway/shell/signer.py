"""The record key: made on the device, kept in one file, used for one thing.

Owns the file (PEM, PKCS #8, mode 0600) and the Ed25519 signature. The key is loaded once; loading it for each signature would
halve the rate. Refuses to know what it signs.
"""

from __future__ import annotations

import base64
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

from gateway.core.record import key_id


class KeyFileError(Exception):
    """The key file is missing or holds no Ed25519 key; the text names the file and the remedy."""


class Signer:
    """Signs with one Ed25519 key. `key` is its id, `public_base64` its 32 public bytes."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key = key_id(public)
        self.public_base64 = base64.b64encode(public).decode()

    @classmethod
    def load(cls, path: Path) -> Signer:
        """Read the key. Raises KeyFileError."""
        try:
            private = load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError:
            raise KeyFileError(f"{path}: no such key file; make one with `lotgate key {path}`") from None
        except OSError as error:
            raise KeyFileError(f"{path}: cannot be read ({error.strerror}); give it to the gateway's user") from None
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            # TypeError: the key is encrypted, and nobody is there at a restart to give a password.
            raise KeyFileError(f"{path}: no plain PEM private key ({error}); make one with `lotgate key`") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyFileError(f"{path}: not an Ed25519 key; make one with `lotgate key`")
        return cls(private)

    @classmethod
    def generate(cls) -> Signer:
        """A new key that is kept nowhere."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def create(cls, path: Path) -> Signer:
        """Make a new key in a new file of mode 0600. Raises KeyFileError if the file exists."""
        private = Ed25519PrivateKey.generate()
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyFileError(f"{path}: exists; a key is never overwritten, name another file") from None
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(path.parent)
        return cls(private)

    def sign(self, data: bytes) -> bytes:
        """Ed25519 signature of 64 bytes over data."""
        return self._private.sign(data)

    def made(self, key: str, data: bytes, signature: bytes) -> bool:
        """Whether a signature under this key's id is this key's; one under another id is not judged."""
        if key != self.key:
            return True
        try:
            self._private.public_key().verify(signature, data)
        except InvalidSignature:
            return False
        return True


def next_path(path: Path) -> Path:
    """Where the key lies that a start shall hand over to."""
    return path.with_name(path.name + ".next")


def load_keys(path: Path, current: str) -> tuple[Signer, Signer | None]:
    """The key that signs now, by its id in the chain ('' for a new one), and the one to hand over to. Raises KeyFileError.

    A death between the record that hands over and the files' exchange is made good here.
    """
    if not next_path(path).exists():
        return Signer.load(path), None
    following = Signer.load(next_path(path))
    if following.key == current:
        take_next(path)
        return following, None
    return Signer.load(path), following


def take_next(path: Path) -> None:
    """The next key takes the place of the old one, which is gone with it."""
    os.replace(next_path(path), path)
    _sync_folder(path.parent)


def load_public(path: Path) -> bytes:
    """The 32 bytes of an Ed25519 public key in a PEM file. Raises KeyFileError."""
    try:
        public = load_pem_public_key(path.read_bytes())
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such public key; put the city's PEM file there") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror}); give it to the gateway's user") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: no public key in PEM form ({error}); ask the city for its file again") from None
    if not isinstance(public, Ed25519PublicKey):
        raise KeyFileError(f"{path}: not an Ed25519 key; ask the city for the key that signs receipts")
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too: a key whose public half was signed must not be gone after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
