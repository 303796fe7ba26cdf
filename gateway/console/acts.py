"""What a person on the page asks of a lot: checked, sent under the operator's key, and what came of it in plain fields.

Owns the form of a request, the wait for its reply, and which way it can end. Rules: without a reason and the lot's own name
nothing is sent; a command unanswered halfway is sent again, since a gateway that has obeyed only gives its reply again; who may
do what the gateway decides. It goes over the listener's connection: a second one under its name would push the first off.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from gateway import forms
from gateway.console.board import Board
from gateway.console.operator_key import load_city_key, record_key
from gateway.console.picture import Json
from gateway.console.profile import Profile
from gateway.console.sender import CountersError, Sender
from gateway.forms import Rejection
from gateway.messages import Meta, Presence
from gateway.orders import LOOKS, REASON_BYTES_MAX, Reply, Verb

SEEN = ("stays", "lines", "records")
"""Members of a reply that hold what was asked to be seen."""

Publish = Callable[[str, bytes, int], bool]
Sent = tuple[str, bytes, int]
Arrival = tuple[str, bytes]

ARRIVALS_MAX = 16
"""Replies that wait to be looked at; a gateway gives one or two."""

TIMEOUT_S = 6.0
"""A person stands before the barrier; the command itself lives ten seconds."""


def _scalar(value: object) -> str | int | bool:
    return value if isinstance(value, bool) else forms.count(value) if isinstance(value, int) else forms.text(value)


FORM: forms.Form = {
    "gw": forms.short_text(64),
    "lot": forms.short_text(200),
    "verb": forms.word(*Verb),
    "args": forms.table(_scalar),
    "reason": forms.short_text(REASON_BYTES_MAX),
}


class Acts:
    """One operator's acts on a board's lots. `now_ms` is monotonic. Raises OperatorKeyError when a key can't be used."""

    def __init__(self, profile: Profile, board: Board, now_ms: Callable[[], int]) -> None:
        sender = self._sender(profile, [])
        self.key, self.reply_filter = sender.key, sender.reply_filter
        self._profile = profile
        self._city_key = load_city_key(profile.public_key) if profile.public_key is not None else None
        self._board = board
        self._now_ms = now_ms
        self._publish: Publish = lambda _topic, _payload, _expiry_s: False
        # Each waiting request puts its own queue here; putting in and taking out are single steps.
        self._waiting: list[queue.Queue[Arrival]] = []

    def go_by(self, publish: Publish) -> None:
        """From now on send this way."""
        self._publish = publish

    def hear(self, topic: str, payload: bytes) -> bool:
        """Any message of the city; whether it was a reply to this operator, which is passed to whoever waits."""
        reply = topic.startswith(self.reply_filter.removesuffix("+"))
        for waiting in list(self._waiting) if reply else ():
            if not waiting.full():
                waiting.put((topic, payload))
        return reply

    def perform(self, asked: object) -> Json:
        """Do it, or not: `state` is done or refused by the gateway, else unsent or unknown; `code` and `detail` say why."""
        wanted = forms.shape(asked, FORM)
        if isinstance(wanted, Rejection):
            return _ended("unsent", "bad-request", wanted.detail)
        if not wanted["reason"].strip() and wanted["verb"] not in LOOKS:
            return _ended("unsent", "no-reason")
        meta, presence = self._board.met(wanted["gw"])
        if meta is None or presence is not Presence.ONLINE:
            return _ended("unsent", "away")
        if meta.lot != wanted["lot"]:
            return _ended("unsent", "not-the-lot")
        sent: list[Sent] = []
        sender = self._sender(self._profile, sent)
        try:
            n = sender.send(
                meta.chain,
                meta.lot,
                wanted["verb"],
                wanted["args"] if wanted["verb"] in LOOKS else _identified(wanted["args"]),
                wanted["reason"].strip(),
                self._board.now_ms(),
            )
        except CountersError as error:
            return _ended("unsent", "broken", str(error))
        public = self._record_key(meta)
        waiting: queue.Queue[Arrival] = queue.Queue(ARRIVALS_MAX)
        self._waiting.append(waiting)
        try:
            reply = self._ask(sent[0], waiting, lambda topic, body: _ours(sender, topic, body, public, meta.chain, n))
        finally:
            self._waiting.remove(waiting)
        if isinstance(reply, Reply):
            known = {"record": reply.record, "n": n, "verified": public is not None, "at_ms": reply.at_ms}
            seen = {name: asdict(reply)[name] for name in SEEN}
            return {**_ended(reply.state, reply.code, reply.detail), **known, **seen}
        return _ended("unknown", "no-answer") if reply else _ended("unsent", "broken")

    def _ask(
        self, sent: Sent, waiting: queue.Queue[Arrival], ours: Callable[[str, bytes], Reply | None]
    ) -> Reply | bool:
        """The reply; True if it was sent and none came, False if it could not be sent."""
        until_ms = self._now_ms() + int(TIMEOUT_S * 1000)
        gone = False
        for deadline_ms in (until_ms - int(TIMEOUT_S * 500), until_ms):
            gone = self._publish(*sent) or gone
            while gone and (left_ms := deadline_ms - self._now_ms()) > 0:
                try:
                    reply = ours(*waiting.get(timeout=left_ms / 1000))
                except queue.Empty:
                    break
                if reply is not None:
                    return reply
        return gone

    def _record_key(self, meta: Meta) -> bytes | None:
        if self._city_key is None or not meta.statement:
            return None
        return record_key(self._city_key, meta.chain, meta.statement, meta.statement_sig)

    @staticmethod
    def _sender(profile: Profile, sent: list[Sent]) -> Sender:
        return Sender(profile.key, profile.city, lambda *message: sent.append(message), profile.counters)


def _ours(sender: Sender, topic: str, body: bytes, public: bytes | None, gateway: str, n: int) -> Reply | None:
    reply = sender.answered(topic, body, public)
    return reply if reply is not None and (reply.gw, reply.n) == (gateway, n) else None


def _identified(args: dict[str, Any]) -> dict[str, Any]:
    """A plate without a colour is green with eight characters, else blue."""
    plate = args.get("plate")
    if not isinstance(plate, str) or " " in plate.strip() or not plate.strip():
        return args
    typed = plate.strip().upper()
    return args | {"plate": f"{'green' if len(typed) == 8 else 'blue'} {typed}"}


def _ended(state: str, code: str, detail: str = "") -> Json:
    return {
        "state": state,
        "code": str(code),
        "detail": detail,
        "record": 0,
        "n": 0,
        "verified": False,
        **dict.fromkeys(SEEN, ()),
    }
