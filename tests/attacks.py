"""Every attacker of the threat table at work against real ends: what was noticed, by whom, where, and with which evidence.

Each attack is a function of a folder that carries it out and says where it was noticed and with which evidence, both read off
the ends that noticed. ATTACKS holds what they must say; docs/ATTACKS.md is printed from it: `python -m tests.attacks`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from firmware import wire
from firmware.cipher import Cipher
from gateway.bill_verifier import verify_bill
from gateway.core.city_events import ReceiptArrived
from gateway.core.commands import RaiseAlarm
from gateway.core.events import BarrierSelfOpened, NodeRefused, SelfOpening
from gateway.core.moment import ClockQuality
from gateway.core.record import Record
from gateway.export import export_lines
from gateway.forms import Rejection
from gateway.messages import Receipt, SignedLine
from gateway.store.reader import Reader
from gateway.sync.downlink import Downlink
from gateway.sync.uplink import Uplink
from gateway.verifier import verify_lines
from sim.aes import Aes
from sim.city import MESSAGE_BYTES, City
from tests import bills
from tests.books import CITY, opened, raw
from tests.link.rig import EXIT_UID, Rig
from tests.link.test_session import help_call, station
from tests.lots import HOUR_MS, START_MS, SmallLot, at, plate
from tests.records import CITY_KEY, GATEWAY_KEY, OTHER_KEY, Chain, public
from tests.sim.test_city import ROOT, forged, give
from tests.sim.test_city_keys import rotation
from tests.sync.test_downlink import down_line, downlink, receipt_line, receive, sign
from tests.test_export import ANCHOR, key_id, short_export, statement

Seen = tuple[str, str]
"""Where, and with which evidence."""


def when(true: bool, text: str) -> str:
    """The text, or that it is not so."""
    return text if true else f"NOT SO: {text}"


def city() -> City:
    """A city that knows the chain c-1."""
    return City(CITY_KEY, ":memory:", {"c-1": public(GATEWAY_KEY)}, {})


def by_city(before: Sequence[Record], attack: Sequence[Record]) -> Seen:
    """What a city that has taken `before` makes of the attack: the place after its head, and the fault that it counts."""
    witness = city()
    give(witness, before)
    witness_before = witness.store.tallies()
    give(witness, attack)
    named = [name for name, count in witness.store.tallies().items() if count > witness_before.get(name, 0)]
    forks = witness.totals()["forks"]
    evidence = ", ".join(sorted(name for name in named if name != "receipt")) + (", both lines kept" if forks else "")
    return f"record {attack[0].n}", evidence


def clone_signs_on(_: Path) -> Seen:
    ours, clone = Chain().fill(6).records, Chain().fill(5)
    clone.add("heartbeat", {"entries": 999})
    return by_city(ours, clone.records[5:])


def backup_signs_on(_: Path) -> Seen:
    uplink = Uplink("c-1", 1)
    uplink.start(50, 50)
    uplink.connected(0)
    uplink.receipted(80, 1)
    quiet = uplink.city_ahead and uplink.wanted() is None
    return "receipt for record 80, own head 50", when(quiet, "the city is ahead; nothing more is sent")


def old_key_signs_on(_: Path) -> Seen:
    chain = Chain().fill(5)
    rotation(chain)
    chain.key = GATEWAY_KEY
    chain.add("heartbeat", {"entries": 6})
    return by_city(chain.records[:6], chain.records[6:])


def card_is_read_for_plates(folder: Path) -> Seen:
    lot = SmallLot(folder)
    lot.enter()
    lot.rows("DELETE FROM disclosure")
    lot.engine.close()
    found = "浙A12345" in lot.path.read_bytes().decode("utf-8", "replace")
    export = "".join(export_lines(Reader(lot.path), statement(), city_key=key_id(ANCHOR)))
    report = verify_lines(export.encode(), ANCHOR)
    erased = not found and "浙" not in export and report.exit_code == 0
    return f"records 1 to {report.last}", when(
        erased, "erased plates are nowhere in file or export, and the chain still holds"
    )


def frame_without_the_key(_: Path) -> Seen:
    rig = Rig()
    rig.run(500)
    rig.heard.clear()
    while not rig.heard:
        frame = rig.bus.data_to_send(rig.now_ms)
        if frame and (poll := wire.parse(frame[1:-1])).address == 1:
            head = (wire.DATA, 0x81, poll.session, poll.counter)
            false = wire.seal(Cipher(Aes), bytes(16), bytes(16), head, wire.pack_data(0, 0, 0, b""))
            rig.take(rig.bus.receive(false, rig.now_ms))
        rig.take(rig.bus.receive(rig.segment.exchange(frame, rig.node_ms, rig.node_ms), rig.now_ms + 5))
        rig.now_ms += 10
    (refused,) = rig.heard
    assert isinstance(refused, NodeRefused)
    return f"address {refused.address}", f"node refused: {refused.reason}; " + when(
        rig.bus.counters.mac > 0, "counted as mac"
    )


def frames_again(_: Path) -> Seen:
    rig, replies = Rig(), []
    rig.plate(EXIT_UID, "A")
    carry = rig.segment.exchange

    def kept(frame: bytes, now_ms: int, stamp_ms: int) -> bytes:
        replies.append(carry(frame, now_ms, stamp_ms))
        return bytes(replies[-1])

    rig.segment.exchange = kept
    rig.run(1000)
    rig.heard.clear()
    for reply in replies:
        rig.take(rig.bus.receive(reply, rig.now_ms))
    stale = rig.bus.counters.stale == len([reply for reply in replies if reply])
    told = [event.reason for event in rig.heard if isinstance(event, NodeRefused) and event.address == 1]
    counted = when(stale, "each repeat counted as stale")
    return "address 1", f"reads {len(rig.plates(EXIT_UID))}; {counted}; node refused: {', '.join(told)}"


def events_left_out(folder: Path) -> Seen:
    lot = SmallLot(folder)
    lot.step(station(seq=4).deliver([help_call(9)]).events[0])
    body = lot.last("loss")
    return f"record {lot.lines('loss')[-1]['n']}", f"record loss: events {body['first']} to {body['last']}"


def passage_without_a_read(folder: Path) -> Seen:
    lot = SmallLot(folder)
    lot.step(lot.passed("out"))
    body = lot.last("alarm")
    return f"record {lot.lines('alarm')[-1]['n']}", f"alarm {body['alarm']}: {body['cause']}"


def broker_forges(_: Path) -> Seen:
    records = Chain().fill(6).records
    return by_city(records[:5], [forged(records[5], OTHER_KEY)])


def broker_drops(_: Path) -> Seen:
    records = Chain().fill(8).records
    return by_city(records[:5], records[6:])


def broker_turns_around(_: Path) -> Seen:
    records = Chain().fill(8).records
    return by_city(records[:5], [records[6], records[5], records[7]])


def of_downlink(link: Downlink, found: Sequence[object]) -> Seen:
    (rejection,) = found
    assert isinstance(rejection, Rejection)
    return f"line {link.chain}", f"rejected: {rejection.reason}"


def broker_forges_a_receipt(_: Path) -> Seen:
    link = downlink()
    line = receipt_line()
    return of_downlink(link, link.receive("ack", Receipt(SignedLine(line, OTHER_KEY.sign(line.encode()))).to_json()))


def broker_forges_a_lease(_: Path) -> Seen:
    link = downlink()
    return of_downlink(link, receive(link, sign(down_line(1), key=OTHER_KEY)))


def record_again(_: Path) -> Seen:
    records = Chain().fill(6).records
    return by_city(records, [records[3]])


def line_for_another_gateway(_: Path) -> Seen:
    link = downlink()
    return of_downlink(link, receive(link, sign(down_line(1, chain="c-2"))))


def payment_again(folder: Path) -> Seen:
    lot = SmallLot(folder)
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    payment = lot.payment(session, 700)
    lot.step(payment)
    before = len(lot.lines())
    lot.step(payment)
    return (
        f"line {payment.origin.dn} of the city",
        f"new records {len(lot.lines()) - before}, records paid {len(lot.lines('paid'))}",
    )


def passage_again(folder: Path) -> Seen:
    lot = SmallLot(folder)
    read, passed = lot.read("in"), lot.passed("in")
    lot.step(read, passed)
    done = lot.step(read, passed)
    return (
        f"events {read.source.seq} and {passed.source.seq}",
        f"newly acknowledged {len(done.acked)}, records entry {len(lot.lines('entry'))}",
    )


def clock_is_put_ahead(folder: Path) -> Seen:
    lot = SmallLot(folder)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.engine.step((lot.read("out"),), replace(at(lot.now_ms), wall_ms=START_MS + 90 * HOUR_MS))
    line = lot.lines("clock")[-1]
    jump_h = round((line["body"]["to"] - line["body"]["from"]) / HOUR_MS)
    return (
        f"record {line['n']}",
        f"record clock: {jump_h} h ahead; two hours are billed: {lot.last('exit')['amount_minor']}",
    )


def clock_unknown_after_a_boot(folder: Path) -> Seen:
    lot = SmallLot(folder)
    lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.engine.step((lot.read("out"),), at(lot.now_ms, boot="boot-2", quality=ClockQuality.UNKNOWN))
    return (
        f"record {lot.lines('review')[-1]['n']}",
        f"review: {lot.last('review')['reason']}; billed {lot.last('exit')['amount_minor']}",
    )


def edited(folder: Path, sql: str) -> Seen:
    """What the verifier says of a ledger that somebody changed with SQL."""
    short_export(folder)
    connection = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute(sql)
    connection.close()
    export = "".join(export_lines(Reader(folder / "ledger.db"), statement(), city_key=key_id(ANCHOR))).encode()
    report = verify_lines(export, ANCHOR)
    return f"line {report.bad_line}", report.reason


def insider_lowers_an_amount(folder: Path) -> Seen:
    lower = "replace(line, '\"amount_minor\":700', '\"amount_minor\":100')"
    return edited(folder, f"UPDATE record SET line = {lower} WHERE json_extract(line, '$.type') = 'exit'")


def insider_deletes_a_record(folder: Path) -> Seen:
    return edited(folder, "DELETE FROM record WHERE n = 4")


def insider_changes_a_plate(folder: Path) -> Seen:
    return edited(folder, "UPDATE disclosure SET plate = 'blue 浙A99999'")


def of_receipt(lot: SmallLot, receipt: ReceiptArrived) -> Seen:
    """What a gateway makes of the city's receipt."""
    done = lot.step(receipt)
    (alarm,) = [command for command in done.commands if isinstance(command, RaiseAlarm)]
    return f"receipt for record {receipt.n}", f"alarm {alarm.alarm}; " + when(done.forked, "nothing more is sent")


