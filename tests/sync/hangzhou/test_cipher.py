"""Known answers on both sides, and what the library and the facts say about wrong keys, wrong bits and long keys."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.sync.hangzhou.cipher import (
    PIECE_BYTES,
    CipherKey,
    KeyTextError,
    Sealed,
    SealFault,
    SignHash,
    read_private,
    read_public,
)
from sim.hangzhou_cipher import (
    lock_private,
    private_numbers,
    public_numbers,
    sign,
    signed,
    unlock_private,
    unlock_public,
)
from tests.hangzhou_keys import NUMBERS, PRIVATE, PUBLIC, PUBLIC_NUMBERS, VECTORS, seal

OWN = [name for name, vector in VECTORS.items() if vector["cipher_key"] == CipherKey.OWN_PRIVATE]
SIGNED = [
    (name, digest) for name, vector in VECTORS.items() for digest in ("md5", "sha1") if f"sign_{digest}" in vector
]


def test_all_four_vectors_are_there() -> None:
    assert list(VECTORS) == ["V1", "V2", "V3", "V4"]
    assert [len(vector["plain"].encode()) for vector in VECTORS.values()] == [70, 297, 234, 80]


@pytest.mark.parametrize("name", OWN)
def test_the_gateway_makes_the_known_cipher(name: str) -> None:
    assert seal().close(VECTORS[name]["plain"].encode()).cipher == VECTORS[name]["cipher"]


@pytest.mark.parametrize("name", OWN)
def test_the_stand_in_makes_the_known_cipher(name: str) -> None:
    assert lock_private(VECTORS[name]["plain"].encode(), NUMBERS) == VECTORS[name]["cipher"]


@pytest.mark.parametrize(("name", "digest"), SIGNED)
def test_both_make_the_known_signature(name: str, digest: str) -> None:
    vector = VECTORS[name]
    known = vector[f"sign_{digest}"]
    assert sign(vector["cipher"], NUMBERS, digest) == known
    assert signed(vector["cipher"], known, PUBLIC_NUMBERS, digest)
    if vector["cipher_key"] == CipherKey.OWN_PRIVATE:
        assert seal(sign_hash=SignHash(digest)).close(vector["plain"].encode()).sign == known


@pytest.mark.parametrize(("name", "digest"), SIGNED)
def test_both_read_the_known_message(name: str, digest: str) -> None:
    vector = VECTORS[name]
    opener = seal(CipherKey(vector["cipher_key"]), SignHash(digest))
    assert opener.open(Sealed(vector["cipher"], vector[f"sign_{digest}"])) == json.loads(vector["plain"])
    own = vector["cipher_key"] == CipherKey.OWN_PRIVATE
    plain = unlock_public(vector["cipher"], PUBLIC_NUMBERS) if own else unlock_private(vector["cipher"], NUMBERS)
    assert plain == vector["plain"].encode()


def test_server_public_mode_goes_both_ways() -> None:
    # V4 is random, so making it again shows by reading, on both sides.
    plain = VECTORS["V4"]["plain"].encode()
    one = seal(CipherKey.SERVER_PUBLIC, SignHash.SHA1)
    sealed = one.close(plain)
    assert sealed.cipher != one.close(plain).cipher
    assert one.open(sealed) == json.loads(plain)
    assert unlock_private(sealed.cipher, NUMBERS) == plain
    assert signed(sealed.cipher, sealed.sign, PUBLIC_NUMBERS, "sha1")


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_whole_pieces_make_no_empty_block(pieces: int) -> None:
    plain = b"{" + b" " * (PIECE_BYTES * pieces - 2) + b"}"
    assert len(base64.b64decode(seal().close(plain).cipher)) == 128 * pieces
    assert seal().open(seal().close(plain)) == {}


@pytest.mark.parametrize(("name", "cipher", "signature", "fault"), [
    ("a flipped bit in the signature", "V1", "flip",            SealFault.SIGNATURE),
    ("another message's signature",    "V1", "V3",              SealFault.SIGNATURE),
    ("no Base64 in the signature",     "V1", "***",             SealFault.SIGNATURE),
    ("a re-wrapped cipher",            "wrapped", "V1",         SealFault.SIGNATURE),
    ("half a block, rightly signed",   "half", "sign",          SealFault.BLOCKS),
    ("nothing, rightly signed",        "", "sign",              SealFault.BLOCKS),
    ("a flipped bit, rightly signed",  "flip", "sign",          SealFault.BLOCKS),
    ("a list, rightly signed",         "list", "sign",          SealFault.KEY),
    ("no JSON, rightly signed",        "words", "sign",         SealFault.KEY),
    ("a megabyte",                     "long", "V1",            SealFault.TOO_LONG),
])  # fmt: skip
def test_a_wrong_message_is_named(name: str, cipher: str, signature: str, fault: SealFault) -> None:
    v1 = VECTORS["V1"]
    raw = bytearray(base64.b64decode(v1["cipher"]))
    raw[5] ^= 1
    text = {
        "V1": v1["cipher"],
        "wrapped": v1["cipher"][:76] + "\n" + v1["cipher"][76:],
        "half": base64.b64encode(raw[:64]).decode(),
        "flip": base64.b64encode(raw).decode(),
        "list": lock_private(b"[1]", NUMBERS),
        "words": lock_private(b"words", NUMBERS),
        "long": "A" * 2_000_000,
    }.get(cipher, cipher)
    mark = {
        "V1": v1["sign_md5"],
        "V3": VECTORS["V3"]["sign_md5"],
        "flip": "A" + v1["sign_md5"][1:],
    }.get(signature, signature)
    if signature == "sign":
        mark = sign(text, NUMBERS)
    assert seal().open(Sealed(text, mark)) is fault, name


def pair(bits: int) -> tuple[RSAPrivateKey, str, str]:
    key = generate_private_key(65537, bits)
    private = base64.b64encode(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key, private, base64.b64encode(public).decode()


def test_a_wrong_private_key_gives_noise_and_is_called_a_fault_of_keys() -> None:
    # Since OpenSSL 3.2 the library gives random bytes instead of an error: only the signature and the JSON tell.
    other, _, _ = pair(1024)
    sealed = seal(CipherKey.SERVER_PUBLIC).close(b'{"data":{}}')
    ours = replace(seal(CipherKey.SERVER_PUBLIC), own=other)
    assert ours.open(sealed) in (SealFault.KEY, SealFault.BLOCKS)


def test_a_long_key_cuts_by_its_own_size() -> None:
    key, private, public = pair(2048)
    long = replace(seal(), own=key, city=key.public_key())
    plain = b'{"a":"' + b"x" * 300 + b'"}'
    sealed = long.close(plain)
    assert len(base64.b64decode(sealed.cipher)) == 3 * 256
    assert long.open(sealed) == json.loads(plain)
    assert unlock_public(sealed.cipher, public_numbers(public)) == plain
    assert lock_private(plain, private_numbers(private)) == sealed.cipher


def test_the_library_is_as_the_facts_say() -> None:
    key = read_private(PRIVATE)
    block = key.sign(b"x" * PIECE_BYTES, PKCS1v15(), NoDigestInfo())
    with pytest.raises(ValueError, match=r"."):
        key.sign(b"x" * (PIECE_BYTES + 1), PKCS1v15(), NoDigestInfo())
    other, _, _ = pair(1024)
    for public, wrong in (
        (other.public_key(), block),
        (read_public(PUBLIC), block[:-1]),
        (read_public(PUBLIC), bytes(128)),
    ):
        with pytest.raises(InvalidSignature):
            public.recover_data_from_signature(wrong, PKCS1v15(), None)
    with pytest.raises(ValueError, match=r"."):
        generate_private_key(65537, 1000)


@pytest.mark.parametrize("label", ["", "PRIVATE KEY", "RSA PRIVATE KEY"])
def test_a_private_key_is_read_under_any_label(label: str) -> None:
    text = f"-----BEGIN {label}-----\n{PRIVATE}\n-----END {label}-----\n" if label else PRIVATE + "\n"
    assert read_private(text).private_numbers() == read_private(PRIVATE).private_numbers()


@pytest.mark.parametrize(("read", "text"), [
    (read_private, "no key"), (read_private, PUBLIC), (read_public, PRIVATE), (read_public, ""), (read_public, "é"),
])  # fmt: skip
def test_a_wrong_key_text_is_named(read: object, text: str) -> None:
    with pytest.raises(KeyTextError):
        read(text)  # type: ignore[operator]
