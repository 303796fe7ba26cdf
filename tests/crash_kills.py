"""Kills the real gateway at counted system calls: python -m tests.crash_kills --kills 1000 --seed 1.

A simulated lot, a broker and a city go on while the gateway's process dies by SIGKILL at its k-th write or sync on the ledger,
is started again, and dies at the next k. The product knows nothing of it: strace sends the signal. In the end truth, ledger and
city must agree to the cent. A batch is one lot with its cars; batches follow until there were as many kills as asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sim import books
from sim.city_store import totals
from sim.clock import Base, real_ms
from sim.drivers import Truth, steady_by
from sim.field import Field
from sim.processes import Child, city_child, make_broker, run_lotgate
from sim.scenario import Scenario, short_day
from sim.site import SEEDS, LotSpec, Site
from sim.summary import balance
from tests.progress import Progress
from tests.strace import strace_program

SCALE = 200
CARS = 40
POINTS = {"pwrite64": 44, "fdatasync": 16}
"""Call -> the highest k: a start makes some ten writes and four syncs, a step of the engine some eight and one."""
KILLED = -9
LIMIT_S = 900
"""A batch that takes longer has come to a stand: a failure of its own."""
LOOK_S = 0.05
MARGIN_MS = 10_000
"""How near to a price step a stay may begin or end. On a slow machine a start takes hours of the lot: with the demo's margin a
car that waited at the entry until shortly before an evening's price would never drive out, as all its bills are near one."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One lot with its cars, from the first to the last receipt."""

    seed: int
    kills: int
    cars: int
    lost: int
    doubled: int
    forks: int
    wrong: tuple[str, ...]


def points(dice: random.Random) -> Iterator[tuple[str, int]]:
    """Where the next start dies, for ever: every call and k once, in a drawn order, and again."""
    every = [(call, k) for call, most in POINTS.items() for k in range(1, most + 1)]
    while True:
        yield from dice.sample(every, len(every))


def gateway(site: Site, base: Base, point: tuple[str, int] | None) -> Child:
    """The real gateway, to be killed at a point or not at all; it is our own child in both cases."""
    command = [sys.executable, "-m", "sim.demo", "--gateway-child", str(site.config), "--base", base.text()]
    if point is not None:
        call, k = point
        ledger = [word for end in ("", "-wal", "-journal") for word in ("-P", f"{site.ledger}{end}")]
        when = f"inject={call}:signal=KILL:when={k}"
        options = ["-D", "-f", "-qq", "-E", "LD_LIBRARY_PATH", "-o", "/dev/null", "-e", f"trace={call}", "-e", when]
        command = [strace_program(), *options, *ledger, *command]
    return Child(command, site.folder / "gateway.log")


async def run_batch(seed: int, folder: Path, cars: int, scale: int, kills_max: int, progress: Progress) -> Batch:
    """One batch; after `kills_max` kills the gateway is left alone. `scale`: lot seconds in a real one."""
    dice = random.Random(seed)
    planned = short_day(dice, LotSpec.load(SEEDS / "lots" / "demo" / "lot.toml"), scale=scale, cars=cars, bays=None)
    site = Site(folder, planned.spec, planned.bays)
    field = Field(site, Base(real_ms(), planned.wall_ms, scale))
    broker, access = make_broker("embedded", site)
    site.prepare(planned.drivers, access, {name: port.slave for name, port in field.ports.items()})
    city = city_child(site)
    await asyncio.to_thread(broker.start)
    city.start()
    field.base = Base(real_ms(), planned.wall_ms, scale)
    truth = Truth()
    field.populate(planned.drivers, truth, steady_by(planned.owed, MARGIN_MS))
    mover = asyncio.create_task(field.move())
    wrong: list[str] = []
    kills = 0
    where = points(dice)
    begun_s = time.monotonic()
    alive = gateway(site, field.base, next(where))
    alive.start()
    while not (_settled(field, truth, cars) and _receipted(site)):
        await asyncio.wait((mover,), timeout=LOOK_S)
        if mover.done() or not city.alive or time.monotonic() - begun_s > LIMIT_S:
            wrong.append(f"came to a stand: {field.unacknowledged_all} events waiting; {city.tail()[-500:]}")
            break
        if alive.alive:
            continue
        if alive.stop() != KILLED:
            wrong.append(f"the gateway ended by itself: {alive.tail()}")
            break
        kills += 1
        progress.step()
        field.gateway_gone()
        alive = gateway(site, field.base, next(where) if kills < kills_max else None)
        alive.start()
    await asyncio.to_thread(alive.stop)
    mover.cancel()
    found = await asyncio.to_thread(_conclude, site, planned, truth, wrong)
    city.stop()
    broker.stop()
    forks = totals(str(site.city_books))["forks"]
    return Batch(seed, kills, cars, found[0], found[1], forks, tuple(wrong))


