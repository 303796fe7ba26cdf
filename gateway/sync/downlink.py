"""From the city down: receipts and numbered lines, checked, put in order, and turned into events.

Rules: nothing counts without the city's signature over the exact line; a line has one canonical spelling and names this chain;
numbered lines apply strictly in order, a repeat changes nothing, a gap waits for the city to repeat. A line that the city
signed but that this version does not understand is skipped, named and counted: it must not stop the payments behind it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gateway import forms
from gateway.core.city_events import CityEvent, Origin, ReceiptArrived
from gateway.core.record import canonical
from gateway.forms import Form, Reason, Rejection
from gateway.messages import Down, Receipt, SignedLine
from gateway.sync.down_forms import down_event
from gateway.sync.signature import DOWN_DOMAIN, RECEIPT_DOMAIN, CityKey
from gateway.topics import Kind

_RECEIPT: Form = {
    "v": forms.version,
    "chain": forms.text,
    "epoch": forms.count,
    "n": forms.count,
    "hash": forms.hash_hex,
    "at_ms": forms.count,
}
_LINE: Form = {
    "v": forms.version,
    "chain": forms.text,
    "dn": forms.count,
    "type": forms.text,
    "at_ms": forms.count,
    "body": lambda value: value,
}


@dataclass(slots=True)
class Counts:
    """What came down and was not an event: lines repeated, lines beyond a gap, and rejections by name."""

    repeats: int = 0
    gaps: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)


class Downlink:
    """Receiver of one chain's messages from the city. `city_public`: 32 bytes of its Ed25519 key, ValueError if it is none."""

    def __init__(self, chain: str, city_public: bytes) -> None:
        self.chain = chain
        self.counts = Counts()
        self._key = CityKey(city_public)
        self._dn = 0

    def start(self, dn: int) -> None:
        """Takes up the numbered lines after `dn`, the last one that the journal applied."""
        self._dn = dn

    def receive(self, topic_kind: str, payload: bytes) -> list[CityEvent | Rejection]:
        """Events in order, and the rejections met on the way, of one message of kind 'ack' or 'dn'.

        A line counts as applied once it is returned: the caller commits it, or starts again from the journal.
        """
        found = self._receipt(payload) if topic_kind == Kind.RECEIPT else self._down(payload)
        self.counts.rejected.update(item.reason for item in found if isinstance(item, Rejection))
        return found

    def _receipt(self, payload: bytes) -> list[CityEvent | Rejection]:
        message = Receipt.from_json(payload)
        if isinstance(message, Rejection):
            return [message]
        got = self._read(RECEIPT_DOMAIN, message.signed, _RECEIPT)
        if isinstance(got, Rejection):
            return [got]
        return [ReceiptArrived(got["epoch"], got["n"], got["hash"], message.signed.line, message.signed.signature)]

    def _down(self, payload: bytes) -> list[CityEvent | Rejection]:
        message = Down.from_json(payload)
        if isinstance(message, Rejection):
            return [message]
        found: list[CityEvent | Rejection] = []
        for signed in message.signed:
            got = self._read(DOWN_DOMAIN, signed, _LINE)
            if isinstance(got, Rejection):
                return [*found, got]
            if got["dn"] <= self._dn:
                self.counts.repeats += 1
            elif got["dn"] > self._dn + 1:
                self.counts.gaps += 1
            else:
                self._dn = got["dn"]
                origin = Origin(got["dn"], signed.line, signed.signature, got["at_ms"])
                found.append(down_event(got["type"], got["body"], origin))
        return found

    def _read(self, domain: bytes, signed: SignedLine, form: Form) -> dict[str, Any] | Rejection:
        """The fields of a line of this chain under the city's signature, or which of these it lacks."""
        if not self._key.signed(domain, signed.line, signed.signature):
            return Rejection(Reason.SIGNATURE, "not under the city's key")
        value = forms.parse(signed.line)
        if isinstance(value, Rejection):
            return value
        if not _is_canonical(value, signed.line):
            return Rejection(Reason.NOT_CANONICAL, "another spelling of the same content exists")
        got = forms.shape(value, form)
        if isinstance(got, Rejection):
            return got
        if got["chain"] != self.chain:
            return Rejection(Reason.CHAIN, f"line of chain {got['chain']:.64}")
        return got


def _is_canonical(value: Any, line: str) -> bool:
    try:
        return canonical(value) == line
    except ValueError:
        return False
