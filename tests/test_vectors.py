"""The published vectors under seeds/records: gateway and city, each with its own code, read them the same way."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.record import canonical, key_id, plate_commitment, record_hash, signed_bytes
from gateway.messages import Down, Opening, Receipt, Records, SignedLine
from gateway.sync.downlink import Downlink
from sim.city import City
from sim.city_verifier import ChainKey, leaf_hash, opens, read_line
from tests.records import public

FOLDER = Path(__file__).resolve().parent.parent / "seeds" / "records"
RECORD, RECEIPT, DOWN, KEY = (
    json.loads((FOLDER / f"{name}.json").read_text()) for name in ("record", "receipt", "down", "key")
)
CITY_PUBLIC = base64.b64decode(DOWN["key"]["public"])


def private(vectors):
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vectors["key"]["seed"]))


def signed(vector):
    return SignedLine(vector["line"], base64.b64decode(vector["signature"]))


def names(vectors):
    return [vector["name"] for vector in vectors["bad"]]


@pytest.mark.parametrize("vectors", [RECORD, RECEIPT, DOWN, KEY])
def test_keys(vectors):
    assert base64.b64encode(public(private(vectors))).decode() == vectors["key"]["public"]
    assert key_id(public(private(vectors))) == vectors["key"]["id"]


@pytest.mark.parametrize("index", range(len(RECORD["good"])))
def test_record(index):
    vector = RECORD["good"][index]
    line, raw = vector["line"], base64.b64decode(vector["signature"])
    assert canonical(json.loads(line)) == line
    assert record_hash(line).hex() == leaf_hash(line) == vector["hash"]
    assert private(RECORD).sign(signed_bytes(line)) == raw
    assert json.loads(line)["prev"] == (RECORD["good"][index - 1]["hash"] if index else "0" * 64)
    read = read_line(line, raw, RECORD["chain"], ChainKey(public(private(RECORD))))
    assert (read.n, read.leaf) == (index + 1, vector["hash"])
    if "plate" in vector:
        assert plate_commitment(vector["plate"], vector["salt"]) == read.body["plate"]
        assert opens(read, vector["plate"], vector["salt"])


def given_to_city(vectors):
    """A city that was given these vectors in one message."""
    city = City(private(DOWN), ":memory:", {"c-1": public(private(RECORD))}, {})
    give(city, vectors)
    return city


def give(city, vectors):
    first = json.loads(vectors[0]["line"])["n"]
    disclose = tuple(Opening(first + i, v["plate"], v["salt"]) for i, v in enumerate(vectors) if "plate" in v)
    body = Records(1, first, tuple(map(signed, vectors)), RECORD["key"]["id"], disclose).to_json()
    city.receive("park/v1/hz/gw-1/rec/c-1", body, 5)


def test_the_city_takes_all_good_records():
    city = given_to_city(RECORD["good"])
    assert city.head("c-1").leaf == RECORD["good"][-1]["hash"]
    assert city.totals()["rejected"] == 0


@pytest.mark.parametrize("bad", RECORD["bad"], ids=names(RECORD))
def test_the_city_names_what_is_wrong(bad):
    city = given_to_city(RECORD["good"][:3])
    give(city, [bad])
    assert city.store.tallies()[f"fault/{bad['outcome']}"] == 1
    assert city.head("c-1").n == 3


def downlink():
    return Downlink("c-1", CITY_PUBLIC)


@pytest.mark.parametrize("vector", RECEIPT["good"], ids=lambda v: v["n"])
def test_receipt(vector):
    (event,) = downlink().receive("ack", Receipt(signed(vector)).to_json())
    assert (event.epoch, event.n, event.record_hash.hex()) == (vector["epoch"], vector["n"], vector["hash"])


@pytest.mark.parametrize("bad", RECEIPT["bad"], ids=names(RECEIPT))
def test_bad_receipt(bad):
    (rejection,) = downlink().receive("ack", Receipt(signed(bad)).to_json())
    assert rejection.reason == bad["outcome"]


def test_numbered_lines():
    events = downlink().receive("dn", Down(tuple(map(signed, DOWN["good"]))).to_json())
    assert [event.origin.dn for event in events] == [vector["dn"] for vector in DOWN["good"]]
    assert [type(event).__name__ for event in events] == ["LeaseGranted", "PaymentReported"]


@pytest.mark.parametrize("bad", DOWN["bad"], ids=names(DOWN))
def test_bad_numbered_line(bad):
    (rejection,) = downlink().receive("dn", Down((signed(bad),)).to_json())
    assert rejection.reason == bad["outcome"]


def test_key_statement():
    (vector,) = KEY["good"]
    private(KEY).public_key().verify(signed(vector).signature, b"lotgate-key-v1\n" + vector["line"].encode())
    stated = json.loads(vector["line"])
    assert canonical(stated) == vector["line"]
    assert stated == {
        "v": 1,
        "chain": vector["chain"],
        "key": vector["record_key"],
        "alg": "Ed25519",
        "pub": RECORD["key"]["public"],
        "from_n": 1,
        "lot": vector["lot"],
    }