def insider_cuts_the_tail(folder: Path) -> Seen:
    lot = SmallLot(folder)
    lot.enter()
    lot.enter(plate("浙A00002"))
    receipt = lot.receipt(4)
    lot.rows("PRAGMA foreign_keys = OFF")
    for table in ("record", "disclosure", "posting"):
        lot.rows(f"DELETE FROM {table} WHERE n > 2")
    lot.rows("DELETE FROM session")
    lot.restart()
    return of_receipt(lot, receipt)


def insider_with_the_key_rewrites(_: Path) -> Seen:
    records = Chain().fill(8).records
    return by_city(records, [forged(records[4], body={"entries": 0})])


def insider_with_the_key_and_an_export(_: Path) -> Seen:
    told = opened().exit()
    receipt = told.receipt().lines[-1]
    report = verify_lines(opened().exit(outcome="arrears").add(receipt).export(), raw(CITY))
    return f"line {report.bad_line}", report.reason


def platform_rewrites(folder: Path) -> Seen:
    lot = SmallLot(folder)
    lot.enter()
    return of_receipt(lot, replace(lot.receipt(2), record_hash=bytes(32)))


def platform_denies_a_record(folder: Path) -> Seen:
    export = short_export(folder)
    report = verify_lines(export, ANCHOR)
    kept = export.decode().splitlines()[-1].startswith("receipt")
    return f"record {report.witnessed}", when(kept, "the receipt under its own signature, kept and exported")


