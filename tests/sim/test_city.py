"""The city as witness and payer: every attack has a named result, none is stored, and the receipt tells the truth."""

from __future__ import annotations

import json

import pytest

from gateway.core.record import canonical, key_id, record_hash, signed_bytes
from gateway.messages import Down, Opening, Receipt, Records, SignedLine, State
from sim.city import LEASE_MS, Agreement, City
from tests.records import CITY_KEY, GATEWAY_KEY, OTHER_KEY, WALL_MS, Chain, public

ROOT = "park/v1/hz/gw-1"
GOOD, POOR = "blue 浙A00001", "blue 浙A00002"
AGREEMENTS = {GOOD: Agreement(1000, True), POOR: Agreement(1000, False)}


def make_city(path=":memory:"):
    chains = {"c-1": public(GATEWAY_KEY), "c-2": public(OTHER_KEY)}
    return City(CITY_KEY, path, chains, AGREEMENTS)


def body(records, *, first=None, disclose=True):
    openings = tuple(
        Opening(d.n, d.plate, d.salt) for d in (r.disclosure for r in records) if d is not None and disclose
    )
    signed = tuple(SignedLine(r.line, r.signature) for r in records)
    return Records(records[0].epoch, first or records[0].n, signed, records[0].key, openings).to_json()


def give(city, records, **more):
    return city.receive(f"{ROOT}/rec/c-1", body(records, **more), 7)


def receipt(outgoing, n, leaf):
    """Checks the receipt among outgoing messages."""
    (out,) = [out for out in outgoing if "/ack/" in out.topic]
    assert (out.topic, out.qos, out.retain) == (f"{ROOT}/ack/c-1", 1, True)
    message = Receipt.from_json(out.payload)
    line = message.signed.line
    CITY_KEY.public_key().verify(message.signed.signature, b"lotgate-receipt-v1\n" + line.encode())
    assert json.loads(line) == {"v": 1, "chain": "c-1", "epoch": 1 if n else 0, "n": n, "hash": leaf, "at_ms": 7}
    assert canonical(json.loads(line)) == line


def down(outgoing):
    """The lines that went down, in order."""
    found = []
    for out in outgoing:
        if "/dn/" in out.topic:
            assert (out.qos, out.retain) == (1, False)
            for signed in Down.from_json(out.payload).signed:
                CITY_KEY.public_key().verify(signed.signature, b"lotgate-down-v1\n" + signed.line.encode())
                assert canonical(json.loads(signed.line)) == signed.line
                found.append(json.loads(signed.line))
    return found


def forged(record, signer=GATEWAY_KEY, **changes):
    """The record with other content, validly signed."""
    line = canonical(json.loads(record.line) | changes)
    return type(record)(record.epoch, record.n, line, signer.sign(signed_bytes(line)), record.key, record.disclosure)


def edited(record, **changes):
    """The record with other content under the old signature."""
    line = canonical(json.loads(record.line) | changes)
    return type(record)(record.epoch, record.n, line, record.signature, record.key, record.disclosure)


def test_records_are_stored_once():
    city, chain = make_city(), Chain().fill(10)
    for _ in range(3):
        receipt(give(city, chain.records), 10, record_hash(chain.records[-1].line).hex())
    receipt(give(city, chain.records[3:5]), 10, record_hash(chain.records[-1].line).hex())
    totals = city.totals()
    assert (totals["records"], totals["duplicates"], totals["rejected"], totals["receipts"]) == (10, 22, 0, 4)


def other_chain():
    return Chain("c-2", OTHER_KEY).fill(8).records


#    attack                 message after records 1..5 of a chain of 8                           tally                  head
ATTACKS = [
    ("edited",              lambda r: [edited(r[5], body={}), r[6]],                             "fault/signature",     5),
    ("whitespace",          lambda r: [forged_text(r[5], r[5].line + " ")],                      "fault/not-canonical", 5),
    ("swapped signature",   lambda r: [signed_as(r[5], r[6]), signed_as(r[6], r[5])],            "fault/signature",     5),
    ("deleted line",        lambda r: [r[5], r[7]],                                              "fault/message",       6),
    ("deleted, own first",  lambda r: [r[7]],                                                    "fault/gap",           5),
    ("two swapped",         lambda r: [r[6], r[5], r[7]],                                        "fault/gap",           5),
    ("other chain",         lambda _: [other_chain()[5]],                                        "fault/chain",         5),
    ("other chain's key",   lambda r: [forged(r[5], OTHER_KEY, key=key_id(public(OTHER_KEY)))],  "fault/key",           5),
    ("stranger's key",      lambda r: [forged(r[5], OTHER_KEY)],                                 "fault/signature",     5),
    ("fork",                lambda r: [forged(r[4], body={"amount_minor": 0})],                  "fault/fork",          5),
    ("fork by link",        lambda r: [forged(r[5], prev="ab" * 32)],                            "fault/fork",          5),
    ("second genesis",      lambda r: [forged(r[5], type="genesis")],                            "fault/form",          5),
]  # fmt: skip


