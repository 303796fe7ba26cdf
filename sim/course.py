"""The course of the demo: cars move, the broker goes away once, the gateway is killed once, and everything comes to its end.

Owns the order of events and when the run is over. Rules: the kill falls while a node holds an unacknowledged event and the
ledger an unreceipted record, both looked at while the gateway stands still; a run that does not end in time says what is
missing. Reads the ledger through a function that is handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sim.broker import BrokerProcess
from sim.bus_port import bare_commit_us
from sim.city_store import totals
from sim.clock import real_ms
from sim.display import Display, View
from sim.drivers import Truth
from sim.field import Field
from sim.processes import Child

OUTAGE_AFTER = 0.35
"""Share of the exits before the broker goes away."""
OUTAGE_SHARE = 0.22
"""Share of the exits that the outage spans: a fifth and a little more."""
KILL_AFTER = 0.4
"""Share of the outage's exits before the gateway is killed."""
DOWN_S = 0.3
"""Between the kill and the new start, as a supervisor would wait."""
IN_FLIGHT_S = 5.0
"""So long the kill waits for an event on its way; then any unacknowledged event will do."""
LOOK_S = 0.5
COMMIT_EVERY_S = 0.4
TICK_S = 0.02
AIM_S = 0.0005


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The gateway's ledger as it stands."""

    records: int
    receipted: int
    billed_minor: int


@dataclass(slots=True)
class Happened:
    """What the course led to."""

    broker_outages: int = 0
    exits_in_outage: int = 0
    kills: int = 0
    unfinished: list[str] = field(default_factory=list)
    bare_commits_us: list[int] = field(default_factory=list)


class Fallen(Exception):
    """A process ended by itself; the text says which, with the end of its log."""


class Run:
    """One run of the demo, to be awaited once. `look()` reads the ledger; `zone` is the lot's."""

    def __init__(
        self,
        *,
        field: Field,
        truth: Truth,
        cars: int,
        broker: BrokerProcess,
        city: Child,
        gateway: Child,
        books: Path,
        data: Path,
        look: Callable[[], LedgerView],
        display: Display,
        zone: str,
    ) -> None:
        self.happened = Happened()
        self._field = field
        self._truth = truth
        self._cars = cars
        self._broker = broker
        self._city = city
        self._gateway = gateway
        self._books = books
        self._data = data
        self._look = look
        self._display = display
        self._zone = ZoneInfo(zone)
        self._broker_up = True
        self._killed = False
        self._seen = LedgerView(0, 0, 0)
        self._city_seen: dict[str, int] = {}

    async def perform(self, mover: asyncio.Task[None], limit_s: float) -> None:
        """The whole course, while `mover` moves the field; returns with gateway, city and broker still running."""
        course = asyncio.create_task(self._course())
        besides = [asyncio.create_task(part) for part in (self._watch(), self._sample())]
        try:
            done, _ = await asyncio.wait(
                [course, mover, *besides], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
            if not done:
                self.happened.unfinished += self._missing()
        except Fallen as fallen:
            self.happened.unfinished.append(str(fallen))
        finally:
            for task in (course, *besides):
                task.cancel()

    def look(self) -> LedgerView:
        """The ledger now."""
        self._seen = self._look()
        return self._seen

    async def _course(self) -> None:
        left_before = int(OUTAGE_AFTER * self._cars)
        await self._until(lambda: self._left >= left_before and self._seen.receipted > 0)
        await self._outage()
        await self._until(lambda: self._done)
        await self._all_receipted()

    async def _outage(self) -> None:
        begin = self._left
        spanned = max(1, -(-self._cars // 5), round(OUTAGE_SHARE * self._cars))
        await asyncio.to_thread(self._broker.kill)
        self._broker_up = False
        self.happened.broker_outages += 1
        self._display.note(f"broker taken away after {begin} exits")
        await self._until(lambda: self._left - begin >= int(KILL_AFTER * spanned) or self._done)
        await self._kill()
        await self._until(lambda: self._left - begin >= spanned or self._done)
        self.happened.exits_in_outage = self._left - begin
        await asyncio.to_thread(self._broker.start)
        self._broker_up = True
        self._display.note(f"broker back after {self.happened.exits_in_outage} exits without it")

    async def _kill(self) -> None:
        aiming_s = asyncio.get_running_loop().time() + IN_FLIGHT_S
        while not self._done:
            late = asyncio.get_running_loop().time() > aiming_s
            if (self._field.lane_bus.in_flight or (late and self._field.unacknowledged)) and self._hit():
                break
            await asyncio.sleep(AIM_S)
        else:
            return
        await asyncio.sleep(DOWN_S)
        self._gateway.start()
        self._killed = False

    def _hit(self) -> bool:
        """Stop the gateway dead, look whether the moment is right, and kill it then; else let it go on."""
        if not self._gateway.freeze():
            self._gateway.thaw()
            return False
        self._field.drain()
        events = self._field.unacknowledged
        unreceipted = self.look().records - totals(str(self._books))["records"]
        if not events or unreceipted <= 0:
            self._gateway.thaw()
            return False
        self._killed = True
        self._gateway.kill()
        self._field.gateway_gone()
        self.happened.kills += 1
        self._display.note(f"gateway killed: {events} events unacknowledged, {unreceipted} records unreceipted")
        return True

    async def _all_receipted(self) -> None:
        await self._until(lambda: 0 < self._seen.records == self._seen.receipted and not self._field.unacknowledged_all)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await asyncio.sleep(TICK_S)

    async def _watch(self) -> None:
        while True:
            if not self._city.alive:
                raise Fallen(f"the city ended by itself:\n{self._city.tail()}")
            if not self._gateway.alive and not self._killed:
                raise Fallen(f"the gateway ended by itself:\n{self._gateway.tail()}")
            if self._gateway.alive and self._field.lane_bus.heard:
                await asyncio.to_thread(self._read)
            self._display.show(self._view(), real_ms())
            await asyncio.sleep(LOOK_S)

    def _read(self) -> None:
        """In a thread: both are files of other processes."""
        self.look()
        if self._seen.receipted:
            self._city_seen = totals(str(self._books))

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY_S)
            self.happened.bare_commits_us.append(await asyncio.to_thread(bare_commit_us, self._data))

    @property
    def _left(self) -> int:
        return sum(1 for stay in self._truth.stays.values() if stay.left_ms)

    @property
    def _done(self) -> bool:
        return self._field.lot is not None and self._field.lot.done

    def _view(self) -> View:
        wall_ms = self._field.base.wall_ms + self._field.stamp_ms(real_ms())
        local = (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=wall_ms)).astimezone(self._zone)
        lot = self._field.lot
        return View(
            lot_time=local.strftime("%Y-%m-%d %H:%M"),
            cars=self._cars,
            entered=len(self._truth.stays),
            left=self._left,
            outside=lot.outside if lot is not None else 0,
            billed_minor=self._seen.billed_minor,
            paid_minor=self._city_seen.get("paid_minor", 0),
            records=self._seen.records,
            receipted=self._seen.receipted,
            broker_up=self._broker_up,
            gateway_alive=self._gateway.alive,
            unacknowledged=self._field.unacknowledged_all,
        )

    def _missing(self) -> list[str]:
        missing = []
        if self._cars > self._left:
            missing.append(f"{self._cars - self._left} of {self._cars} cars have not left")
        if self._seen.records != self._seen.receipted:
            missing.append(f"{self._seen.records} records, {self._seen.receipted} receipted")
        if self._field.unacknowledged_all:
            missing.append(f"{self._field.unacknowledged_all} events not acknowledged")
        return missing or ["the time limit was reached"]
