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
from dataclasses import replace
from pathlib import Path

from gateway.config import load_config
from gateway.core.moment import ClockQuality, Moment
from gateway.run import run as run_gateway
from gateway.store.reader import Reader
from sim import books
from sim.city_store import totals
from sim.clock import Base, ScaledClock, real_ms
from sim.course import LedgerView, Run
from sim.display import Display
from sim.drivers import Driver, Truth
from sim.field import NODES, Field
from sim.hangzhou_site import AWAY_FROM, AWAY_TO, HangzhouSite
from sim.hangzhou_site import failures as platform_failures
from sim.hangzhou_site import table as platform_table
from sim.lot import Fault
from sim.processes import BROKERS, Child, city_child, make_broker, run_lotgate
from sim.scenario import MARGIN_S, Scenario, any_time, counted_day, later_drivers, short_day
from sim.site import PORTS, SEEDS, LotSpec, Site
from sim.summary import Course, Ledger, as_json, balance, failures, table

SCALE = 200
BOARD_PORTS = 8
CARS = 80
LIMIT_EXTRA_S = 90
"""Beyond the drivers' own time: starting, reconnecting with its pauses, and a slow machine."""
SETTLE_TRIES = 3
"""A heartbeat may fall between the last receipt and the stop; then the gateway goes on until that is receipted too."""


