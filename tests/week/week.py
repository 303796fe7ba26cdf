"""One run of the lot's week: traffic, street, gatehouse and judge joined under one seed.

Owns the size of a run and when it is over: everybody gone, every record delivered, and so long after that the gateway has had
time to find the stays whose vehicles are gone. The same seed and size give the same run.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sim.bill import owed_minor
from tests.week.camera import Camera
from tests.week.gatehouse import CHAIN, MIDNIGHT_MS, TARIFF, Gatehouse
from tests.week.street import HABITS, Habits, Street
from tests.week.traffic import DAY_MS, MINUTE_MS, Register, Town, Traffic
from tests.week.verdict import Books, Finding, Judge

TARIFF_TEXT = (Path(__file__).parents[2] / "seeds" / "tariffs" / f"{TARIFF}.toml").read_text(encoding="utf-8")
DEAD_FROM_MS, DEAD_TO_MS = 11 * 60 * MINUTE_MS, 17 * 60 * MINUTE_MS
"""Six hours of one day in which the link is dead: the lot is fullest then."""
TAIL_MS = 8 * DAY_MS
"""How long the empty lot is watched: longer than any stay may last before the gateway calls it a ghost."""
TAIL_TICK_MS = 5 * MINUTE_MS

Watch = Callable[[int, int, int], None]
"""Told of (visits over, visits in all, lot time in ms)."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What gateway and city say of themselves: records, money, postings that don't sum to zero.

    `disputed`: sessions whose amount by the records differs from the city's own table.
    """

    records: int
    delivered: int
    billed_minor: int
    odd_postings: int
    disputed: int
    city: dict[str, int]


class Week:
    """A lot, its traffic and its gateway; `run` once. `sure`: readers as sure of their errors as of the rest."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        *,
        days: int,
        bays: int,
        cars_per_day: int,
        sure: bool = False,
        swap: bool = False,
        habits: Habits = HABITS,
        clear: bool = False,
        build: Callable[..., Gatehouse] = Gatehouse,
    ) -> None:
        """`clear`: readers never err; `build`: the gatehouse, with what it is given here."""
        self.folder = folder
        dice = random.Random(seed)
        self.traffic = Traffic(dice, days=days, bays=bays, cars_per_day=cars_per_day)
        self.town = Town(seed, self.traffic.guests)
        self.street = Street(dice, Camera(dice, sure=sure, clear=clear), bays, habits, swap=swap)
        dead_day_ms = (days - 1) // 2 * DAY_MS
        self.dead_ms = (dead_day_ms + DEAD_FROM_MS, dead_day_ms + DEAD_TO_MS)
        self.house = build(
            seed,
            folder,
            lot=self.street.layout(),
            agreements=self.town,
            borne=Register(self.town),
            dead_ms=[self.dead_ms],
            obey=self.street.obey,
        )
        self.street.open(self.house)

    def run(self, watch: Watch | None = None) -> Finding:
        """Let the week pass, and judge it."""
        visits = self.traffic.visits
        self.house.begin(self.street.arrivals(visits))

        def over() -> bool:
            if watch is not None:
                watch(self.street.gone, len(visits), self.house.now_ms)
            return self.street.gone == len(visits)

        self.house.run(over)
        end_ms = self.house.now_ms + TAIL_MS
        self.house.tick_ms = TAIL_TICK_MS
        self.house.run(lambda: self.house.now_ms > end_ms and self.house.delivered)
        self.books = Books(self.folder / "city.db", self.street.caused)
        return Judge(self.street.stays, MIDNIGHT_MS, priced, self.town).judge(self.books.sessions)

    def ledger(self) -> Ledger:
        """The two ledgers' own figures, after the run."""
        db = sqlite3.connect(f"file:{self.folder / 'ledger.db'}?mode=ro", uri=True)
        try:
            odd = db.execute(
                "SELECT count(*) FROM (SELECT n FROM posting GROUP BY n HAVING sum(amount_minor) != 0)"
            ).fetchone()
        finally:
            db.close()
        return Ledger(
            records=self.house.journal.head().n,
            delivered=self.house.city.head(CHAIN).n,
            billed_minor=self.house.engine.memory.billed_minor,
            odd_postings=int(odd[0]),
            disputed=len(self.books.disputed),
            city=self.house.city.totals(),
        )

    @property
    def exits_while_dead(self) -> int:
        """Vehicles that left while the link was dead."""
        begin_ms, end_ms = self.dead_ms
        return sum(begin_ms <= stay.left_ms < end_ms for stay in self.street.stays.values())


def priced(entry_ms: int, exit_ms: int, vehicle: str, energy: str) -> int:
    return owed_minor(TARIFF_TEXT, entry_ms, exit_ms, vehicle, energy)