def forged_text(record, text):
    return type(record)(record.epoch, record.n, text, GATEWAY_KEY.sign(signed_bytes(text)), record.key, None)


def signed_as(record, other):
    return type(record)(record.epoch, record.n, record.line, other.signature, record.key, None)


@pytest.mark.parametrize(("attack", "tally", "head"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_attack(attack, tally, head):
    city, records = make_city(), Chain().fill(8).records
    give(city, records[:5])
    receipt(give(city, attack(records)), head, record_hash(records[head - 1].line).hex())
    assert city.store.tallies()[tally] == 1
    assert city.totals()["records"] == head
    assert [city.store.line("c-1", n) for n in range(1, head + 1)] == [r.line for r in records[:head]]


def test_a_fork_freezes_the_chain_and_keeps_the_evidence():
    city, records = make_city(), Chain().fill(8).records
    give(city, records[:5])
    fork = forged(records[2], body={"amount_minor": 0})
    give(city, [fork])
    give(city, [fork])
    receipt(give(city, records[5:]), 5, record_hash(records[4].line).hex())
    assert city.head("c-1").frozen
    assert city.totals()["forks"] == 1
    assert city.store.tallies()["fault/frozen"] == 2
    receipt(give(city, records[:5]), 5, record_hash(records[4].line).hex())


def test_after_an_attack_the_chain_goes_on():
    city, records = make_city(), Chain().fill(8).records
    for attack in ([edited(records[0], body={})], [records[3]], [forged(records[0], OTHER_KEY)]):
        receipt(give(city, attack), 0, "0" * 64)
    receipt(give(city, records), 8, record_hash(records[7].line).hex())


def test_a_chain_begins_with_genesis():
    city, chain = make_city(), Chain()
    chain.add("start", {"version": "0"})
    give(city, chain.records)
    assert city.store.tallies() == {"fault/form": 1, "receipt": 1}


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (f"{ROOT}/rec/c-1", b""),
        (f"{ROOT}/rec/c-1", b"\xff"),
        (f"{ROOT}/rec/c-1", b"{}"),
        (f"{ROOT}/rec/c-1", b"[" * 30_000),
        (f"{ROOT}/rec/c-1", b" " * 70_000),
        (f"{ROOT}/rec/c-1", b'{"v":1,"epoch":1,"first":1,"key":"","lines":[],"sigs":[],"disclose":[]}'),
        (f"{ROOT}/rec/c-1", b'{"v":1,"epoch":1,"first":1,"key":"","lines":[1],"sigs":["AA=="],"disclose":[]}'),
        (f"{ROOT}/rec/c-1", b'{"v":1,"epoch":1,"first":1,"key":"","lines":7,"sigs":7,"disclose":7}'),
        (f"{ROOT}/rec/c-1", b'{"v":1,"epoch":1,"first":1,"key":"","lines":[],"sigs":[],"disclose":[{"n":[]}]}'),
        (f"{ROOT}/rec/c-9", b"{}"),
        (f"{ROOT}/met", b"{}"),
        ("park/v1/hz/rec/c-1", b"{}"),
        ("", b""),
    ],
)
def test_broken_message_is_counted_and_not_answered(topic, payload):
    city = make_city()
    assert city.receive(topic, payload, 7) == []
    assert city.totals()["rejected"] == 1


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"state":"lost"}', b" " * 70_000])
def test_other_states_are_no_birth(payload):
    assert make_city().receive(f"{ROOT}/state", payload, 7) == []


def stay(chain, plate, amount_minor, outcome="lease"):
    entry = chain.add("entry", {"lane": "entry-1"}, plate)
    exit_ = chain.add("exit", {"session": f"1.{entry.n}", "amount_minor": amount_minor, "outcome": outcome})
    return entry, exit_


#    plate          owed  outcome      paid, failed, lines down
STAYS = [
    (GOOD,          500,  "lease",     (500, 0, ["lease", "payment"])),
    (GOOD,          1000, "lease",     (1000, 0, ["lease", "payment"])),
    (GOOD,          1001, "lease",     (0, 1001, ["lease", "payment"])),
    (POOR,          500,  "lease",     (0, 500, ["lease", "payment"])),
    (GOOD,          0,    "free",      (0, 0, ["lease"])),
    (GOOD,          500,  "pay-here",  (0, 0, ["lease"])),
    ("blue 浙A9",   500,  "arrears",   (0, 0, [])),
    ("blue 浙A9",   500,  "lease",     (0, 500, ["payment"])),
    (GOOD,          500,  "standing",  (500, 0, ["lease", "payment"])),
    (POOR,          500,  "standing",  (0, 500, ["lease", "payment"])),
    ("blue 浙A9",   500,  "standing",  (0, 500, ["payment"])),
]  # fmt: skip


