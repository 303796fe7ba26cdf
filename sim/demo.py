"""The demo: `python -m sim.demo` puts a whole lot together, shows it at work, disturbs it, and checks the end by the truth.

The one file that joins stand-ins and product: it starts the real gateway as its own process and hands it a scaled clock. The
product has no such switch. Exit code 0 only if truth, ledger and city agree to the cent and all that was promised happened.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.config import load_config
from gateway.core.moment import ClockQuality, Moment
from gateway.run import run as run_gateway
from gateway.store.reader import Reader
from sim import books, occupancy
from sim.bill import owed_minor
from sim.city_store import totals
from sim.clock import Base, ScaledClock, real_ms
from sim.course import LedgerView, Run
from sim.display import Display
from sim.drivers import MINUTE_MS, Casting, Driver, Owed, Steady, Truth, plan, steady_by
from sim.field import Field
from sim.lot import Fault
from sim.processes import BROKERS, Child, city_child, make_broker, run_lotgate
from sim.site import SEEDS, LotSpec, Site
from sim.summary import Course, Ledger, as_json, balance, failures, table

SCALE = 200
MARGIN_S = 300
"""Drivers keep five minutes of lot time from a price step: one and a half real seconds of a stalled machine."""
ARRIVE_PER_CAR_MS = 52_000
LEAVE_AFTER_MS = 80 * MINUTE_MS
"""Eighty cars come within 70 minutes of lot time and are gone 80 minutes later: 45 seconds."""
START_MS = 2_000
"""Real time for the gateway to start before the first car may come."""
LIMIT_EXTRA_S = 90
"""Beyond the drivers' own time: starting, reconnecting with its pauses, and a slow machine."""
BAYS_PER_LANE = 400
"""A big garage has more lanes than the demo's own."""
STAY_CARS = 600
"""With --stay: a car a minute for ten hours."""
SETTLE_TRIES = 3
"""A heartbeat may fall between the last receipt and the stop; then the gateway goes on until that is receipted too."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be driven."""

    drivers: tuple[Driver, ...]
    bays: int
    wall_ms: int
    owed: Owed
    steady: Steady
    zone: str
    span_ms: int


