"""Commands out under an operator's key, and the replies to them.

Owns the rising number for each gateway, kept in a small file that is locked while it changes, and what makes a reply ours.
Rules: a number is on disk before its command leaves; it is never below the clock, so that a lost file does not make a key
useless. Knows no broker: `publish` does.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateway.console.operator_key import OperatorKey, is_signed
from gateway.forms import Rejection
from gateway.orders import COMMAND_DOMAIN, REPLY_DOMAIN, Command, Reply, Signed, lifetime_ms
from gateway.topics import Kind, Topic, parse_topic

Publish = Callable[[str, bytes, int], None]
"""Topic, body, message expiry in seconds."""


class CountersError(Exception):
    """The file with the numbers can't be used; the text names it and the remedy."""


class Sender:
    """One operator's commands to the gateways of a city. Raises OperatorKeyError; `counters` is made if it is not there."""

    def __init__(self, key_path: Path, city: str, publish: Publish, counters: Path) -> None:
        self._key = OperatorKey.load(key_path)
        self._city = city
        self._publish = publish
        self._counters = counters

    @property
    def key(self) -> str:
        """The operator's key id."""
        return self._key.id

    @property
    def reply_filter(self) -> str:
        """Where the replies come: to be subscribed to before a command is sent."""
        return str(Topic(self._city, "x", Kind.REPLY, self.key)).removesuffix("x") + "+"

    def send(self, gw: str, lot: str, verb: str, args: Mapping[str, Any], reason: str, now_ms: int) -> int:
        """Sign and publish a command at `now_ms` UTC; its number. Raises CountersError."""
        n = self._next(gw, now_ms)
        command = Command(gw, lot, self.key, n, verb, args, reason, now_ms, now_ms + lifetime_ms(verb))
        line = command.line()
        body = Signed(line, self._key.sign(COMMAND_DOMAIN, line)).to_json()
        self._publish(str(Topic(self._city, gw, Kind.COMMAND, verb)), body, lifetime_ms(verb) // 1000)
        return n

    def answered(self, topic: str, payload: bytes, gateway_key: bytes | None) -> Reply | None:
        """The reply to a command of ours in a message, None if it is none or not under `gateway_key` (None: not known)."""
        found = parse_topic(topic)
        if isinstance(found, Rejection) or found.kind is not Kind.REPLY or found.name != self.key:
            return None
        signed = Signed.from_json(payload)
        reply = signed if isinstance(signed, Rejection) else Reply.from_line(signed.line)
        if isinstance(signed, Rejection) or isinstance(reply, Rejection):
            return None
        if reply.gw != found.gateway or reply.key != self.key:
            return None
        if gateway_key is not None and not is_signed(gateway_key, REPLY_DOMAIN, signed.line, signed.signature):
            return None
        return reply

    def _next(self, gw: str, now_ms: int) -> int:
        """The next number for a gateway, durable before it is used; other processes with the same file wait meanwhile."""
        try:
            self._counters.parent.mkdir(parents=True, exist_ok=True)
            with self._counters.open("a+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                text = file.read()
                numbers = json.loads(text) if text else {}
                n = max(int(numbers.get(gw, 0)) + 1, now_ms)
                file.seek(0)
                file.truncate()
                file.write(json.dumps(numbers | {gw: n}))
                file.flush()
                os.fsync(file.fileno())
        except (OSError, ValueError, TypeError, AttributeError) as error:
            remedy = "name a file of yours in operator.counters; one that is broken may be deleted"
            raise CountersError(f"{self._counters}: {error}; {remedy}") from None
        return n