@pytest.mark.parametrize(("plate", "owed", "outcome", "expected"), STAYS)
def test_stays(plate, owed, outcome, expected):
    city, chain = make_city(), Chain().fill(1)
    stay(chain, plate, owed, outcome)
    lines = down(give(city, chain.records))
    totals = city.totals()
    assert totals["owed_minor"] == owed
    assert (totals["paid_minor"], totals["failed_minor"], [line["type"] for line in lines]) == expected
    assert [line["dn"] for line in lines] == list(range(1, len(lines) + 1))
    assert down(give(city, chain.records)) == []
    assert city.totals()["owed_minor"] == owed


def test_lease_line():
    city, chain = make_city(), Chain().fill(1)
    entry = chain.add("entry", {"lane": "entry-1"}, GOOD)
    (line,) = down(give(city, chain.records))
    assert line["body"] == {
        "session": f"1.{entry.n}",
        "lease": "c-1/lease/2",
        "cap_minor": 1000,
        "expires_ms": WALL_MS + 2000 + LEASE_MS,
    }


def test_payment_line():
    city, chain = make_city(), Chain().fill(1)
    stay(chain, GOOD, 500)
    _, line = down(give(city, chain.records))
    assert line["body"] == {"session": "1.2", "payment": "c-1/payment/3", "amount_minor": 500, "status": "paid"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("exit",     {"amount_minor": 500, "outcome": "lease", "lease": {"lease": "platform/7", "cap_minor": 900, "dn": 0}}),
        ("attached", {"amount_minor": 500, "outcome": "lease", "lease": {"lease": "platform/7", "cap_minor": 900, "dn": 0}}),
        ("released", {"lease": "platform/7", "cap_minor": 900, "dn": 0}),
    ],
)  # fmt: skip
def test_what_another_protocol_promised_is_not_collected_here(kind, body):
    city, chain = make_city(), Chain().fill(1)
    entry = chain.add("entry", {"lane": "entry-1"}, GOOD)
    session = f"1.{entry.n}"
    if kind == "released":
        chain.add("exit", {"session": session, "amount_minor": 500, "outcome": "pay-here"})
    chain.add(kind, {"session": session, **body})
    assert [line["type"] for line in down(give(city, chain.records))] == ["lease"]


@pytest.mark.parametrize("kind", ["leased", "released"])
def test_a_lease_that_came_after_the_exit_is_charged_once(kind):
    city, chain = make_city(), Chain().fill(1)
    entry, _ = stay(chain, GOOD, 500, "arrears")
    for _ in range(2):
        chain.add(kind, {"session": f"1.{entry.n}", "lease": "c-1/lease/2"})
    chain.add(kind, {"session": "1.99"})
    lines = down(give(city, chain.records))
    assert [line["type"] for line in lines] == ["lease", "payment"]
    assert lines[1]["body"] == {"session": "1.2", "payment": "c-1/payment/4", "amount_minor": 500, "status": "paid"}
    assert city.store.tallies()["odd"] == 2


def test_a_stay_that_ended_by_a_reviewed_exit_is_paid_by_its_lease():
    city, chain = make_city(), Chain().fill(1)
    entry = chain.add("entry", {"lane": "entry-1"}, GOOD)
    chain.add("exit", {"session": "1.3", "amount_minor": 0, "outcome": "review"})
    attached = {"session": f"1.{entry.n}", "stray": "1.3", "amount_minor": 500, "outcome": "lease"}
    chain.add("attached", attached)
    chain.add("attached", attached)
    lines = down(give(city, chain.records))
    assert [line["type"] for line in lines] == ["lease", "payment"]
    assert lines[1]["body"] == {"session": "1.2", "payment": "c-1/payment/4", "amount_minor": 500, "status": "paid"}
    assert (city.store.tallies()["odd"], city.totals()["open_minor"]) == (1, 500)


def test_a_pushed_line_brings_along_what_is_not_confirmed():
    city, chain = make_city(), Chain().fill(1)
    assert city.push("c-1", "suspend", {"id": "u-1", "plate": GOOD}, 7) == []
    give(city, chain.records)
    lines = down(city.push("c-1", "suspend", {"id": "u-2", "plate": POOR}, 7))
    assert [(line["dn"], line["type"], line["body"]["id"]) for line in lines] == [
        (1, "suspend", "u-1"),
        (2, "suspend", "u-2"),
    ]
    chain.dn = 2
    give(city, [chain.add("heartbeat", {})])
    assert city.wake(99_999) == []


