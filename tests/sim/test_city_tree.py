"""The city's tree against RFC 6962's own figures, its bills against a chain that a gateway wrote, and their size."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.bill_verifier import verify_bill
from gateway.core.benefit import Lowering
from gateway.core.charge import LINES_MAX, LOWERINGS_MAX, _lowering_lines, _tariff_lines
from gateway.core.entitlement import Kind
from gateway.core.moment import ClockQuality, Moment
from gateway.core.record import LINE_BYTES_MAX, Draft, plate_commitment, record_line
from gateway.core.tariff import BillLine
from sim.city import City
from sim.city_tree import QR_BYTES_MAX, NoBillError, bill_text, head, packed, path, qr_bytes, root
from tests.bills import PLATE, SALT
from tests.records import CITY_KEY, GATEWAY_KEY, WALL_MS, Chain, public
from tests.sim.test_city import give

DEPTH = 27
"""Height of a tree of 134 million records: nine years of a lot with 10,000 cars a day at four records each."""

INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots of the first 1, 2, ... of the leaves in the test data of Certificate Transparency's reference implementation."""


@pytest.mark.parametrize("count", range(1, 9))
def test_published_roots(count):
    leaves = [hashlib.sha256(b"\x00" + bytes.fromhex(text)).digest() for text in INPUTS[:count]]
    assert root(leaves).hex() == ROOTS[count - 1]


def test_the_empty_tree():
    assert root([]).hex() == hashlib.sha256(b"").hexdigest()


def city_with_a_bill():
    city, chain = City(CITY_KEY, ":memory:", {"c-1": public(GATEWAY_KEY)}, {}), Chain().fill(3)
    entry = chain.add("entry", {"session": "1.4"}, plate=PLATE)
    commitment = json.loads(entry.line)["body"]["plate"]
    lines = [{"text_zh": "时", "text_en": "hour", "units": 1, "unit_minor": 500, "amount_minor": 500}]
    body = {"session": "1.4", "currency": "CNY", "lines": lines, "amount_minor": 500, "outcome": "arrears"}
    chain.add("exit", {**body, "plate": commitment})
    give(city, chain.fill(9).records)
    return city


def test_a_bill_of_a_chain_that_was_taken():
    report = verify_bill(bill_text(city_with_a_bill().store, CITY_KEY, "c-1", "1.4", 7), public(CITY_KEY))
    assert (report.exit_code, report.reason) == (0, "")
    assert (report.n, report.size, report.at_ms, report.amount_minor, report.plate) == (5, 9, 7, 500, PLATE)


