"""A serial capture through the real engine, to text: `lotgate replay`.

Owns the throw-away ledger and how events, decisions and records look in one line each. Rules: the capture's own times drive
the engine; nothing of the running gateway is touched; plates are masked. Needs the site key to read what was sealed.
"""

from __future__ import annotations

import base64
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gateway.bus_line import site_key
from gateway.config import Config
from gateway.core.events import NodeEvent
from gateway.core.moment import ClockQuality, Moment
from gateway.core.record import SALT_BYTES
from gateway.engine import Engine, Identity, Outcome
from gateway.heard import command_text, heard_lines
from gateway.link.tap import Chunk, Heard, Tap, read_chunk
from gateway.lot_rules import load_rules
from gateway.shell.clock import RELEASED_MS
from gateway.shell.signer import Signer
from gateway.store.journal import Journal


class CaptureError(Exception):
    """The capture can't be replayed; the text names the file, the line and the remedy."""


def replay_lines(config: Config, capture: Path) -> Iterator[str]:
    """The lines of text for a capture, as they come. Raises CaptureError."""
    taps = {bus.name: Tap(bus.nodes, site_key(bus.site_key)) for bus in config.buses}
    with tempfile.TemporaryDirectory(prefix="lotgate-replay-") as folder:
        engine = _engine(config, Path(folder))
        outcome: Outcome | None = None
        delivered: dict[tuple[str, int], int] = {}
        for chunk in _chunks(capture):
            if chunk.bus not in taps:
                raise CaptureError(f"{capture}: bus {chunk.bus!r} is not in {config.path}; replay with that lot's file")
            now = _moment(chunk)
            if outcome is None:
                outcome = engine.start(now)
            for heard in taps[chunk.bus].receive(chunk.direction, chunk.data):
                for text in heard_lines(heard):
                    yield _line(chunk, text)
                events = _new(heard, delivered)
                if events:
                    before_n, outcome = outcome.head_n, engine.step(events, now)
                    yield from _decided(chunk, engine, outcome, before_n)
        engine.close()


def _new(heard: Heard, delivered: dict[tuple[str, int], int]) -> list[NodeEvent]:
    """Events that the capture has not shown before: a node repeats what was not acknowledged in time."""
    found = []
    for event in heard.events if heard.direction == "rx" else ():
        log = (event.source.uid, event.source.log)
        if event.source.seq > delivered.get(log, 0):
            delivered[log] = event.source.seq
            found.append(event)
    return found


def _engine(config: Config, folder: Path) -> Engine:
    return Engine(
        identity=Identity(config.gateway.id, config.lot.id, "replay"),
        lot=config.layout,
        rules=load_rules(config, None),
        journal=Journal(folder / "ledger.db", chain=config.gateway.id, instance="replay"),
        signer=Signer.generate(),
        salt=lambda: base64.b64encode(secrets.token_bytes(SALT_BYTES)).decode(),
    )


def _chunks(capture: Path) -> Iterator[Chunk]:
    try:
        with capture.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                chunk = read_chunk(line)
                if chunk is None:
                    raise CaptureError(f"{capture}: line {number} is no line of a capture; cut it off and try again")
                yield chunk
    except OSError as error:
        raise CaptureError(
            f"{capture}: {error.strerror}; name a file that `lotgate bus capture` or `run --capture` wrote"
        ) from None


def _moment(chunk: Chunk) -> Moment:
    at_ms = chunk.t_ns // 1_000_000
    return Moment("capture", at_ms, RELEASED_MS + at_ms, ClockQuality.UNKNOWN)


def _decided(chunk: Chunk, engine: Engine, outcome: Outcome, before_n: int) -> Iterator[str]:
    for record in engine.records(before_n + 1, outcome.head_n - before_n):
        yield _line(chunk, f"  record {record.line}")
    for command in outcome.commands:
        text = command_text(command)
        if text:
            yield _line(chunk, f"  decided {text}")


def _line(chunk: Chunk, text: str) -> str:
    return f"{chunk.t_ns / 1_000_000_000:12.3f} {chunk.bus} {text}"
