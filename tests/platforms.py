"""A small lot under Hangzhou's protocol: engine, adapter and stand-in without a wire, to be killed at any counted point."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gateway.core.events import Event
from gateway.core.exit import WithoutLease
from gateway.core.memory import Rules
from gateway.core.moment import Moment
from gateway.core.platform_state import PlatformTerms
from gateway.engine import Outcome
from gateway.forms import Rejection
from gateway.sync.hangzhou import tables
from gateway.sync.hangzhou.cipher import DataForm
from gateway.sync.hangzhou.envelope import read_answer
from gateway.sync.hangzhou.pushes import Pushes
from gateway.sync.hangzhou.sender import Post, Sender
from gateway.sync.hangzhou.terms import Photos, Refusal, Terms
from sim.hangzhou import Account, Message, Platform
from sim.hangzhou_cipher import lock_private, sign
from tests.hangzhou_keys import NUMBERS, PUBLIC_NUMBERS, seal
from tests.lots import START_MS, SmallLot, at

ACCESS, CODE = "acc-1", "TEST0001"
LOT = PlatformTerms(CODE, {"in": "01", "out": "02", "out-2": "03", "in-2": "04"}, 4)


def terms(**changed: Any) -> Terms:
    """The stand-in's profile; name what is to differ."""
    usual: dict[str, Any] = {
        "access_id": ACCESS,
        "lot": LOT,
        "open_bays": 4,
        "seal": seal(),
        "data_form": DataForm.OBJECT,
        "authorization_life_s": 86_400,
        "failed_statuses": frozenset({2}),
        "refusal": Refusal.SUCCESS_FALSE,
        "photos": Photos.NEVER,
        "unlicensed": "",
        "unknown_colour": 1,
        "heartbeat_s": 600,
        "daily_plates": False,
        "calls": {**tables.KNOWN, **tables.STAND_IN},
        "day_form": tables.STAND_IN_DAY,
    }
    return Terms(**(usual | changed))


class Killed(Exception):
    """The point was reached at which the gateway dies."""


class PlatformLot(SmallLot):
    """A lot with its platform, dying once at a counted point: each step, post and push is one.

    `away`: the platform answers nothing; `deaf`: its pushes get lost.
    """

    def __init__(
        self,
        folder: Path,
        accounts: dict[str, Account] | None = None,
        *,
        policy: WithoutLease = WithoutLease.OPEN_ARREARS,
        agreed: Terms | None = None,
        rules: Rules | None = None,
        photo: Callable[[str], bytes | None] = lambda _: None,
    ) -> None:
        self.terms = agreed or terms()
        self.city = Platform(access=ACCESS, code=CODE, own=NUMBERS, lot=PUBLIC_NUMBERS, accounts=accounts or {})
        self.away = False
        self.deaf = False
        self.points = 0
        """Counted points so far."""
        self.kill_at = -1
        self.killed = 0
        self._photo = photo
        super().__init__(folder, policy=policy, rules=rules, platform=self.terms.lot)

    def restart(self) -> Outcome:
        """A new gateway from the journal: what waited is read again."""
        started = super().restart()
        self.pushes = Pushes(self.terms)
        self.sender = Sender(self.terms, self.pushes, self._photo)
        self.sender.subscribed()
        for kept in self.journal.platform.waiting():
            event = self.pushes.again(kept)
            assert not isinstance(event, Rejection)
            self.engine.step([event], self.moment)
        return started

    @property
    def moment(self) -> Moment:
        """The clocks now."""
        return at(self.now_ms)

    @property
    def wall_ms(self) -> int:
        """UTC ms now."""
        return START_MS + self.now_ms

    def settle(self, rounds: int = 300) -> None:
        """Go on until there is nothing to send and nothing to push; dies and lives again at the point that is set."""
        for _ in range(rounds):
            try:
                if not self._turn():
                    return
            except Killed:
                self.restart()
        raise AssertionError("never quiet")

    def push(self, messages: Sequence[Message]) -> None:
        """Deliver pushes; nothing is acknowledged before its step was committed."""
        for message in messages:
            event = self.pushes.receive(message.topic, message.payload)
            assert not isinstance(event, Rejection), event
            if event is not None:
                self._commit([event])

    def applied(self) -> dict[str, Any]:
        """The newest call of applyPayment."""
        return [data for name, data in self.city.calls if name == tables.APPLY][-1]

    def sent(self, *names: str) -> list[str]:
        """The names of the calls that the platform understood, in order; all, or some."""
        return [name for name, _ in self.city.calls if not names or name in names]

    def _turn(self) -> bool:
        """One read, post or push; False if nothing was to be done."""
        pushed = [] if self.away or self.deaf else self.city.outgoing(self.wall_ms)
        self.push(pushed)
        asked = self.sender.wanted(self.now_ms, self.wall_ms)
        if asked is not None:
            self._commit(self.sender.give(self.engine.platform_work(asked), self.now_ms))
        post = self.sender.post(self.now_ms, self.wall_ms)
        if post is None:
            return bool(pushed) or asked is not None
        if not isinstance(post, Post):
            self._commit([post])
            return True
        answer = None
        if not self.away:
            self._point()
            if self.city.faults.result_first and post.name == tables.APPLY:
                body = self.city.post(post.path, post.body(), self.wall_ms)
                self.push(self.city.outgoing(self.wall_ms))
            else:
                body = self.city.post(post.path, post.body(), self.wall_ms)
            answer = read_answer(*body)
            self._point()
        self._commit(self.sender.answered(answer, self.now_ms, self.wall_ms))
        if answer is None:
            return False
        self.now_ms += 10 if answer.ok else 2_500
        return True

    def _commit(self, events: Sequence[Event]) -> None:
        if events:
            self._point()
            self.engine.step(events, self.moment)
            self.sender.committed()
            self._point()

    def step(self, *events: Event, after_ms: int = 1000) -> Outcome:
        """One engine step, a second later."""
        outcome = super().step(*events, after_ms=after_ms)
        self.sender.committed()
        return outcome

    def _point(self) -> None:
        self.points += 1
        if self.points == self.kill_at:
            self.killed += 1
            raise Killed


def push_of(name: str, content: dict[str, Any], request: int) -> Message:
    """A push as the platform would make it, whatever its books say."""
    cipher = lock_private(json.dumps(content).encode(), NUMBERS)
    body = {"cipher": cipher, "sign": sign(cipher, NUMBERS), "requestId": request, "timestamp": ""}
    return Message(f"hzcity/v2/{name}/{ACCESS}/{CODE}", json.dumps(body).encode())