@pytest.mark.parametrize(
    ("kind", "names", "owes"),
    [
        # the record that bills, what it says of the exit in review, the read that owes
        ("exit",     {},                                         "entry"),
        ("exit",     {"pairs": "1.5"},                           "exit"),
        ("attached", {"stray": "1.5", "whose": "entry"},         "entry"),
        ("attached", {"stray": "1.5", "whose": "exit"},          "exit"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("reversed_", [False, True])
def test_the_bill_of_a_stay_shows_the_plate_that_owes(kind, names, owes, reversed_):
    city, chain = City(CITY_KEY, ":memory:", {"c-1": public(GATEWAY_KEY)}, {}), Chain().fill(3)
    reads = {"entry": chain.add("entry", {"session": "1.4"}, plate=PLATE)}
    body = {"session": "1.5", "currency": "CNY", "lines": [], "amount_minor": 0, "outcome": "review"}
    reads["exit"] = chain.add("exit", body, plate="blue 浙A99999")
    plates = {name: json.loads(read.line)["body"]["plate"] for name, read in reads.items()}
    if reversed_:
        chain.add("exit", {**body, "session": "1.4", "plate": plates["entry"]})
        chain.add("reversed", {"session": "1.4", "amount_minor": 0})
        give(city, chain.records)
        with pytest.raises(NoBillError, match="has no bill"):
            bill_text(city.store, CITY_KEY, "c-1", "1.4", 7)
    lines = [{"text_zh": "时", "text_en": "hour", "units": 1, "unit_minor": 300, "amount_minor": 300}]
    bill = {"session": "1.4", "currency": "CNY", "lines": lines, "amount_minor": 300, "outcome": "arrears"}
    chain.add(kind, {**bill, **names, "plate": plates[owes]})
    give(city, chain.fill(12).records)
    report = verify_bill(bill_text(city.store, CITY_KEY, "c-1", "1.4", 7), public(CITY_KEY))
    shown = {"entry": PLATE, "exit": "blue 浙A99999"}[owes]
    assert (report.reason, report.amount_minor, report.plate) == ("", 300, shown)


@pytest.mark.parametrize(("chain", "session"), [("c-1", "1.5"), ("c-2", "1.4")])
def test_there_is_no_bill_of_what_did_not_end(chain, session):
    with pytest.raises(NoBillError, match="has no bill"):
        bill_text(city_with_a_bill().store, CITY_KEY, chain, session, 7)


def largest_line():
    """The record of the longest bill that the gateway's rules write, with texts as tariffs have them and ids of 64 signs."""
    ids = [hashlib.sha256(bytes([i])).hexdigest() for i in range(8)]
    parts = ("工作日白天", "工作日夜间", "周末白天", "周末夜间", "节假日", "清晨", "高峰时段", "平峰时段")
    english = ("workday", "workday night", "weekend", "weekend night", "holiday", "early morning", "peak", "off-peak")
    tariff = [
        BillLine(
            f"{parts[i % 8]}首小时后每半小时",
            f"{english[i % 8]}, after the first hour, each half hour",
            WALL_MS + i * 7_380_000 + 17,
            WALL_MS + (i + 1) * 7_380_000 + 17,
            i + 3,
            100 * i + 250,
            (i + 3) * (100 * i + 250),
        )
        for i in range(20)
    ]
    words = [
        ("新能源车减免", "new energy vehicle"),
        ("商户减免", "validation of a shop"),
        ("居民九折", "resident, 10 % off"),
    ]
    lowered = [
        Lowering(Kind.VALIDATION, ids[i], *words[i % 3], WALL_MS + i, WALL_MS + 90_000_000 + i, -250 * i)
        for i in range(8)
    ]
    lines = [*_tariff_lines(tariff, LINES_MAX - LOWERINGS_MAX), *_lowering_lines(lowered)]
    body = {
        "session": "1.123456789",
        "lane": "exit-north-2",
        "at": WALL_MS + 90_000_000,
        "entered": WALL_MS,
        "elapsed_s": 90_000,
        "tariff": "hangzhou-2014-street-core",
        "tariff_hash": ids[5],
        "currency": "CNY",
        "lines": lines,
        "amount_minor": sum(line["amount_minor"] for line in lines),
        "outcome": "standing",
        "plate": plate_commitment(PLATE, SALT),
        "source": {"uid": "00000000000000a1", "log": 123_456, "seq": 987_654},
        "lease": {"lease": ids[6], "cap_minor": 10_000_000, "dn": 1_234_567},
        "block": ids[7],
    }
    now = Moment("0123456789abcdef0123456789abcdef", 987_654_321, WALL_MS + 90_000_123, ClockQuality.SYNCHRONISED)
    where = {"chain": "gw-hangzhou-00000001", "epoch": 1, "n": 123_459_999, "prev": ids[4], "key": "0123456789abcdef"}
    return record_line(Draft("exit", body), **where, dn=1_234_567, now=now)


def test_the_largest_bill_fits_a_qr_code(record_property):
    line = largest_line()
    assert 3000 < len(line.encode()) <= LINE_BYTES_MAX
    hashes = [hashlib.sha256(bytes([i, 1])).digest() for i in range(DEPTH)]
    text = packed(head(CITY_KEY, "gw-hangzhou-00000001", hashes, WALL_MS), CITY_KEY, line, hashes, (PLATE, SALT))
    record_property("qr_bytes", qr_bytes(text))
    print(f"record {len(line.encode())} bytes, text {len(text)} signs, {qr_bytes(text)} bytes of a QR code")
    assert qr_bytes(text) <= QR_BYTES_MAX
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_a_bill_that_does_not_fit_is_refused_by_name():
    hashes = [hashlib.sha256(bytes([i, 1])).digest() for i in range(90)]
    with pytest.raises(NoBillError, match="2900 are there"):
        packed(head(CITY_KEY, "c-1", hashes, 0), CITY_KEY, largest_line(), hashes, (PLATE, SALT))


def test_the_command_prints_a_bill(tmp_path):
    city, chain = City(CITY_KEY, str(tmp_path / "books.db"), {"c-1": public(GATEWAY_KEY)}, {}), Chain().fill(1)
    exit_ = {"session": "1.2", "currency": "CNY", "lines": [], "amount_minor": 0, "outcome": "review"}
    chain.add("exit", exit_, plate=PLATE)
    give(city, chain.records)
    city.store.close()
    key = tmp_path / "city.pem"
    key.write_bytes(CITY_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    config = tmp_path / "city.json"
    config.write_text(json.dumps({"key": str(key), "store": str(tmp_path / "books.db")}))
    command = [sys.executable, "-m", "sim.city_tree", "--config", str(config), "c-1"]
    done = subprocess.run([*command, "1.2"], capture_output=True, text=True, timeout=60, check=True)
    report = verify_bill(done.stdout, public(CITY_KEY))
    assert (report.exit_code, report.plate, report.outcome) == (0, PLATE, "review")
    failed = subprocess.run([*command, "1.3"], capture_output=True, text=True, timeout=60, check=False)
    assert (failed.returncode, failed.stderr) == (1, "chain c-1 has no bill of session 1.3\n")


def test_a_path_of_one_leaf_is_empty():
    assert path([bytes(32)], 0) == []