def platform_drops_a_bill(_: Path) -> Seen:
    shown, other = bills.Bill(), bills.Bill(body={"amount_minor": 0, "lines": []})
    heads = [json.loads(bills.unpacked(bill.text()).split("\t")[1]) for bill in (shown, other)]
    proven = [verify_bill(bill.text(), raw(CITY)).exit_code for bill in (shown, other)]
    two = heads[0]["size"] == heads[1]["size"] and heads[0]["root"] != heads[1]["root"] and proven == [0, 0]
    return f"tree of {heads[0]['size']} records", when(two, "two roots of one size under its own signature")


def power_is_cycled(folder: Path) -> Seen:
    lot = SmallLot(folder)
    session = lot.enter()
    for _ in range(5):
        lot.restart()
    inside = lot.engine.memory.session(session) is not None
    return f"record {lot.lines('start')[-1]['n']}", f"records start {len(lot.lines('start'))}; " + when(
        inside, "the stay is still there"
    )


def gateway_is_off_at_an_exit(folder: Path) -> Seen:
    lot = SmallLot(folder)
    lot.step(BarrierSelfOpened(lot.source("out"), "out", SelfOpening.UNANSWERED))
    return f"record {lot.lines('outage')[-1]['n']}", f"outage {lot.last('outage')['kind']}"