def _settled(field: Field, truth: Truth, cars: int) -> bool:
    left = sum(1 for stay in truth.stays.values() if stay.left_ms)
    return left == cars and not field.unacknowledged_all


def _receipted(site: Site) -> bool:
    """Every record of the ledger is in the city's books."""
    export = site.folder / "look.export"
    if run_lotgate(site, "export", "--config", str(site.config), out=export):
        return False
    last = sum(line.startswith("record\t") for line in export.read_text(encoding="utf-8").splitlines())
    return 0 < last <= totals(str(site.city_books))["records"]


def _conclude(site: Site, planned: Scenario, truth: Truth, wrong: list[str]) -> tuple[int, int]:
    """Stays lost and doubled; what else does not hold is added to `wrong`."""
    export = site.folder / "ledger.export"
    run_lotgate(site, "export", "--config", str(site.config), out=export)
    if run_lotgate(site, "verify", str(export), "--anchor", str(site.city_public)):
        wrong.append("the chain does not verify")
    lines = [line.split("\t") for line in export.read_text(encoding="utf-8").splitlines()]
    records = [json.loads(words[1]) for words in lines if words[0] == "record"]
    billed_minor = sum(record["body"]["amount_minor"] for record in records if record["type"] == "exit")
    sources = [json.dumps(record["body"]["source"]) for record in records if "source" in record["body"]]
    # An exit that was heard before its entry, over another bus, is in review until the entry comes: then it is that stay's own.
    paired = {record["body"]["exit"] for record in records if record["type"] == "paired"}
    booked = [stay for stay in books.sessions(site.city_books) if stay.session not in paired or stay.amount_minor]
    found = balance(list(truth.stays.values()), booked, planned.owed)
    wrong += found.mismatched
    if not found.owed_truth_minor == found.owed_city_minor == billed_minor:
        wrong.append(f"owed: truth {found.owed_truth_minor}, city {found.owed_city_minor}, ledger {billed_minor}")
    if len(set(sources)) != len(sources):
        wrong.append("an event of a node was counted twice")
    return found.lost, found.doubled


def sweep(kills: int, seed: int, *, cars: int = CARS, scale: int = SCALE, shown: bool = False) -> list[Batch]:
    """Batches of consecutive seeds until there were so many kills, or one batch failed."""
    batches: list[Batch] = []
    with Progress("SIGKILLs", kills, shown=shown) as progress:
        for number in itertools.count(seed):
            left = kills - sum(batch.kills for batch in batches)
            if left <= 0 or (batches and bad(batches[-1])):
                return batches
            with tempfile.TemporaryDirectory(prefix="lotgate-kills-") as folder:
                batches.append(asyncio.run(run_batch(number, Path(folder).resolve(), cars, scale, left, progress)))
    raise AssertionError("unreachable")


def bad(batch: Batch) -> bool:
    """Something does not hold."""
    return bool(batch.wrong or batch.lost or batch.doubled or batch.forks)


def main(argv: list[str] | None = None) -> int:
    """Exit 0 if nothing was lost, charged twice or forked."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash_kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="kills at counted points (default 1000)")
    parser.add_argument("--cars", type=int, default=CARS, help=f"cars a batch (default {CARS})")
    parser.add_argument("--seed", type=int, default=1, help="first batch; the others follow (default 1)")
    options = parser.parse_args(argv)
    begun_s = time.monotonic()
    batches = sweep(options.kills, options.seed, cars=options.cars, shown=True)
    kills, cars = sum(batch.kills for batch in batches), sum(batch.cars for batch in batches)
    lost, doubled, forks = (sum(getattr(b, name) for b in batches) for name in ("lost", "doubled", "forks"))
    print(
        f"{kills} SIGKILLs at counted calls, {cars} cars in {len(batches)} batches from seed {options.seed} on: "
        f"{lost} stays lost, {doubled} charged twice, {forks} forks, {time.monotonic() - begun_s:.0f} s"
    )
    for batch in filter(bad, batches):
        print(f"FAILED: batch {batch.seed}: {'; '.join(batch.wrong) or 'see the counts'}")
        print(f"again: python -m tests.crash_kills --kills {batch.kills} --cars {batch.cars} --seed {batch.seed}")
    return 1 if any(map(bad, batches)) or kills < options.kills else 0


if __name__ == "__main__":
    sys.exit(main())