def main() -> int:
    """The command."""
    asked = _arguments()
    if asked.gateway_child:
        return _gateway_child(Path(asked.gateway_child), Base.from_text(asked.base))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    kept = asked.dir is not None or asked.stay
    folder = asked.dir or Path(tempfile.mkdtemp(prefix="lotgate-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "data").exists():
        print(f"--dir {folder}: holds a demo already; name a new folder", file=sys.stderr)
        return 2
    try:
        code = asyncio.run(_demo(asked, folder.resolve()))
    except (RuntimeError, ValueError, OSError) as error:
        print(f"the demo cannot run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    if code and not kept:
        print(f"logs and files are kept in {folder}", file=sys.stderr)
    elif not kept:
        shutil.rmtree(folder)
    return code


async def _demo(asked: argparse.Namespace, folder: Path) -> int:
    spec = LotSpec.load(SEEDS / "lots" / "demo" / "lot.toml")
    planned = _plan(asked, spec)
    lanes = planned.bays // BAYS_PER_LANE
    site = Site(folder, replace(spec, entries=spec.entries + lanes, exits=spec.exits + lanes), planned.bays)
    field = Field(site, Base(real_ms(), planned.wall_ms, asked.scale))
    broker, access = make_broker(asked.broker, site)
    site.prepare(planned.drivers, access, {name: port.slave for name, port in field.ports.items()})
    city = city_child(site)
    await asyncio.to_thread(broker.start)
    city.start()
    field.base = Base(real_ms(), planned.wall_ms, asked.scale)
    gateway = _gateway_process(site, field.base)
    gateway.start()
    truth = Truth()
    faults = {planned.drivers[len(planned.drivers) // 2].number: Fault(asked.plant)} if asked.plant else None
    field.populate(planned.drivers, truth, planned.steady, faults)
    expected_ms = planned.span_ms // asked.scale
    display = Display(sys.stdout, _money, expected_ms)
    run = Run(
        field=field,
        truth=truth,
        cars=len(planned.drivers),
        broker=broker,
        city=city,
        gateway=gateway,
        books=site.city_books,
        data=site.ledger.parent,
        look=lambda: _look(site.ledger),
        display=display,
        zone=planned.zone,
    )
    mover = asyncio.create_task(field.move())
    begun_s = time.monotonic()
    await run.perform(mover, expected_ms / 1000 * 1.5 + LIMIT_EXTRA_S)
    happened = run.happened
    if not (site.ledger.exists() and site.city_books.exists()):
        raise RuntimeError("\n".join(happened.unfinished))
    ledger = await _ledger(site, gateway, happened.unfinished)
    course = Course(
        seed=asked.seed,
        broker_outages=happened.broker_outages,
        exits_in_outage=happened.exits_in_outage,
        kills=happened.kills,
        duplicated=totals(str(site.city_books))["duplicates"],
        exit_latencies_us=field.latencies_us,
        bare_commits_us=happened.bare_commits_us,
        clock_error_s=round(field.lane_bus.turn_us_max * asked.scale / 1_000_000, 1),
        margin_s=MARGIN_S,
        unfinished=tuple(happened.unfinished),
    )
    found = balance(list(truth.stays.values()), books.sessions(site.city_books), planned.owed)
    display.finish(f"\nAfter {time.monotonic() - begun_s:.0f} s:\n{table(found, ledger, course, _money)}")
    wrong = failures(found, ledger, course)
    display.finish("\n".join(f"FAILED: {text}" for text in wrong) if wrong else "Truth, ledger and city agree.")
    if asked.json is not None:
        asked.json.write_text(json.dumps(as_json(found, ledger, course), indent=2) + "\n", encoding="utf-8")
    (folder / "truth.json").write_text(json.dumps(truth.rows(), ensure_ascii=False, indent=1), encoding="utf-8")
    if asked.stay:
        # Ctrl-C is how it ends, and the exit code is still the demo's.
        with contextlib.suppress(asyncio.CancelledError):
            await _stay(field, site, planned, display)
    mover.cancel()
    city.stop()
    broker.stop()
    return 1 if wrong else 0


def _plan(asked: argparse.Namespace, spec: LotSpec) -> Plan:
    text = (SEEDS / "tariffs" / f"{spec.tariff}.toml").read_text(encoding="utf-8")
    zone = str(tomllib.loads(text)["zone"])

    def owed(enter_ms: int, exit_ms: int, vehicle: str, energy: str) -> int:
        return owed_minor(text, enter_ms, exit_ms, vehicle, energy)

    steady = steady_by(owed, MARGIN_S * 1000)
    dice = random.Random(asked.seed)
    casting = Casting(dice)
    if asked.occupancy is not None:
        try:
            rows = occupancy.read(asked.occupancy.read_text(encoding="utf-8"), zone)
        except ValueError as error:
            raise ValueError(f"--occupancy {asked.occupancy}: {error}") from None
        bays = occupancy.capacity(rows, asked.bays)
        drivers = occupancy.drivers(dice, rows, bays=bays, casting=casting, steady=steady, limit=asked.cars)
        wall_ms = drivers[0].arrive_ms - START_MS * asked.scale
    else:
        cars = asked.cars if asked.cars is not None else 80
        bays = asked.bays or max(spec.bays, cars)
        wall_ms = int(datetime.fromisoformat(spec.opens).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000
        arrive_ms = cars * ARRIVE_PER_CAR_MS
        drivers = plan(
            dice,
            cars=cars,
            from_ms=wall_ms + START_MS * asked.scale,
            arrive_within_ms=arrive_ms,
            leave_within_ms=arrive_ms + LEAVE_AFTER_MS,
            steady=steady,
            casting=casting,
        )
    span_ms = max(driver.arrive_ms + driver.stay_ms for driver in drivers) - wall_ms
    return Plan(drivers, bays, wall_ms, owed, steady, zone, span_ms)


def _gateway_process(site: Site, base: Base) -> Child:
    command = [sys.executable, "-m", "sim.demo", "--gateway-child", str(site.config), "--base", base.text()]
    return Child(command, site.folder / "gateway.log")


def _gateway_child(config: Path, base: Base) -> int:
    """Inside the gateway's own process: the real gateway, with lot time for its clock."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    clock = ScaledClock(base, lambda boot, mono, wall: Moment(boot, mono, wall, ClockQuality.SYNCHRONISED))
    return run_gateway(load_config(config), clock)


def _look(ledger: Path) -> LedgerView:
    if not ledger.exists():
        return LedgerView(0, 0, 0)
    reader = Reader(ledger)
    try:
        head_n = reader.head_n()
        receipt = reader.last_receipt(head_n)
        return LedgerView(head_n, receipt.n if receipt is not None else 0, reader.billed_minor())
    finally:
        reader.close()


async def _ledger(site: Site, gateway: Child, unfinished: list[str]) -> Ledger:
    """Stop the gateway and read its export; once more if a record came between the last receipt and the stop."""
    for _ in range(SETTLE_TRIES):
        code = await asyncio.to_thread(gateway.stop)
        if code and not unfinished:
            unfinished.append(f"the gateway ended with code {code}:\n{gateway.tail()}")
        found = await asyncio.to_thread(_export, site)
        if found.records == found.receipted or unfinished:
            break
        gateway.start()
        await _receipted(site, LIMIT_EXTRA_S)
    return found


async def _receipted(site: Site, limit_s: float) -> None:
    """Wait until the city has receipted every record, at most `limit_s`."""
    until_s = time.monotonic() + limit_s
    before = _look(site.ledger).records
    while time.monotonic() < until_s:
        seen = _look(site.ledger)
        if before < seen.records == seen.receipted:
            return
        await asyncio.sleep(0.1)


def _export(site: Site) -> Ledger:
    """What a stranger sees: the product's export, checked by the product's verifier against the city's key."""
    export = site.folder / "ledger.export"
    if run_lotgate(site, "export", "--config", str(site.config), out=export):
        return Ledger(0, 0, 0, False)
    checked = run_lotgate(site, "verify", str(export), "--anchor", str(site.city_public))
    records, receipted, owed = 0, 0, 0
    for line in export.read_text(encoding="utf-8").splitlines():
        kind, payload = line.split("\t")[:2]
        if kind == "record":
            records += 1
            record = json.loads(payload)
            owed += record["body"]["amount_minor"] if record["type"] == "exit" else 0
        elif kind == "receipt":
            receipted = json.loads(payload)["n"]
    return Ledger(records, receipted, owed, checked == 0)


async def _stay(field: Field, site: Site, planned: Plan, display: Display) -> None:
    """Go on at real speed with new drivers, until interrupted; the gateway is now somebody else's to start."""
    now_ms = real_ms()
    stamp_ms = field.stamp_ms(now_ms)
    wall_ms = time.time_ns() // 1_000_000
    field.base = Base(now_ms - stamp_ms, wall_ms - stamp_ms, 1)
    dice = random.Random(wall_ms)
    drivers = plan(
        dice,
        cars=STAY_CARS,
        from_ms=wall_ms + MINUTE_MS,
        arrive_within_ms=STAY_CARS * MINUTE_MS,
        leave_within_ms=STAY_CARS * MINUTE_MS + LEAVE_AFTER_MS,
        steady=planned.steady,
        casting=Casting(dice),
    )
    field.populate(drivers, Truth(), planned.steady)
    operator = site.make_operator_key()
    lotgate = Path(sys.executable).parent / "lotgate"
    display.finish(
        f"""
Lot, broker and city go on at real speed, a car a minute; the gateway is stopped. In another terminal:

  {lotgate} run --config {site.config}
  {lotgate} export --config {site.config} --out {site.folder / "later.export"}
  {lotgate} verify {site.folder / "later.export"} --anchor {site.city_public}

An operator's key: {operator} (public: {operator.with_suffix(".pub")}). Ctrl-C ends it; everything is in {site.folder}."""
    )
    await asyncio.Event().wait()


def _money(minor: int) -> str:
    return f"CNY {minor // 100:,}.{minor % 100:02d}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sim.demo", description="the whole lot, in about a minute")
    parser.add_argument("--seed", type=int, default=7, help="draws the drivers (default 7)")
    parser.add_argument("--cars", type=int, help="cars (default 80); with --occupancy, at most so many arrivals")
    parser.add_argument("--json", type=Path, help="write the summary there")
    parser.add_argument("--occupancy", type=Path, metavar="CSV", help="timestamp,free rows of a garage's day to drive")
    parser.add_argument("--bays", type=int, help="bays of the lot (default: as many as needed)")
    parser.add_argument("--stay", action="store_true", help="keep lot, broker and city running at real speed")
    parser.add_argument(
        "--plant", choices=[fault.value for fault in Fault], help="plant a fault that the end must notice"
    )
    parser.add_argument("--broker", choices=BROKERS, default=BROKERS[0])
    parser.add_argument("--dir", type=Path, help="new folder for all files, kept; default: a temporary one")
    parser.add_argument("--scale", type=int, default=SCALE, help=f"lot seconds per real second (default {SCALE})")
    parser.add_argument("--gateway-child", help=argparse.SUPPRESS)
    parser.add_argument("--base", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    for name in ("cars", "bays", "scale"):
        value = getattr(asked, name)
        if value is not None and value < 1:
            parser.error(f"--{name} {value}: must be at least 1")
    return asked


if __name__ == "__main__":
    sys.exit(main())