def test_a_false_disclosure_gives_no_lease_and_blocks_nothing():
    city, chain = make_city(), Chain().fill(1)
    entry = chain.add("entry", {"lane": "entry-1"}, "blue 浙A9")
    liar = type(entry)(
        1, 2, entry.line, entry.signature, entry.key, type(entry.disclosure)(2, GOOD, entry.disclosure.salt)
    )
    assert down(give(city, [chain.records[0], liar])) == []
    assert city.head("c-1").n == 2
    assert city.store.tallies()["fault/commitment"] == 1


def test_a_reversed_exit_owes_nothing_and_the_next_one_is_paid():
    city, chain = make_city(), Chain().fill(1)
    _, exit_ = stay(chain, GOOD, 500)
    body_ = json.loads(exit_.line)["body"]
    chain.add("reversed", {"session": body_["session"], "amount_minor": 500})
    give(city, chain.records)
    assert (city.totals()["owed_minor"], city.totals()["paid_minor"]) == (0, 0)
    chain.add("exit", body_ | {"amount_minor": 900})
    give(city, chain.records[-1:])
    assert (city.totals()["owed_minor"], city.totals()["paid_minor"]) == (900, 900)


def test_a_second_exit_of_a_session_owes_nothing():
    city, chain = make_city(), Chain().fill(1)
    _, exit_ = stay(chain, GOOD, 500)
    chain.add("exit", json.loads(exit_.line)["body"])
    chain.add("exit", {"session": 5})
    give(city, chain.records)
    assert (city.totals()["owed_minor"], city.totals()["paid_minor"], city.head("c-1").n) == (500, 500, 5)
    assert city.store.tallies()["odd"] == 2


def test_lines_down_are_repeated_until_a_record_confirms_them():
    city, chain = make_city(), Chain().fill(1)
    stay(chain, GOOD, 500)
    first = down(city.receive(f"{ROOT}/rec/c-1", body(chain.records), 0))
    assert city.wake(4_999) == []
    assert down(city.wake(5_000)) == first
    assert city.wake(9_999) == []
    assert down(city.wake(10_000)) == first
    assert city.wake(19_999) == []
    chain.dn = 1
    give(city, [chain.add("heartbeat", {})])
    assert [line["dn"] for line in down(city.wake(30_000))] == [2]
    chain.dn = 2
    give(city, [chain.add("heartbeat", {})])
    assert city.wake(999_999) == []


def test_birth_brings_receipt_and_repeats():
    city, chain = make_city(), Chain().fill(1)
    online = State.from_json(State("online", 1, 1, "0", 5).to_json()).to_json()
    assert city.receive(f"{ROOT}/state", online, 7) == []
    stay(chain, GOOD, 500)
    first = down(give(city, chain.records))
    for outgoing in (city.receive(f"{ROOT}/state", online, 7), city.connected(7)):
        receipt(outgoing, 3, record_hash(chain.records[-1].line).hex())
        assert down(outgoing) == first
    assert city.receive("park/v1/hz/gw-2/state", online, 7) == []


def test_a_stranger_that_repeats_records_does_not_draw_the_branch_to_itself():
    city, chain = make_city(), Chain().fill(3)
    give(city, chain.records)
    city.receive("park/v1/hz/gw-2/rec/c-1", body(chain.records), 7)
    assert city.head("c-1").root == ROOT


def test_restart(tmp_path):
    path = str(tmp_path / "city.db")
    city, chain = make_city(path), Chain().fill(1)
    stay(chain, GOOD, 500)
    first = down(give(city, chain.records))
    city.store.close()
    city = make_city(path)
    assert down(give(city, chain.records)) == []
    assert down(city.connected(7)) == first
    assert city.totals()["paid_minor"] == 500
    chain.dn = 2
    receipt(give(city, [chain.add("heartbeat", {})]), 4, record_hash(chain.records[-1].line).hex())
    assert city.wake(100_000) == []


def test_many_lines_down_come_by_the_hundred():
    city, chain = make_city(), Chain().fill(1)
    for _ in range(75):
        stay(chain, GOOD, 1)
    for start in range(0, len(chain.records), 50):
        give(city, chain.records[start : start + 50])
    assert [line["dn"] for line in down(city.connected(7))] == list(range(1, 101))


def test_key_statement():
    line, signature = make_city().key_statement("c-1", "lot-1")
    CITY_KEY.public_key().verify(signature, b"lotgate-key-v1\n" + line.encode())
    assert canonical(json.loads(line)) == line
    assert json.loads(line)["key"] == key_id(public(GATEWAY_KEY))
