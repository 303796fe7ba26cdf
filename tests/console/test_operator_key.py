"""An operator's key in its file, and the city's word on a gateway's record key."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.console.operator_key import (
    STATEMENT_DOMAIN,
    OperatorKey,
    OperatorKeyError,
    is_signed,
    load_city_key,
    record_key,
)
from gateway.core.record import key_id
from gateway.shell.signer import Signer
from tests.records import CITY_KEY, GATEWAY_KEY, OTHER_KEY, public


def test_a_key_is_made_once_kept_private_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "operator.pem"
    made = OperatorKey.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert OperatorKey.load(path).id == made.id == key_id(base64.b64decode(made.public_base64))
    assert is_signed(base64.b64decode(made.public_base64), b"x\n", "line", made.sign(b"x\n", "line"))
    assert not is_signed(base64.b64decode(made.public_base64), b"y\n", "line", made.sign(b"x\n", "line"))
    with pytest.raises(OperatorKeyError, match="never overwritten"):
        OperatorKey.create(path)
    with pytest.raises(OperatorKeyError, match="No such file"):
        OperatorKey.create(tmp_path / "none" / "key")


def test_what_is_no_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(OperatorKeyError, match="lotgate operator-key"):
        OperatorKey.load(path)
    path.write_text("nothing", encoding="ascii")
    with pytest.raises(OperatorKeyError, match="no plain private key"):
        OperatorKey.load(path)
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(OperatorKeyError, match="not an Ed25519 key"):
        OperatorKey.load(path)
    with pytest.raises(OperatorKeyError, match="no public key"):
        load_city_key(path)
    path.write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(OperatorKeyError, match="not an Ed25519 key"):
        load_city_key(path)
    path.write_bytes(CITY_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert load_city_key(path) == public(CITY_KEY)
    assert Signer(CITY_KEY).key == key_id(public(CITY_KEY))


def statement(chain: str = "gw-1", pub: object = None) -> str:
    named = base64.b64encode(public(GATEWAY_KEY)).decode() if pub is None else pub
    return json.dumps({"chain": chain, "pub": named})


@pytest.mark.parametrize(
    ("line", "signer", "found"),
    [
        (statement(),               CITY_KEY,  True),
        (statement(),               OTHER_KEY, False),
        (statement("gw-2"),         CITY_KEY,  False),
        (statement(pub="AAAA"),     CITY_KEY,  False),
        (statement(pub=5),          CITY_KEY,  False),
        ("[]",                      CITY_KEY,  False),
        ("nothing",                 CITY_KEY,  False),
    ],
)  # fmt: skip
def test_the_citys_word_on_a_record_key(line: str, signer: object, found: bool) -> None:
    signature = base64.b64encode(signer.sign(STATEMENT_DOMAIN + line.encode())).decode()  # type: ignore[attr-defined]
    assert record_key(public(CITY_KEY), "gw-1", line, signature) == (public(GATEWAY_KEY) if found else None)
    assert record_key(public(CITY_KEY), "gw-1", line, "?") is None
