"""A laptop on the bus: asking every node, or only listening.

Owns the port while it does so. Rules: asking needs the port alone and a hello number newer than the gateway's, which it takes
from the ledger as a start of the gateway would; listening sends nothing, ever. What is heard is told as it comes, or written
as a capture.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gateway.bus_line import Capture, site_key
from gateway.config import BusPart, Config
from gateway.core.layout import LaneNode
from gateway.link.probe import Found, Probe
from gateway.link.tap import Heard, Sides, Tap
from gateway.shell.clock import SystemClock
from gateway.shell.serial_port import SerialPort
from gateway.store.journal import Journal

OPEN_S = 2.0
"""So long a port may take to open; one that another program holds never does."""
NONCE_BYTES = 8


class BusToolError(Exception):
    """The bus can't be looked at; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Report:
    """What asking brought: each node, who else spoke, and what could not be read."""

    nodes: tuple[Found, ...]
    strangers: tuple[int, ...]
    rejected: dict[str, int]


def find_bus(config: Config, name: str | None, port: str | None) -> BusPart:
    """The bus `name`, or the only one; at `port` if given. BusToolError if there is no such bus or too many."""
    names = [bus.name for bus in config.buses]
    if name is None and len(names) != 1:
        raise BusToolError(f"{config.path} has the buses {', '.join(names)}; choose one with --bus")
    found = [bus for bus in config.buses if name in (None, bus.name)]
    if not found:
        raise BusToolError(f"{config.path} has no bus {name!r}, but {', '.join(names)}")
    bus = found[0]
    return BusPart(bus.name, port or bus.port, bus.baud_bps, bus.site_key, bus.nodes)


def next_hello(config: Config, given: int | None) -> int:
    """A hello number that the nodes take for new: one more than the ledger's, which keeps it, or the one given."""
    path = config.gateway.data / "ledger.db"
    if given is not None:
        return given
    if not path.exists():
        raise BusToolError(
            f"{path} is not here, so nobody knows what the nodes heard last; give --hello, above the gateway's"
        )
    journal = Journal(path, chain=config.gateway.id, instance="bus")
    try:
        return journal.next_hello()
    finally:
        journal.close()


def ask(bus: BusPart, *, hello: int, rounds: int) -> Report:
    """Ask every node of the bus `rounds` times. BusToolError if the port can't be had."""
    probe = Probe(
        bus.nodes,
        site_key=site_key(bus.site_key),
        epoch=hello,
        nonce=lambda: secrets.token_bytes(NONCE_BYTES),
        rounds=rounds,
    )
    asyncio.run(_ask(bus, probe))
    return Report(tuple(probe.found), tuple(sorted(probe.strangers)), dict(probe.rejected))


async def _ask(bus: BusPart, probe: Probe) -> None:
    clock = SystemClock()
    done = asyncio.Event()
    timer: asyncio.TimerHandle | None = None

    def turn() -> None:
        nonlocal timer
        frame = probe.data_to_send(clock.now_us())
        if frame:
            port.write(frame)
        if probe.done:
            done.set()
            return
        if timer is not None:
            timer.cancel()
        timer = loop.call_later(max(0, probe.wake_us() - clock.now_us()) / 1e6 + 0.001, turn)

    def heard(data: bytes) -> None:
        probe.receive(data, clock.now_us())
        turn()

    loop = asyncio.get_running_loop()
    port = await _opened(bus, heard)
    try:
        turn()
        await done.wait()
    finally:
        if timer is not None:
            timer.cancel()
        port.stop()


def listen(bus: BusPart, *, seconds: float | None, heard: Callable[[str, bytes], None]) -> None:
    """Hear the bus, for ever or so long; each piece with its direction. BusToolError if the port can't be had."""

    async def run() -> None:
        sides = Sides()

        def data(chunk: bytes) -> None:
            for direction, piece in sides.receive(chunk):
                heard(direction, piece)

        port = await _opened(bus, data)
        try:
            await asyncio.wait_for(asyncio.Event().wait(), seconds)
        except TimeoutError:
            pass
        finally:
            port.stop()

    asyncio.run(run())


def tracer(bus: BusPart, show: Callable[[Heard], None]) -> Callable[[str, bytes], None]:
    """For `listen`: decode what is heard and show each frame."""
    tap = Tap(bus.nodes, site_key(bus.site_key))

    def heard(direction: str, piece: bytes) -> None:
        for frame in tap.receive(direction, piece):
            show(frame)

    return heard


def recorder(bus: BusPart, capture: Capture) -> Callable[[str, bytes], None]:
    """For `listen`: write what is heard."""
    return lambda direction, piece: capture.write(bus.name, direction, piece)


def found_json(one: Found) -> dict[str, object]:
    """A node as an object; trips in microseconds."""
    found: dict[str, object] = {
        "address": one.node.address,
        "uid": one.node.uid,
        "name": _name(one),
        "state": one.state,
    }
    found |= {"build": one.build, "boot": one.boot, "pending": one.pending, "uptime_ms": one.uptime_ms}
    found |= {"asked": one.asked, "answered": len(one.trips_us), "spoilt": one.spoilt}
    found["trip_us"] = {
        "min": min(one.trips_us, default=0),
        "p50": percentile(one.trips_us, 50),
        "p99": percentile(one.trips_us, 99),
        "max": max(one.trips_us, default=0),
    }
    return found


def found_line(one: Found) -> str:
    """A node in one line of a table under HEADING."""
    lost = 100 * (one.asked - len(one.trips_us)) / one.asked if one.asked else 0.0
    p50, p99 = (percentile(one.trips_us, percent) / 1000 for percent in (50, 99))
    return (
        f"{one.node.address:>4}  {one.node.uid}  {_name(one):<18.18}  {one.state:<14}  {one.build:>5}  {one.pending:>7}"
        f"  {one.uptime_ms // 1000:>8}  {one.asked:>6}  {lost:>5.1f}  {one.spoilt:>6}  {p50:>6.1f}  {p99:>6.1f}"
    )


HEADING = (
    "addr  uid               node                state           build  pending"
    "  uptime s   asked  lost%  spoilt  p50 ms  p99 ms"
)


def _name(one: Found) -> str:
    node = one.node
    return node.lane if isinstance(node, LaneNode) else f"{len(node.bays)} bays, {node.bays[0]}"


def percentile(values: list[int], percent: int) -> int:
    """Nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0


async def _opened(bus: BusPart, on_data: Callable[[bytes], None]) -> SerialPort:
    opened = asyncio.Event()
    port = SerialPort(bus.port, bus.baud_bps, on_data, opened.set)
    port.start()
    try:
        await asyncio.wait_for(opened.wait(), OPEN_S)
    except TimeoutError:
        port.stop()
        raise BusToolError(
            f"{bus.port} can't be opened; stop the gateway that holds it, or name another port with --port"
        ) from None
    return port
