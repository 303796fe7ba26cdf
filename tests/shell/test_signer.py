"""Key files: made once, kept private, and named with a remedy when they are no good."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gateway.core.record import key_id
from gateway.shell.signer import KeyFileError, Signer, load_keys, load_public, next_path, take_next
from tests.lots import KEY

P256 = generate_private_key(SECP256R1())
LOCKED = BestAvailableEncryption(b"secret")


def private_pem(key, encryption=None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def public_pem(key) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_what_was_made_is_what_is_loaded(tmp_path: Path) -> None:
    made = Signer.create(tmp_path / "key.pem")
    loaded = Signer.load(tmp_path / "key.pem")
    assert (loaded.key, loaded.public_base64) == (made.key, made.public_base64)
    assert loaded.sign(b"line") == made.sign(b"line")


def test_the_signature_is_under_the_public_half_and_its_id() -> None:
    signer = Signer(KEY)
    raw = base64.b64decode(signer.public_base64, validate=True)
    signature = signer.sign(b"line")
    Ed25519PublicKey.from_public_bytes(raw).verify(signature, b"line")
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, b"another line")
    assert (len(signature), signer.key) == (64, key_id(raw))
    assert Signer.generate().key != Signer.generate().key


def test_only_the_owner_reads_the_file_whatever_the_umask(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        Signer.create(tmp_path / "key.pem")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    Signer.create(path)
    kept = path.read_bytes()
    with pytest.raises(KeyFileError, match="a key is never overwritten"):
        Signer.create(path)
    assert path.read_bytes() == kept


def test_a_public_key_is_read_as_its_32_bytes(tmp_path: Path) -> None:
    (tmp_path / "city.pub").write_bytes(public_pem(KEY))
    assert load_public(tmp_path / "city.pub") == KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@pytest.mark.parametrize(
    ("read", "content", "said"),
    [
        (Signer.load, b"",                             "no plain PEM private key"),
        (Signer.load, b"\xff\x00 no text",             "no plain PEM private key"),
        (Signer.load, private_pem(KEY)[:-40],          "no plain PEM private key"),
        (Signer.load, private_pem(KEY, LOCKED),        "no plain PEM private key"),
        (Signer.load, public_pem(KEY),                 "no plain PEM private key"),
        (Signer.load, private_pem(P256),               "not an Ed25519 key"),
        (load_public, b"",                             "no public key"),
        (load_public, public_pem(KEY)[:-40],           "no public key"),
        (load_public, private_pem(KEY),                "no public key"),
        (load_public, public_pem(P256),                "not an Ed25519 key"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_its_remedy(
    read: Callable[[Path], object], content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(KeyFileError, match=rf"key\.pem: {said}.*; (make|ask)"):
        read(tmp_path / "key.pem")


@pytest.mark.parametrize("read", [Signer.load, load_public])
def test_a_missing_file_and_one_that_cannot_be_read_are_named(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"nothing\.pem: no such"):
        read(tmp_path / "nothing.pem")
    with pytest.raises(KeyFileError, match="cannot be read"):
        read(tmp_path)


def test_the_next_key_waits_beside_the_old_one_until_it_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "record.pem"
    old = Signer.create(path)
    assert load_keys(path, old.key)[1] is None
    following = Signer.create(next_path(path))
    now, successor = load_keys(path, old.key)
    assert (now.key, successor and successor.key) == (old.key, following.key)
    take_next(path)
    assert load_keys(path, following.key)[0].key == following.key
    assert not next_path(path).exists()


def test_a_death_after_the_record_that_hands_over_is_made_good(tmp_path: Path) -> None:
    path = tmp_path / "record.pem"
    Signer.create(path)
    following = Signer.create(next_path(path))
    now, successor = load_keys(path, following.key)
    assert (now.key, successor, Signer.load(path).key) == (following.key, None, following.key)


@pytest.mark.parametrize(
    ("key",              "data",   "made"),
    [
        (Signer(KEY).key, b"line",  True),
        (Signer(KEY).key, b"other", False),
        ("0" * 16,        b"other", True),   # of another key: not for this one to judge
    ],
)  # fmt: skip
def test_it_knows_its_own_signature(key: str, data: bytes, made: bool) -> None:
    assert Signer(KEY).made(key, data, Signer(KEY).sign(b"line")) is made