def main() -> int:
    """The command."""
    asked = _arguments()
    if asked.gateway_child:
        return _gateway_child(Path(asked.gateway_child), Base.from_text(asked.base))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        planned = _scenario(asked)
        if asked.dir is not None and (asked.dir / "data").exists():
            raise ValueError(f"--dir {asked.dir} holds a demo already; name a new folder")
    except (ValueError, OSError) as error:
        print(f"the demo cannot begin: {error}", file=sys.stderr)
        return 2
    folder = asked.dir or Path(tempfile.mkdtemp(prefix="lotgate-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        code = asyncio.run(_demo(asked, planned, folder.resolve()))
    except (RuntimeError, OSError) as error:
        print(f"the demo broke off: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    if code or asked.dir is not None or asked.stay:
        print(f"logs and files are kept in {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return code


def _scenario(asked: argparse.Namespace) -> Scenario:
    spec = LotSpec.load(SEEDS / "lots" / "demo" / "lot.toml")
    dice = random.Random(asked.seed)
    if asked.occupancy is None:
        return short_day(dice, spec, scale=asked.scale, cars=asked.cars or CARS, bays=asked.bays)
    text = asked.occupancy.read_text(encoding="utf-8")
    try:
        return counted_day(dice, spec, text, scale=asked.scale, bays=asked.bays, limit=asked.cars)
    except ValueError as error:
        raise ValueError(f"--occupancy {asked.occupancy}: {error}") from None


async def _demo(asked: argparse.Namespace, planned: Scenario, folder: Path) -> int:
    site = Site(folder, planned.spec, planned.bays, BOARD_PORTS if asked.nodes == "board" else PORTS)
    field = Field(site, Base(real_ms(), planned.wall_ms, asked.scale), asked.nodes)
    broker, access = make_broker(asked.broker, site)
    later = later_drivers(asked.seed) if asked.stay else ()
    hangzhou = HangzhouSite(folder, [lane.name for lane in site.lanes], planned.bays) if asked.city else None
    if hangzhou is not None:
        site.agreed, site.part = False, hangzhou.prepare(planned.drivers)
        await asyncio.to_thread(hangzhou.start)
    site.prepare([*planned.drivers, *later], access, {name: port.slave for name, port in field.ports.items()})
    city = city_child(site)
    await asyncio.to_thread(broker.start)
    city.start()
    # Lot time begins only now: what came before took real time.
    field.base = Base(real_ms(), planned.wall_ms, asked.scale)
    gateway = _gateway_process(site, field.base)
    gateway.start()
    truth = Truth()
    afflicted = planned.drivers[len(planned.drivers) // 2].number
    field.populate(planned.drivers, truth, planned.steady, {afflicted: Fault(asked.plant)} if asked.plant else None)
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
    away = asyncio.create_task(_away(hangzhou, truth, len(planned.drivers)))
    begun_s = time.monotonic()
    await run.perform(mover, expected_ms / 1000 * 1.5 + LIMIT_EXTRA_S)
    display.finish(f"\nAfter {time.monotonic() - begun_s:.0f} s:")
    wrong = await _hangzhou(hangzhou, site, len(planned.drivers), display)
    code = await _conclude(asked, planned, site, run=run, field=field, truth=truth, gateway=gateway, display=display)
    code = code or int(wrong)
    if asked.stay:
        # Ctrl-C is how it ends, and the exit code is still the demo's.
        with contextlib.suppress(asyncio.CancelledError):
            await _stay(field, site, later, display)
    mover.cancel()
    away.cancel()
    field.stop()
    if hangzhou is not None:
        hangzhou.stop()
    city.stop()
    broker.stop()
    return code


async def _away(hangzhou: HangzhouSite | None, truth: Truth, cars: int) -> None:
    """The platform is away while a quarter of the cars leave."""
    if hangzhou is None:
        return
    for share, act in ((AWAY_FROM, hangzhou.leave), (AWAY_TO, hangzhou.come_back)):
        while sum(1 for stay in truth.stays.values() if stay.left_ms) < share * cars:
            await asyncio.sleep(0.05)
        act()


async def _hangzhou(hangzhou: HangzhouSite | None, site: Site, cars: int, display: Display) -> bool:
    """Wait until the platform has everything, and hold its books against the ledger; whether something is wrong."""
    if hangzhou is None:
        return False
    until_s = time.monotonic() + LIMIT_EXTRA_S
    while time.monotonic() < until_s and not hangzhou.quiet(site.ledger, cars):
        await asyncio.sleep(0.2)
    found = hangzhou.found(site.ledger)
    display.finish(platform_table(found))
    wrong = platform_failures(found, cars)
    for text in wrong:
        display.finish(f"FAILED: {text}")
    return bool(wrong)


async def _conclude(
    asked: argparse.Namespace,
    planned: Scenario,
    site: Site,
    *,
    run: Run,
    field: Field,
    truth: Truth,
    gateway: Child,
    display: Display,
) -> int:
    """Stop the gateway, hold its export and the city's books against the truth, and say what came out."""
    happened = run.happened
    if not run.look().receipted:
        raise RuntimeError("no record was ever receipted: " + "\n".join(happened.unfinished))
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
    wrong = failures(found, ledger, course)
    display.finish(table(found, ledger, course, _money))
    display.finish("\n".join(f"FAILED: {text}" for text in wrong) if wrong else "Truth, ledger and city agree.")
    if asked.json is not None:
        asked.json.write_text(json.dumps(as_json(found, ledger, course), indent=2) + "\n", encoding="utf-8")
    (site.folder / "truth.json").write_text(json.dumps(truth.rows(), ensure_ascii=False, indent=1), encoding="utf-8")
    return 1 if wrong else 0


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


async def _stay(field: Field, site: Site, drivers: tuple[Driver, ...], display: Display) -> None:
    """Go on at real speed with new drivers, until interrupted; the gateway is now somebody else's to start."""
    now_ms = real_ms()
    stamp_ms = field.stamp_ms(now_ms)
    wall_ms = time.time_ns() // 1_000_000
    field.base = Base(now_ms - stamp_ms, wall_ms - stamp_ms, 1)
    field.populate([replace(d, arrive_ms=d.arrive_ms + wall_ms) for d in drivers], Truth(), any_time)
    lotgate = Path(sys.executable).parent / "lotgate"
    ctl = f"{lotgate} ctl --profile {site.console}"
    display.finish(
        f"""
Lot, broker and city go on at real speed, a car a minute; the gateway is stopped. In another terminal, start it again:

  {lotgate} run --config {site.config}

In a third one be the operator. Raising a barrier asks for the lot's name, which is {site.spec.id}:

  {ctl} lots
  {ctl} open {site.spec.gateway} {site.lanes[-1].name} --reason "to see it rise"
  {ctl} watch
  {lotgate} export --config {site.config} --out {site.folder / "later.export"}
  {lotgate} verify {site.folder / "later.export"} --anchor {site.city_public}

Ctrl-C ends it; everything is in {site.folder}."""
    )
    await asyncio.Event().wait()


def _money(minor: int) -> str:
    return f"CNY {minor // 100:,}.{minor % 100:02d}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sim.demo", description="the whole lot, in about a minute")
    parser.add_argument("--seed", type=int, default=7, help="draws the drivers (default 7)")
    parser.add_argument("--cars", type=int, help=f"cars (default {CARS}); with --occupancy, at most so many arrivals")
    parser.add_argument("--json", type=Path, help="write the summary there")
    parser.add_argument("--occupancy", type=Path, metavar="CSV", help="timestamp,free rows of a garage's day to drive")
    parser.add_argument("--bays", type=int, help="bays of the lot (default: as many as needed)")
    parser.add_argument("--stay", action="store_true", help="keep lot, broker and city running at real speed")
    parser.add_argument(
        "--plant", choices=[fault.value for fault in Fault], help="plant a fault that the end must notice"
    )
    parser.add_argument("--city", choices=["hangzhou"], help="the lot also speaks this city's own protocol")
    parser.add_argument(
        "--nodes", choices=NODES, default=NODES[0], help="where nodes run: here, or each on MicroPython"
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
