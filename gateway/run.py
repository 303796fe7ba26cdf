"""The running gateway, from serial bytes to the city's receipt.

Owns the composition and the order of the line: a read of the bus becomes one engine step in the worker; its outcome, after
COMMIT, releases acknowledgements, commands and records. Keeps the barrier's time budget where a stalled disk can't reach it.
Rules: the loop never touches the ledger, the worker never touches bus or broker; any fault of ours opens the waiting exits,
then ends the process.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.beginning import Begun, begin, open_journal
from gateway.bus_line import BusLine, Capture
from gateway.city_line import CityLine
from gateway.config import Config
from gateway.core.commands import Command, OpenBarrier, SendReply, ShowText
from gateway.core.events import BudgetSpent, BusEvent, Event, NodeEvent, PlateRead, Woke
from gateway.core.layout import LaneNode, LaneRole
from gateway.core.moment import Moment
from gateway.core.platform_state import Asked, Work
from gateway.core.record import Record
from gateway.engine import Outcome
from gateway.fallback import DAMAGE, run_open
from gateway.hangzhou_line import HangzhouLine
from gateway.lot_rules import load_rules
from gateway.shell.clock import Clock
from gateway.shell.signer import Signer, load_public
from gateway.shell.worker import Failure, Worker
from gateway.store import starts
from gateway.store.starts import Starts

log = logging.getLogger(__name__)

BARRIER_BUDGET_S = 0.2
"""What a commit may take before the barrier opens without it; with the bus's share it keeps an exit under 300 ms."""

TICK_S = 1.0
"""Pace of what nobody waits for: heartbeat, checkpoint, the coalesced live view."""

LAST_WORDS_S = 0.5
"""After a failed commit: time for the opening commands to go over the bus before the process ends."""

FAILED_STARTS_MAX = 3
"""A fault of the moment ends with the first new start; three in a row come of the ledger or of what a node repeats."""

OPEN_S = 60.0
"""How long the gateway runs open before it tries such a ledger again: entries are shut for a second in a minute at most."""

EXIT_FAILED = 1
EXIT_TRY_LATER = 75


@dataclass(frozen=True, slots=True)
class StepItem:
    """Work: one engine step. `budgets`: (exit lane, number) of the barrier budgets that run until it is done."""

    events: tuple[Event, ...]
    now: Moment
    budgets: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ReadItem:
    """Work: read stored records for the uplink."""

    first: int
    limit: int


@dataclass(frozen=True, slots=True)
class IdleItem:
    """Work: a quiet moment."""

    now: Moment


@dataclass(frozen=True, slots=True)
class PlatformItem:
    """Work: read what there is to tell a city that speaks its own protocol."""

    asked: Asked


Item = StepItem | ReadItem | IdleItem | PlatformItem
Result = Outcome | list[Record] | Work | None


def run(config: Config, clock: Clock, capture: Capture | None = None) -> int:
    """Run until a signal or a fault; returns the exit code.

    Raises ConfigError, CalendarError, TariffError, KeyFileError, SchemaError or LedgerError: what a person must put right.
    """
    Signer.load(config.gateway.key)
    city_key = load_public(config.city.public_key)
    rules = load_rules(config, city_key)
    config.broker.check_files()
    if config.hangzhou is not None:
        config.hangzhou.check_files()
    data = config.gateway.data
    failed = starts.load(data).failed
    if failed >= FAILED_STARTS_MAX:
        reason = f"{failed} starts in a row died before they wrote anything"
        asyncio.run(run_open(config, clock, reason, lambda: open_journal(config).close(), OPEN_S))
        failed = FAILED_STARTS_MAX - 1
    try:
        begun = begin(config, clock, rules, failed)
    except DAMAGE as error:
        log.exception("the ledger can't be taken up")
        reason = str(error)
    else:
        gateway = Gateway(config, clock, begun, city_key=city_key, capture=capture)
        code = asyncio.run(gateway.run())
        died = code == EXIT_FAILED and not gateway.committed
        starts.keep(data, Starts(begun.me.hello, failed + 1 if died else 0))
        return code
    asyncio.run(run_open(config, clock, reason, lambda: begin(config, clock, rules, failed).engine.close()))
    return EXIT_TRY_LATER