def flood_of_large_messages(_: Path) -> Seen:
    witness = city()
    for _ in range(100):
        witness.receive(f"{ROOT}/rec/c-1", b"[" * (MESSAGE_BYTES + 1), 7)
    return (
        "topic rec/c-1",
        f"fault/message {witness.store.tallies()['fault/message']}, records {witness.totals()['records']}",
    )


def flood_of_one_event(folder: Path) -> Seen:
    lot = SmallLot(folder)
    read = lot.read("in")
    lot.step(read)
    before = len(lot.lines())
    for _ in range(100):
        lot.step(read, after_ms=1)
    return f"event {read.source.seq}", f"new records {len(lot.lines()) - before}"


def flood_of_unsigned_lines(_: Path) -> Seen:
    link = downlink()
    for _ in range(100):
        receive(link, sign(down_line(1), key=OTHER_KEY))
    return "topic dn/c-1", ", ".join(f"{reason} {count}" for reason, count in link.counts.rejected.items())


Attack = Callable[[Path], Seen]

THIEF = ("thief with the card", "a software key signs until the first fork")
DEVICE = ("malicious serial device", "a believable fake needs a second sensor")
BROKER = ("rogue broker or client", "delay; metadata")
REPLAYER = ("replayer", "nothing")
CLOCK = ("clock attacker", "the first boot without network")
INSIDER = ("insider editing the database", "a key holder within the window that no receipt covers")
PLATFORM = ("insider at the platform", "somebody must compare")
VANDAL = ("vandal, power cycling", "flash that lies about its writes")
FLOODER = ("flooder", "degraded telemetry")

