"""One operator before one broker: looks at what is retained, and asks a gateway for something.

Owns the order: know the gateway, listen for replies, send, wait, send the same once more, since a gateway that has obeyed
only gives its reply again. Rules: a gateway that is away is not asked; a reply counts only under the record key that the city
vouches for, if the city's key is known. Refuses to know questions and output.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gateway.console.line import Line
from gateway.console.lots import Lots, filters
from gateway.console.operator_key import load_city_key, record_key
from gateway.console.profile import Profile
from gateway.console.sender import Sender
from gateway.messages import Meta
from gateway.orders import Reply

QUIET_S = 0.3
"""Retained messages come in one go; after a pause as long as this there are no more."""
LOOK_S = 5.0
MEET_S = 2.0


class UnknownGatewayError(Exception):
    """No such gateway has been heard of, or it is away; the text says which."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A gateway's reply, and whether it is known to be under its record key."""

    reply: Reply
    verified: bool


class Desk:
    """`now_ms`: a monotonic clock; `wall_ms`: UTC. Raises LineError, OperatorKeyError, CountersError as it goes."""

    def __init__(self, profile: Profile, now_ms: Callable[[], int], wall_ms: Callable[[], int]) -> None:
        self._profile = profile
        self._now_ms = now_ms
        self._wall_ms = wall_ms
        self._met: dict[str, Meta] = {}

    def look(self) -> Lots:
        """What all gateways say they are."""
        return self._look("+", LOOK_S, lambda _found: False)

    def meet(self, gateway: str) -> Meta:
        """What a gateway says it is. Raises UnknownGatewayError if it is not there to be asked."""

        def enough(found: Lots) -> bool:
            seen = found.find(gateway)
            return seen is not None and seen.meta is not None and seen.state is not None

        seen = self._look(gateway, MEET_S, enough).find(gateway)
        if seen is None or seen.meta is None:
            raise UnknownGatewayError(f"{gateway}: no such gateway has been heard of; see `ctl lots`")
        if seen.presence != "online":
            since = f" since {seen.state.at_ms} ms UTC" if seen.state is not None else ""
            raise UnknownGatewayError(f"{gateway} is {seen.presence}{since}: nothing was sent")
        self._met[gateway] = seen.meta
        return seen.meta

    def ask(self, gateway: str, verb: str, args: Mapping[str, Any], reason: str, timeout_s: float) -> Answered | None:
        """Send a command to a gateway that was met; its reply, None if none came in time."""
        meta, sent = self._met[gateway], list[tuple[str, bytes, int]]()
        sender = Sender(
            self._profile.key, self._profile.city, lambda *message: sent.append(message), self._profile.counters
        )
        public = self._record_key(meta)
        with Line(self._profile.access, [(sender.reply_filter, 1)]) as line:
            n = sender.send(gateway, meta.lot, verb, args, reason, self._wall_ms())
            until_ms = self._now_ms() + int(timeout_s * 1000)
            for deadline_ms in (until_ms - int(timeout_s * 500), until_ms):
                line.publish(*sent[0])
                reply = self._wait(line, sender, n, gateway, public, deadline_ms)
                if reply is not None:
                    return Answered(reply, public is not None)
        return None

    def _wait(
        self, line: Line, sender: Sender, n: int, gateway: str, public: bytes | None, deadline_ms: int
    ) -> Reply | None:
        while (left_ms := deadline_ms - self._now_ms()) > 0:
            arrived = line.next(left_ms / 1000)
            reply = sender.answered(*arrived, public) if arrived is not None else None
            if reply is not None and (reply.gw, reply.n) == (gateway, n):
                return reply
        return None

    def _record_key(self, meta: Meta) -> bytes | None:
        if self._profile.public_key is None or not meta.statement:
            return None
        return record_key(load_city_key(self._profile.public_key), meta.chain, meta.statement, meta.statement_sig)

    def _look(self, gateway: str, limit_s: float, enough: Callable[[Lots], bool]) -> Lots:
        found = Lots()
        until_ms = self._now_ms() + int(limit_s * 1000)
        with Line(self._profile.access, [(wanted, 0) for wanted in filters(self._profile.city, gateway)]) as line:
            while self._now_ms() < until_ms and (arrived := line.next(QUIET_S)) is not None:
                found.take(*arrived)
                if enough(found):
                    break
        self._keep_names(found)
        return found

    def _keep_names(self, found: Lots) -> None:
        """For completion; without it a person only types more."""
        before: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            before = json.loads(self._profile.seen.read_text(encoding="utf-8"))
        with suppress(OSError):
            self._profile.seen.write_text(json.dumps(before | found.names()), encoding="utf-8")
