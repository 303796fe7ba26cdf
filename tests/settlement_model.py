"""A model of what a lot's money must look like: legal moves, repeats, illegal moves, deaths, and what holds after each.

Owns its own books in plain integers: a stay's bill by the simulator's tariff, what came in, what went back. It reads the
ledger's rows and records and knows none of the rules of the core. Moves are chosen from those that are legal at the time, since
a walk that tries everything hardly ever reaches a refund; the illegal ones have rules of their own.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.core.city_events import (
    BillCorrected,
    BillVoided,
    BillWrittenOff,
    DisputeClosed,
    DisputeOpened,
    ExitAttached,
    LeaseGranted,
    Numbered,
    PaymentReported,
    RefundMade,
)
from gateway.core.entitlement import Way
from gateway.core.events import Woke
from gateway.core.exit import WithoutLease
from gateway.engine import Outcome
from sim.bill import owed_minor
from tests.entitled import benefit
from tests.lots import HOUR_MS, START_MS, SmallLot, plate, state_of

TARIFF = files("seeds").joinpath("tariffs").joinpath("plain-garage.toml").read_text(encoding="utf-8")
PLATES = tuple(f"浙A{number}{number}{number}{number}{number}" for number in range(1, 7))
"""No two of them could be taken for each other."""

PARKED_MAX = 3

NEAR_MS = 120_000
"""Reads of one plate at two lanes within less are one vehicle that two cameras saw."""

TERM_MS = 48 * HOUR_MS
OWING = ("held", "due", "arrears")
GONE = ("free", "due", "arrears", "paid", "refunded")
NEVER_MS = 2 * START_MS


@dataclass
class Stay:
    """One stay as it must be."""

    id: str
    plate: str
    state: str = "inside"
    entered_ms: int = 0
    exited_ms: int = 0
    billed_minor: int = 0
    lowered_minor: int = 0
    paid_minor: int = 0
    refunded_minor: int = 0
    written_off_minor: int = 0
    dispute: str = ""
    cap_minor: int = 0
    term_ms: int = 0

    @property
    def net_minor(self) -> int:
        return self.billed_minor - self.lowered_minor - self.written_off_minor

    @property
    def kept_minor(self) -> int:
        return self.paid_minor - self.refunded_minor

    @property
    def owed_minor(self) -> int:
        return max(0, self.net_minor - self.kept_minor)

    def settle(self) -> None:
        """Nothing is owed any more."""
        if self.state in OWING and self.owed_minor == 0:
            self.state = "paid" if self.kept_minor else "free"

    def bring_to_nothing(self) -> None:
        """The bill was wrong."""
        self.lowered_minor = self.billed_minor - self.written_off_minor
        self.state, self.dispute = "voided", ""


@dataclass
class Folded:
    """What the records of one stay say together."""

    bills: int = 0
    billed: int = 0
    lowered: int = 0
    written_off: int = 0
    paid: int = 0
    refunded: int = 0

    def take(self, kind: str, body: dict[str, Any]) -> None:
        """One record."""
        match kind:
            case "exit" | "attached":
                self.bills += 1
                self.billed = body["amount_minor"]
            case "corrected":
                self.billed = body["amount_minor"]
            case "lowered" | "voided" | "dispute-closed":
                self.lowered += body["amount_minor"]
            case "written-off":
                self.written_off += body["amount_minor"]
            case "paid":
                self.paid += body["amount_minor"]
            case "refunded":
                self.refunded += body["amount_minor"]
                self.lowered += body["amount_minor"] - body["due_minor"]


class Settlement(RuleBasedStateMachine):
    """The walk. Every rule makes one move in the lot and in the model; the invariants compare."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lotgate-model-"))
        self.stays: dict[str, Stay] = {}
        self.said: list[Numbered] = []
        self.folded: dict[str, Folded] = {}
        self.folded_n = 0
        self.strays: dict[str, tuple[str, int]] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize(policy=st.sampled_from((WithoutLease.OPEN_ARREARS, WithoutLease.PAY_HERE)))
    def open(self, policy: WithoutLease) -> None:
        self.lot = SmallLot(self.folder, policy=policy)
        for text, cap_minor in zip(PLATES, (0, 9000), strict=False):
            self.stay(text, 95, cap_minor)

    # What a rule may choose from.

    def those(self, *states: str) -> list[Stay]:
        return [stay for stay in self.stays.values() if stay.state in states]

    def parked(self) -> list[Stay]:
        """Those that are inside, and not gone under another plate's read."""
        gone = {id_ for id_, _ in self.strays.values()}
        return [stay for stay in self.those("inside") if stay.id not in gone]

    def pick(self, data: st.DataObject, *states: str) -> Stay:
        return data.draw(st.sampled_from(self.those(*states)))

    def payments(self) -> list[PaymentReported | RefundMade]:
        return [event for event in self.said if isinstance(event, PaymentReported | RefundMade)]

    def say(self, event: Numbered) -> Outcome:
        """A line from the city; its id is its number."""
        self.said.append(event)
        return self.lot.step(event)

    def refused(self, event: Numbered) -> None:
        """A line that must change nothing, and be written down."""
        before_n = self.lot.journal.head().n
        self.lot.step(event)
        assert [line["type"] for line in self.since(before_n) if line["type"] != "heartbeat"] == ["refused"]

    def since(self, n: int) -> list[dict[str, Any]]:
        """The records after number n."""
        return [json.loads(record.line) for record in self.lot.engine.records(n + 1, 1000)]

    # Legal moves.

    @precondition(lambda self: len(self.those("inside")) < PARKED_MAX and self.outside())
    @rule(data=st.data())
    def drive_in(self, data: st.DataObject) -> None:
        text = data.draw(st.sampled_from(self.outside()))
        id_ = self.enter(text)
        self.stays[id_] = Stay(id_, text, entered_ms=START_MS + self.lot.now_ms)

    def outside(self) -> list[str]:
        inside = {stay.plate for stay in self.those("inside", "held")}
        return [text for text in PLATES if text not in inside]

    @precondition(lambda self: self.outside())
    @rule(data=st.data(), minutes=st.sampled_from((20, 95, 400, 1500)), cap_minor=st.sampled_from((0, 700, 9000)))
    def whole_stay(self, data: st.DataObject, minutes: int, cap_minor: int) -> None:
        """In and out at one go, since what the walk is about begins after the exit."""
        self.stay(data.draw(st.sampled_from(self.outside())), minutes, cap_minor)

    def enter(self, text: str) -> str:
        """Drive in; nobody is round from an exit to an entry within seconds, and such a read counts as a near lane's."""
        self.lot.wait(NEAR_MS)
        return self.lot.enter(plate(text))

    def stay(self, text: str, minutes: int, cap_minor: int) -> None:
        id_ = self.enter(text)
        stay = self.stays[id_] = Stay(id_, text, entered_ms=START_MS + self.lot.now_ms, cap_minor=cap_minor)
        if cap_minor:
            self.say(self.lot.lease(id_, cap_minor))
        self.lot.wait(minutes * 60_000)
        self.leave(stay)

    @rule(minutes=st.sampled_from((1, 20, 31, 90, 500, 1500, 2900)))
    def wait(self, minutes: int) -> None:
        self.lot.wait(minutes * 60_000)
        self.lot.step(Woke())
        now_ms = START_MS + self.lot.now_ms
        for stay in self.those("due"):
            if stay.term_ms <= now_ms:
                stay.state = "arrears"

    @precondition(lambda self: self.parked())
    @rule(data=st.data(), spare=st.sampled_from((0, 300, 5000)))
    def lease(self, data: st.DataObject, spare: int) -> None:
        stay = data.draw(st.sampled_from(self.parked()))
        self.say(self.lot.lease(stay.id, 500 + spare))
        stay.cap_minor = 500 + spare

    @precondition(lambda self: self.parked())
    @rule(data=st.data())
    def drive_out(self, data: st.DataObject) -> None:
        self.leave(data.draw(st.sampled_from(self.parked())))

    def leave(self, stay: Stay) -> None:
        self.lot.wait(NEAR_MS)
        self.lot.step(self.lot.read("out", plate(stay.plate)))
        held = self.lot.policy is WithoutLease.PAY_HERE
        self.bill(stay, START_MS + self.lot.now_ms, "held" if held else "arrears")
        if stay.state != "held":
            self.lot.step(self.lot.passed("out"))

    @precondition(lambda self: self.parked())
    @rule(data=st.data())
    def drive_out_misread(self, data: st.DataObject) -> None:
        """The exit reads another plate altogether: it opens, and nobody is debited."""
        stay = data.draw(st.sampled_from(self.parked()))
        self.lot.wait(NEAR_MS)
        self.lot.step(self.lot.read("out-2", plate("京Z99999")))
        exit_ms = START_MS + self.lot.now_ms
        self.lot.step(self.lot.passed("out-2"))
        self.strays[str(self.lot.last("exit")["session"])] = stay.id, exit_ms

    @precondition(lambda self: self.strays)
    @rule(data=st.data())
    def attach(self, data: st.DataObject) -> None:
        """A person sees whose exit it was."""
        stray = data.draw(st.sampled_from(sorted(self.strays)))
        id_, exit_ms = self.strays.pop(stray)
        self.say(self.lot.line(ExitAttached, f"a{len(self.said)}", id_, stray, "entry", "seen"))
        self.bill(self.stays[id_], exit_ms, "arrears")
        assert self.lot.rows(f"SELECT state FROM session WHERE id = '{stray}'") == [("voided",)]

    def bill(self, stay: Stay, exited_ms: int, unleased: str) -> None:
        """The stay ends with a bill of its own."""
        stay.exited_ms = exited_ms
        stay.billed_minor = owed_minor(TARIFF, stay.entered_ms, exited_ms, "small", "fuel")
        stay.term_ms = exited_ms + TERM_MS
        if stay.billed_minor == 0:
            stay.state = "free"
        else:
            stay.state = "due" if stay.billed_minor <= stay.cap_minor else unleased

    @precondition(lambda self: self.those("held"))
    @rule(data=st.data())
    def drive_on_unpaid(self, data: st.DataObject) -> None:
        stay = self.pick(data, "held")
        lane = self.lot.engine.memory.lanes["out"]
        if lane.leaving[-1:] == (stay.id,):
            self.lot.step(self.lot.passed("out"))
            stay.state = "arrears"

    @precondition(lambda self: self.those("held"))
    @rule(data=st.data())
    def lease_while_held(self, data: st.DataObject) -> None:
        stay = self.pick(data, "held")
        self.say(self.lot.lease(stay.id, stay.owed_minor))
        stay.cap_minor, stay.state = stay.owed_minor, "due"

    @precondition(lambda self: self.those("arrears"))
    @rule(data=st.data())
    def lease_late(self, data: st.DataObject) -> None:
        stay = self.pick(data, "arrears")
        self.say(self.lot.lease(stay.id, stay.owed_minor))
        stay.state, stay.term_ms = "due", START_MS + self.lot.now_ms + TERM_MS

    @precondition(lambda self: self.those(*OWING))
    @rule(data=st.data(), share=st.sampled_from((1, 2, 3)), more=st.sampled_from((0, 0, 100)))
    def pay(self, data: st.DataObject, share: int, more: int) -> None:
        stay = self.pick(data, *OWING)
        amount = max(1, stay.owed_minor // share) + more
        self.say(self.lot.payment(stay.id, amount))
        stay.paid_minor += amount
        stay.settle()

    @precondition(lambda self: self.those("free", "paid", "refunded", "voided"))
    @rule(data=st.data())
    def pay_again(self, data: st.DataObject) -> None:
        """Another payment of another id: it was taken, so it is booked, and it is due back."""
        stay = self.pick(data, "free", "paid", "refunded", "voided")
        self.say(self.lot.payment(stay.id, 200))
        stay.paid_minor += 200
        stay.state = "voided" if stay.state == "voided" else "paid"
        assert self.lot.last("refund-due")["amount_minor"] == min(200, stay.kept_minor - stay.net_minor)

    @precondition(lambda self: self.those("due", "arrears"))
    @rule(data=st.data())
    def fail_to_pay(self, data: st.DataObject) -> None:
        stay = self.pick(data, "due", "arrears")
        self.say(self.lot.payment(stay.id, stay.owed_minor, paid=False))
        stay.state = "arrears"

    def refundable(self) -> list[Stay]:
        return [stay for stay in self.those("paid", "voided", "disputed") if stay.kept_minor]

    @precondition(lambda self: self.refundable())
    @rule(data=st.data(), share=st.sampled_from((1, 2, 5)))
    def refund(self, data: st.DataObject, share: int) -> None:
        stay = data.draw(st.sampled_from(self.refundable()))
        amount = max(1, stay.kept_minor // share)
        due_minor = min(amount, max(0, stay.kept_minor - stay.net_minor))
        self.say(self.lot.refund(stay.id, amount))
        stay.refunded_minor += amount
        stay.lowered_minor += amount - due_minor
        if stay.state == "paid" and stay.kept_minor == 0:
            stay.state = "refunded"

    @precondition(lambda self: self.those("due", "arrears", "paid", "free"))
    @rule(data=st.data(), by_minor=st.sampled_from((-300, -100, 200, 700)))
    def correct(self, data: st.DataObject, by_minor: int) -> None:
        stay = self.pick(data, "due", "arrears", "paid", "free")
        amount = max(stay.lowered_minor + stay.written_off_minor, stay.billed_minor + by_minor)
        (priced_n,) = self.lot.rows(f"SELECT priced_n FROM session WHERE id = '{stay.id}'")[0]
        event = self.lot.line(BillCorrected, f"c{len(self.said)}", stay.id, priced_n, amount, "wrong class")
        if amount == stay.billed_minor:
            return self.refused(event)
        self.say(event)
        stay.billed_minor = amount
        if stay.state in ("paid", "free") and stay.owed_minor:
            stay.state, stay.term_ms = "due", START_MS + self.lot.now_ms + TERM_MS
        stay.settle()
        return None

    @precondition(lambda self: self.those("due", "arrears", "paid"))
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        stay = self.pick(data, "due", "arrears", "paid")
        self.say(self.lot.line(BillVoided, f"v{len(self.said)}", stay.id, "charged wrongly"))
        stay.bring_to_nothing()

    @precondition(lambda self: self.those("arrears"))
    @rule(data=st.data())
    def write_off(self, data: st.DataObject) -> None:
        stay = self.pick(data, "arrears")
        self.say(self.lot.line(BillWrittenOff, f"w{len(self.said)}", stay.id, "not to be found"))
        stay.written_off_minor, stay.state = stay.owed_minor, "written-off"

    @precondition(lambda self: self.those("due", "arrears", "paid"))
    @rule(data=st.data())
    def contest(self, data: st.DataObject) -> None:
        stay = self.pick(data, "due", "arrears", "paid")
        stay.dispute, stay.state = f"d{len(self.said)}", "disputed"
        self.say(self.lot.line(DisputeOpened, stay.dispute, stay.id, "was not there"))

    @precondition(lambda self: self.those("disputed"))
    @rule(data=st.data(), upheld=st.booleans())
    def decide(self, data: st.DataObject, upheld: bool) -> None:
        stay = self.pick(data, "disputed")
        self.say(self.lot.line(DisputeClosed, stay.dispute, stay.id, upheld))
        if upheld:
            stay.bring_to_nothing()
        elif stay.owed_minor:
            stay.state = "arrears"
        elif stay.kept_minor:
            stay.state = "paid"
        else:
            stay.state = "refunded" if stay.paid_minor else "free"

    @precondition(lambda self: self.those(*GONE))
    @rule(data=st.data(), value=st.sampled_from((100, 400, 9000)))
    def benefit_late(self, data: st.DataObject, value: int) -> None:
        """It holds until now: who is inside and was not billed yet gets nothing of it, but an exit in review would."""
        stay = self.pick(data, *GONE)
        if stay.plate in {self.stays[id_].plate for id_, _ in self.strays.values()}:
            return
        until_ms = START_MS + self.lot.now_ms
        grant = benefit(Way.MONEY, value, f"b{len(self.said)}", f"blue {stay.plate}", to_ms=until_ms)
        self.say(self.lot.grant(grant))
        for other in self.those("held", "due", "arrears", "paid", "disputed"):
            if other.plate == stay.plate and other.exited_ms <= until_ms:
                other.lowered_minor += min(value, other.billed_minor, other.net_minor)
                other.settle()

    # Repeats, illegal moves and deaths: nothing may follow.

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """The city repeats an old line, and says an old thing under a new number."""
        event = data.draw(st.sampled_from(self.said))
        before_n = self.lot.journal.head().n
        self.lot.step(event)
        if not isinstance(event, LeaseGranted):
            # A lease may have been followed by another one, and the city does not go back to it.
            self.lot.step(replace(event, origin=self.lot.origin()))
        assert [line for line in self.since(before_n) if line["type"] != "heartbeat"] == []

    @precondition(lambda self: self.payments())
    @rule(data=st.data())
    def another_content_under_a_used_id(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(self.payments()))
        self.refused(replace(event, origin=self.lot.origin(), amount_minor=event.amount_minor + 1))

    @precondition(lambda self: self.those(*GONE))
    @rule(data=st.data(), above=st.sampled_from((1, 500)))
    def refund_too_much(self, data: st.DataObject, above: int) -> None:
        stay = self.pick(data, *GONE)
        self.refused(self.lot.refund(stay.id, stay.kept_minor + above))

    @rule()
    def pay_for_nobody(self) -> None:
        self.refused(self.lot.payment("1.999999", 100))

    @precondition(lambda self: self.those("inside"))
    @rule(data=st.data())
    def pay_before_the_exit(self, data: st.DataObject) -> None:
        self.refused(self.lot.payment(self.pick(data, "inside").id, 500))

    @precondition(lambda self: self.those(*GONE))
    @rule(data=st.data())
    def read_once_more(self, data: st.DataObject) -> None:
        """The vehicle is gone, and something like its plate is read again: no second bill."""
        stay = self.pick(data, *GONE)
        if stay.plate not in {other.plate for other in self.those("inside", "held")}:
            before_n = self.lot.journal.head().n
            self.lot.step(self.lot.read("out-2", plate(stay.plate)))
            assert (
                sum(line["body"].get("amount_minor", 0) for line in self.since(before_n) if line["type"] == "exit") == 0
            )
            self.lot.step(self.lot.passed("out-2"))

    @rule()
    def die(self) -> None:
        before = state_of(self.lot.engine.memory)
        self.lot.restart()
        assert state_of(self.lot.engine.memory) == before

    # What must hold.

    @invariant()
    def every_stay_is_as_the_model_has_it(self) -> None:
        if not self.stays:
            return
        columns = "id, state, amount_minor, lowered_minor, written_off_minor, paid_minor, refunded_minor"
        found = {row[0]: row[1:] for row in self.lot.rows(f"SELECT {columns} FROM session")}
        for stay in self.stays.values():
            off = stay.lowered_minor, stay.written_off_minor
            money = stay.billed_minor, *off, stay.paid_minor, stay.refunded_minor
            assert found[stay.id] == (stay.state, *money), stay
            assert 0 <= stay.refunded_minor <= stay.paid_minor

    @invariant()
    def the_records_say_the_same(self) -> None:
        """Folded by our own hand, record after record, the chain gives each stay's money; and nothing is billed twice."""
        for line in self.since(self.folded_n) if self.stays else ():
            self.folded_n = line["n"]
            self.folded.setdefault(line["body"].get("session", ""), Folded()).take(line["type"], line["body"])
        for id_, stay in self.stays.items():
            found = self.folded[id_]
            assert found.bills == (1 if stay.exited_ms else 0)
            money = stay.billed_minor, stay.lowered_minor, stay.written_off_minor, stay.paid_minor, stay.refunded_minor
            assert (found.billed, found.lowered, found.written_off, found.paid, found.refunded) == money

    @invariant()
    def the_accounts_balance(self) -> None:
        """Each record's postings sum to zero; a stay's receivable is what it owes, less what is due back to it."""
        if not self.stays:
            return
        assert self.lot.rows("SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) <> 0") == []
        sums = {(row[0], row[1]): row[2] for row in self.lot.rows(SUMS)}
        for stay in self.stays.values():
            assert sums.get((stay.id, "receivable"), 0) == stay.net_minor - stay.kept_minor, stay
            assert sums.get((stay.id, "clearing"), 0) == stay.kept_minor, stay

    @invariant()
    def one_open_stay_a_plate(self) -> None:
        open_plates = [session.plate.text for session in self.memory_inside()]
        assert len(open_plates) == len(set(open_plates))

    def memory_inside(self) -> list[Any]:
        return list(self.lot.engine.memory.inside_sessions().values()) if self.stays else []


SUMS = "SELECT session, account, sum(amount_minor) FROM posting GROUP BY session, account"
