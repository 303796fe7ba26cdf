"""The city's ear for front desks: a signed message of a hotel or shop becomes a numbered line to the gateway of its lot.

Rules: only desks that the city knows, each for its own chains and under its own key; a message is taken once, and its repeat
gets the same answer; one that has expired is refused. The answers are signed: `taken` at once, `done` when a receipted record
of the gateway names the line, `refused` with the reason. Sans-IO but for the books; time is an argument.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.city import City, Outgoing
from sim.city_store import DeskEntry
from sim.city_verifier import LARGEST, ChainKey, load, utf8_bytes, write

TOPIC = re.compile(r"park/v1/(?P<city>[^/+#]+)/_desk/(?P<desk>[^/+#]+)/validate")
ASK_DOMAIN = "lotgate-desk-v1\n"
ANSWER_DOMAIN = "lotgate-desk-answer-v1\n"
MESSAGE_BYTES = 4096
ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
PLATE = re.compile(r"(unknown|blue|yellow|white|black|green) \S{1,8}")
COUNTS = ("value", "from_ms", "to_ms", "expires_ms")
TEXTS = ("desk", "id", "chain", "plate", "way")
WAYS = ("free", "window", "minutes", "percent", "cap", "money")
NAMES = {"v", *COUNTS, *TEXTS, "single"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A front desk that the city knows: the 32 bytes of its Ed25519 key, and the chains of its lots."""

    public: bytes
    chains: tuple[str, ...]


class FrontDesks:
    """All front desks of a city, over the city's books."""

    def __init__(self, city: City, desks: Mapping[str, Desk]) -> None:
        self._city = city
        self._desks = {name: (ChainKey(desk.public), desk.chains) for name, desk in desks.items()}

    def receive(self, topic: str, payload: bytes, now_ms: int) -> list[Outgoing]:
        """Take a desk's message, durably, and answer it. Unknown desks, bad signatures and broken bodies get no answer."""
        found = TOPIC.fullmatch(topic)
        key, chains = self._desks.get(found["desk"], (None, ())) if found is not None else (None, ())
        message = _read(payload, key) if key is not None else None
        if found is None or message is None or message.body["desk"] != found["desk"]:
            return self._city.counted("fault/desk")
        root = topic.removesuffix("/validate")
        known = self._city.store.desk_entry(message.body["desk"], message.body["id"])
        if known is not None:
            if known.line != message.line:
                return [self._refusal(root, message.body, "id has another content", now_ms)]
            return [self._answer(known)]
        reason = _objection(message.body, chains, now_ms)
        if reason:
            return [self._refusal(root, message.body, reason, now_ms)]
        return self._take(root, message, now_ms)

    def confirmed(self, now_ms: int) -> list[Outgoing]:
        """The answers to messages whose line a record has named since the last call; call it after each record message."""
        done = self._city.store.desk_confirmed(now_ms)
        return [self._answer(entry) for entry in done]

    def _take(self, root: str, message: _Message, now_ms: int) -> list[Outgoing]:
        body = message.body
        line = {name: body[name] for name in ("plate", "way", "value", "from_ms", "to_ms", "single")}
        line |= {"id": f"{body['desk']}/{body['id']}", "by": body["desk"]}
        after_n = self._city.head(body["chain"]).n

        def enter(dn: int) -> None:
            entry = DeskEntry(
                body["desk"], body["id"], message.line, root, body["chain"], dn, after_n, "taken", "", now_ms
            )
            self._city.store.add_desk(entry)

        down = self._city.push(body["chain"], "validation", line, now_ms, also=enter)
        taken = self._city.store.desk_entry(body["desk"], body["id"])
        assert taken is not None
        return [*down, self._answer(taken)]

    def _answer(self, entry: DeskEntry) -> Outgoing:
        content = {
            "desk": entry.desk,
            "id": entry.id,
            "state": entry.state,
            "reason": entry.reason,
            "at_ms": entry.at_ms,
        }
        return self._signed(entry.root, content)

    def _refusal(self, root: str, body: dict[str, Any], reason: str, now_ms: int) -> Outgoing:
        content = {"desk": body["desk"], "id": body["id"], "state": "refused", "reason": reason, "at_ms": now_ms}
        return self._signed(root, content)

    def _signed(self, root: str, content: dict[str, Any]) -> Outgoing:
        line, signature = self._city.signed(ANSWER_DOMAIN, content)
        body = write({"v": 1, "line": line, "sig": base64.b64encode(signature).decode("ascii")})
        return Outgoing(f"{root}/rsp", body.encode("utf-8"), 1, False)


@dataclass(frozen=True, slots=True)
class _Message:
    """A desk's message whose form and signature hold."""

    line: str
    body: dict[str, Any]


def _read(payload: bytes, key: ChainKey) -> _Message | None:
    if len(payload) > MESSAGE_BYTES:
        return None
    outer = load(payload.decode("utf-8", "replace"))
    if not isinstance(outer, dict) or outer.keys() != {"v", "line", "sig"} or outer["v"] != 1:
        return None
    line, text = outer["line"], outer["sig"]
    if not isinstance(line, str) or not isinstance(text, str) or utf8_bytes(line) == 0:
        return None
    try:
        signature = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    body = load(line)
    if not key.covers((ASK_DOMAIN + line).encode("utf-8"), signature) or not isinstance(body, dict):
        return None
    return _Message(line, body) if write(body) == line and _has_form(body) else None


def _has_form(body: dict[str, Any]) -> bool:
    return (
        body.keys() == NAMES
        and body["v"] == 1
        and all(isinstance(body[name], str) for name in TEXTS)
        and all(type(body[name]) is int and 0 <= body[name] <= LARGEST for name in COUNTS)
        and isinstance(body["single"], bool)
        and ID.fullmatch(body["id"]) is not None
    )


def _objection(body: dict[str, Any], chains: tuple[str, ...], now_ms: int) -> str:
    """Why the city does not take a well-formed message, '' if it does."""
    if body["chain"] not in chains:
        return "not a lot of this desk"
    if body["expires_ms"] < now_ms:
        return "expired"
    if PLATE.fullmatch(body["plate"]) is None:
        return "not a plate"
    way, value = body["way"], body["value"]
    free = way in ("free", "window")
    percent = way != "percent" or value <= 100
    if way not in WAYS or body["from_ms"] > body["to_ms"] or (value > 0) == free or not percent:
        return "not a validation"
    return ""