class Gateway:
    """The event loop's side: buses, city, budgets. Everything that touches the ledger goes through the worker.

    `committed`: whether a step made anything durable since the start.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        begun: Begun,
        *,
        city_key: bytes,
        capture: Capture | None,
    ) -> None:
        engine, me = begun.engine, begun.me
        self._clock = clock
        self._engine = engine
        self._started = begun.started
        self.committed = False
        self._worker: Worker[Item, Result] = Worker(self._work, self._done)
        self._city = CityLine(
            config,
            me,
            clock=clock,
            city_key=city_key,
            operators=engine.memory.roster.publics(),
            submit=self._submit_waiting,
            read=self._read,
        )
        self._waiting = begun.waiting
        part = config.hangzhou
        self._hangzhou: HangzhouLine | None = None
        if part is not None:
            self._hangzhou = HangzhouLine(
                part, part.terms(), part.secret(), clock=clock, submit=self._submit_waiting, read=self._read_platform
            )
        self._lines = [
            BusLine(
                part,
                hello=me.hello,
                nonce=lambda: secrets.token_bytes(8),
                acked=begun.acked,
                clock=clock,
                on_events=self._bus_events,
                hold=lambda: self._worker.filling,
                capture=capture,
            )
            for part in config.buses
        ]
        nodes = [(node, line) for part, line in zip(config.buses, self._lines, strict=True) for node in part.nodes]
        self._lanes = {node.lane: line for node, line in nodes if isinstance(node, LaneNode)}
        self._nodes = {node.uid: line for node, line in nodes}
        self._exits = {lane for lane, role in config.layout.lanes.items() if role is LaneRole.EXIT}
        self._budgets: dict[tuple[str, int], asyncio.TimerHandle] = {}
        self._steps = itertools.count(1)
        self._stopped = asyncio.Event()
        self._exit_code = 0

    async def run(self) -> int:
        """Start everything, wait for the end, stop everything."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._callback_raised)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.stop)
        self._worker.start()
        self._city.start(self._started)
        if self._hangzhou is not None:
            self._hangzhou.start(self._waiting)
        for line in self._lines:
            line.start()
        self._follow(self._started)
        works: list[Coroutine[Any, Any, Any]] = [self._stopped.wait(), self._city.listen(), self._tick()]
        if self._hangzhou is not None:
            works.append(self._hangzhou.serve())
        tasks = [asyncio.create_task(work) for work in works]
        ended, going_on = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            error = task.exception()
            if error is not None:
                self._fail(error)
        for task in going_on:
            task.cancel()
        if self._exit_code:
            await asyncio.sleep(LAST_WORDS_S)
        for line in self._lines:
            line.stop()
        if not await self._worker.stop():
            log.error("the ledger's thread is still at work: leaving it to a stalled disk")
            self._exit_code = EXIT_FAILED
        if self._hangzhou is not None:
            self._hangzhou.stop()
        await self._city.stop()
        if not self._exit_code:
            self._engine.close()
        return self._exit_code

    def stop(self) -> None:
        """End `run`, as SIGTERM does."""
        self._stopped.set()

    def _work(self, item: Item) -> Result:
        """In the worker's thread: the only place where the ledger is touched."""
        match item:
            case StepItem():
                return self._engine.step(item.events, item.now)
            case ReadItem():
                return self._engine.records(item.first, item.limit)
            case PlatformItem():
                return self._engine.platform_work(item.asked)
            case IdleItem():
                self._engine.idle(item.now)
                return None

    def _bus_events(self, events: Sequence[NodeEvent | BusEvent], now: Moment) -> None:
        """What one read of a bus brought becomes one step; each exit's budget in it begins to run.

        A step that waits behind another's keeps its own: what the one ahead committed opens for nobody else.
        """
        step = next(self._steps)
        budgets = tuple({(e.lane, step) for e in events if isinstance(e, PlateRead) and e.lane in self._exits})
        for key in budgets:
            begun_ms = self._clock.now_ms()
            self._budgets[key] = self._loop.call_later(BARRIER_BUDGET_S, self._budget_spent, key, begun_ms)
        if not self._worker.submit(StepItem(tuple(events), now, budgets)):
            self._fail(RuntimeError("the worker's queue overflowed although the bus was held"))

    def _budget_spent(self, key: tuple[str, int], begun_ms: int) -> None:
        lane, _ = key
        del self._budgets[key]
        waited_ms = self._clock.now_ms() - begun_ms
        log.error("the commit for %s was not back after %d ms: opening without it", lane, waited_ms)
        self._lanes[lane].command(OpenBarrier(lane))
        self._submit((BudgetSpent(lane, waited_ms),))

    def _done(self, item: Item, result: Result | Failure) -> None:
        """From the worker to the world: only what is committed comes here."""
        match item, result:
            case _, Failure():
                self._fail(result.error)
            case StepItem(), Outcome():
                self.committed = self.committed or bool(result.acked) or result.head_n > self._started.head_n
                for key in item.budgets:
                    budget = self._budgets.pop(key, None)
                    if budget is not None:
                        budget.cancel()
                self._follow(result)
                self._city.took(result, item.events)
                if self._hangzhou is not None:
                    self._hangzhou.took(result, item.events)
            case PlatformItem(), Work() if self._hangzhou is not None:
                self._hangzhou.given(result)
            case ReadItem(), list():
                self._city.send(result)

    def _follow(self, outcome: Outcome) -> None:
        for command in outcome.commands:
            self._carry_out(command)
        for uid, (node_log, seq) in outcome.acked.items():
            self._nodes[uid].bus.committed(uid, node_log, seq)
        for line in self._lines:
            line.pump()

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, OpenBarrier | ShowText):
            self._lanes[command.lane].command(command)
        elif isinstance(command, SendReply):
            self._city.reply(command)
        else:
            self._city.show(command)

    def _callback_raised(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback of ours raised: asyncio would log it and go on, with memory that nobody can vouch for."""
        self._fail(context.get("exception") or RuntimeError(context["message"]))

    def _fail(self, error: BaseException) -> None:
        log.critical("a step failed: opening the waiting exits, then starting again from the journal", exc_info=error)
        for (lane, _), budget in self._budgets.items():
            budget.cancel()
            self._lanes[lane].command(OpenBarrier(lane))
        self._budgets.clear()
        self._exit_code = EXIT_FAILED
        self._stopped.set()

    def _submit(self, events: tuple[Event, ...]) -> bool:
        return self._worker.submit(StepItem(events, self._clock.moment()))

    def _read(self, first: int, limit: int) -> bool:
        return self._worker.submit(ReadItem(first, limit))

    def _submit_waiting(self, events: tuple[Event, ...]) -> bool:
        """For what can come again, as whatever comes by network does: a burst of it must leave the bus its room."""
        return not self._worker.crowded and self._submit(events)

    def _read_platform(self, asked: Asked) -> bool:
        return not self._worker.crowded and self._worker.submit(PlatformItem(asked))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if not self._worker.waiting:
                # While a disk stalls, the queue's room is for what the bus brings.
                self._submit((Woke(),))
                self._worker.submit(IdleItem(self._clock.moment()))
            self._city.tick()