# fmt: off
ATTACKS: list[tuple[tuple[str, str], str, Attack, str, str, str]] = [
    # attacker, attack, how it is done
    #    who noticed it   where                       with which evidence
    (THIEF, "a copy of the card signs on", clone_signs_on,
        "the city",      "record 6",                            "fault/fork, both lines kept"),
    (THIEF, "an old backup signs on", backup_signs_on,
        "the gateway",   "receipt for record 80, own head 50",  "the city is ahead; nothing more is sent"),
    (THIEF, "a key that was rotated out signs on", old_key_signs_on,
        "the city",      "record 7",                            "fault/key"),
    (THIEF, "the card is read for plates", card_is_read_for_plates,
        "the verifier",  "records 1 to 3",                      "erased plates are nowhere in file or export, and the "
                                                                "chain still holds"),
    (DEVICE, "a frame without the site's key", frame_without_the_key,
        "the bus",       "address 1",                           "node refused: key; counted as mac"),
    (DEVICE, "every frame once more", frames_again,
        "the bus",       "address 1",                           "reads 1; each repeat counted as stale; node refused: replay"),
    (DEVICE, "events are held back", events_left_out,
        "the gateway",   "record 3",                            "record loss: events 5 to 8"),
    (DEVICE, "a passage that nobody was let out for", passage_without_a_read,
        "the gateway",   "record 3",                            "alarm passage/out: passage without a read"),
    (BROKER, "a forged record", broker_forges,
        "the city",      "record 6",                            "fault/signature"),
    (BROKER, "a record is dropped", broker_drops,
        "the city",      "record 7",                            "fault/gap"),
    (BROKER, "records in another order", broker_turns_around,
        "the city",      "record 7",                            "fault/gap"),
    (BROKER, "a forged receipt", broker_forges_a_receipt,
        "the gateway",   "line c-1",                            "rejected: signature"),
    (BROKER, "a forged lease", broker_forges_a_lease,
        "the gateway",   "line c-1",                            "rejected: signature"),
    (REPLAYER, "a record once more", record_again,
        "the city",      "record 4",                            "duplicate"),
    (REPLAYER, "another gateway's line", line_for_another_gateway,
        "the gateway",   "line c-1",                            "rejected: chain"),
    (REPLAYER, "a payment once more", payment_again,
        "the gateway",   "line 1 of the city",                  "new records 0, records paid 1"),
    (REPLAYER, "a read and a passage once more", passage_again,
        "the gateway",   "events 1 and 2",                      "newly acknowledged 0, records entry 1"),
    (CLOCK, "the wall clock is put ahead during a stay", clock_is_put_ahead,
        "the gateway",   "record 4",                            "record clock: 88 h ahead; two hours are billed: 700"),
    (CLOCK, "a boot without a clock during a stay", clock_unknown_after_a_boot,
        "the gateway",   "record 4",                            "review: length of the stay not known; billed 0"),
    (INSIDER, "lowers an amount", insider_lowers_an_amount,
        "the verifier",  "line 7",                              "the signature of record 4 is wrong"),
    (INSIDER, "deletes a record", insider_deletes_a_record,
        "the verifier",  "line 7",                              "record 5 where record 4 must follow"),
    (INSIDER, "changes a plate beside the chain", insider_changes_a_plate,
        "the verifier",  "line 6",                              "plate and salt do not open the commitment of record 3"),
    (INSIDER, "cuts the tail after the city has it", insider_cuts_the_tail,
        "the gateway",   "receipt for record 4",                "alarm fork/chain; nothing more is sent"),
    (INSIDER, "signs anew what the city has", insider_with_the_key_rewrites,
        "the city",      "record 5",                            "fault/fork, both lines kept"),
    (INSIDER, "signs anew what a receipt covers", insider_with_the_key_and_an_export,
        "the verifier",  "line 7",                              "the city's receipt is for another record 3 than the "
                                                                "one here: one of the two was forked"),
    (PLATFORM, "vouches for another record", platform_rewrites,
        "the gateway",   "receipt for record 2",                "alarm fork/chain; nothing more is sent"),
    (PLATFORM, "denies that it had a record", platform_denies_a_record,
        "anybody",       "record 6",                            "the receipt under its own signature, kept and exported"),
    (PLATFORM, "shows two drivers two trees", platform_drops_a_bill,
        "the drivers",   "tree of 11 records",                  "two roots of one size under its own signature"),
    (VANDAL, "the gateway is switched off again and again", power_is_cycled,
        "the gateway",   "record 8",                            "records start 6; the stay is still there"),
    (VANDAL, "no gateway at an exit", gateway_is_off_at_an_exit,
        "the lane node", "record 3",                            "outage node-opened-unanswered"),
    (FLOODER, "messages beyond the limit", flood_of_large_messages,
        "the city",      "topic rec/c-1",                       "fault/message 100, records 0"),
    (FLOODER, "one event a hundred times", flood_of_one_event,
        "the gateway",   "event 1",                             "new records 0"),
    (FLOODER, "unsigned lines down", flood_of_unsigned_lines,
        "the gateway",   "topic dn/c-1",                        "signature 100"),
]
# fmt: on

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ATTACKS.md"
TITLE = """# Attacks, and who notices

Each row is carried out against the real ends by `tests/test_attacks.py`, and this page is printed from its table
(`python -m tests.attacks`). Power cuts, full disks and bit flips on the card have tests of their own.

| attacker | attack | noticed by | where | evidence | left over |
|---|---|---|---|---|---|
"""


def page() -> str:
    """The text of docs/ATTACKS.md."""
    rows = [
        f"| {attacker} | {attack} | {who} | {where} | {evidence} | {left_over} |\n"
        for (attacker, left_over), attack, _, who, where, evidence in ATTACKS
    ]
    return TITLE + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
