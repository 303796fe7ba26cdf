"""A simulated day over Hangzhou's own protocol: real nodes, noise, deaths, the platform away for six hours, pushes doubled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.core.events import Event
from gateway.core.platform_state import PlatformTerms
from gateway.forms import Rejection
from gateway.sync.hangzhou import tables
from gateway.sync.hangzhou.envelope import date_text, read_answer
from gateway.sync.hangzhou.pushes import Pushes
from gateway.sync.hangzhou.sender import Post, Sender
from sim.drivers import Driver
from sim.hangzhou import FAILED, PAID, Account, Platform
from tests.faults import QUIET, Faults
from tests.hangzhou_keys import NUMBERS, PUBLIC_NUMBERS
from tests.platforms import ACCESS, CODE, terms
from tests.world import BASE_MS, TICK_MS, World

HOUR_MS = 3_600_000
AWAY_MS = (BASE_MS + 2 * HOUR_MS, BASE_MS + 8 * HOUR_MS)
CARS = 120
DISCOUNT_EVERY = 9
KILLS = Faults(kill_before_commit=0.02, kill_after_commit=0.02)


class HangzhouWorld(World):
    """The world with a platform beside the city; all agreements are the platform's. Its line is paced by lot time."""

    platform = PlatformTerms(CODE, {"entry-1": "01", "exit-1": "02", "exit-2": "03"}, 48)

    def __init__(self, seed: int, folder: Path, *, cars: int, faults: Faults) -> None:
        self.terms = terms(lot=self.platform, open_bays=48)
        super().__init__(seed, folder, cars=cars, faults=faults)

    @property
    def wall_ms(self) -> int:
        """UTC ms of lot time."""
        return BASE_MS + self.stamp_ms

    @property
    def away(self) -> bool:
        """Whether the platform is away now."""
        return AWAY_MS[0] <= self.wall_ms < AWAY_MS[1]

    def _drivers(self, cars: int) -> tuple[Driver, ...]:
        drivers = super()._drivers(cars)
        self.accounts = {
            driver.car.text: Account(
                driver.agreement.cap_minor, driver.agreement.pays, 100 if driver.number % DISCOUNT_EVERY == 0 else 0
            )
            for driver in drivers
            if driver.agreement is not None
        }
        return drivers

    def _found_city(self, _drivers: Sequence[Driver]) -> None:
        super()._found_city(())
        self.hangzhou = Platform(access=ACCESS, code=CODE, own=NUMBERS, lot=PUBLIC_NUMBERS, accounts=self.accounts)
        self.hangzhou.faults.doubled = True
        self.hangzhou.faults.result_first = True

    def _boot(self) -> None:
        super()._boot()
        self.pushes = Pushes(self.terms)
        self.sender = Sender(self.terms, self.pushes, lambda _: None)
        self.sender.subscribed()
        for kept in self.journal.platform.waiting():
            event = self.pushes.again(kept)
            assert not isinstance(event, Rejection)
            self._step([event])

    def _step(self, events: Sequence[Event]) -> None:
        super()._step(events)
        self.sender.committed()

    def _tick(self) -> None:
        super()._tick()
        if not self.away:
            for message in self.hangzhou.outgoing(self.wall_ms):
                event = self.pushes.receive(message.topic, message.payload)
                assert event is not None
                assert not isinstance(event, Rejection)
                self._step([event])
        for _ in range(20):
            if not self._send():
                return

    def _send(self) -> bool:
        sender = self.sender
        asked = sender.wanted(self.stamp_ms, self.wall_ms)
        if asked is not None:
            events = sender.give(self.engine.platform_work(asked), self.stamp_ms)
            if events:
                self._step(events)
            if sender is not self.sender:
                return True
        post = sender.post(self.stamp_ms, self.wall_ms)
        if not isinstance(post, Post):
            return False
        answer = None if self.away else read_answer(*self.hangzhou.post(post.path, post.body(), self.wall_ms))
        events = sender.answered(answer, self.stamp_ms, self.wall_ms)
        if events:
            self._step(events)
        return answer is not None

    def until(self, wall_ms: int) -> None:
        """Go on with the empty lot until a time: its buses stand still, the rest goes on."""
        while self.wall_ms < wall_ms:
            self.now_ms += TICK_MS
            self._tick()

    def states(self) -> dict[str, tuple[str, int, int]]:
        """Bill -> state, owed, paid, of every stay that left owing."""
        rows = self.journal._connection.execute(
            "SELECT bill, state, amount_minor, session.paid_minor FROM session"
            " JOIN platform_bill ON platform_bill.session = session.id AND NOT reversed WHERE amount_minor > 0"
        )
        return {bill: (state, owed, paid) for bill, state, owed, paid in rows}


@pytest.mark.parametrize(("faults", "seed"), [(QUIET, 21), (KILLS, 22)])
def test_every_bill_is_confirmed_and_paid_or_in_arrears_and_the_day_balances(
    tmp_path: Path, faults: Faults, seed: int
) -> None:
    print(f"seed {seed}")
    world = HangzhouWorld(seed, tmp_path, cars=CARS, faults=faults)
    result = world.run()
    assert (result.balance.lost, result.balance.doubled, result.balance.mismatched) == (0, 0, ())
    world.until(BASE_MS + 36 * HOUR_MS)
    city, ours = world.hangzhou, world.states()
    totals = city.totals()
    assert (totals["visits"], totals["ended"]) == (CARS, CARS)
    assert (totals["unconfirmed"], totals["conflicts"], totals["disorder"], totals["rejected"]) == (0, 0, 0, 0)
    assert {state for state, _, _ in ours.values()} == {"paid", "arrears"}
    assert {bill: (("paid" if b.status == PAID else "arrears"), b.owed, b.paid) for bill, b in city.bills.items()} == {
        bill: ours[bill] for bill in city.bills
    }
    assert totals["recorded"] == sum(bill.status == PAID for bill in city.bills.values()) > 0
    assert totals["failed"] == sum(bill.status == FAILED for bill in city.bills.values()) > 0
    arrears = {bill for bill, (state, _, _) in ours.items() if state == "arrears"}
    assert arrears == city.abnormal.keys()
    assert world.journal._connection.execute("SELECT sum(amount_minor) FROM posting").fetchone() == (0,)
    days = [line for line in _lines(world, "bills-compared") if line["bills"]]
    assert [(day["apart"], day["bills"], day["paid_minor"]) for day in days] == [
        (0, len(city.bills), sum(bill.paid for bill in city.bills.values()))
    ]
    back = [now_ms for now_ms, _ in city.states if now_ms >= AWAY_MS[1]]
    held_back = [
        data for name, data in city.calls if name == tables.CAR_IN and data["uploadTime"] >= date_text(AWAY_MS[1])
    ]
    assert back
    assert len(held_back) > 10
    print(
        f"{totals}; kills {world.life.kills}; {len(arrears)} in arrears; {len(held_back)} entries told after the outage"
    )


def _lines(world: World, kind: str) -> list[dict[str, object]]:
    records = [json.loads(record.line) for record in world.journal.records(1, 100_000)]
    return [record["body"] for record in records if record["type"] == kind]
