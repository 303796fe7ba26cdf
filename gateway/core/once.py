"""What may be applied once: the city's own ids of payments and of all else that moves money; they never expire.

Owns what an id stands for. Rules: the same id with the same content is a repeat and changes nothing; with other content it is
refused; an id counts as used only once its message was applied, so that one that came too early may come again. The journal
knows the used ids; those that a step asks about are adopted for its length.
"""

from __future__ import annotations

from dataclasses import fields

from gateway.core.answer import Answer
from gateway.core.city_events import (
    BillCorrected,
    BillVoided,
    BillWrittenOff,
    CashTaken,
    DayTallied,
    DisputeClosed,
    DisputeOpened,
    ExitAttached,
    InvoiceRequested,
    PaymentReported,
    RefundMade,
    Settlement,
    ShiftClosed,
    ShiftOpened,
)
from gateway.core.refusal import refused

Key = tuple[str, str]
"""Kind of message and its own id."""

Booked = PaymentReported | Settlement

KINDS: dict[type[Booked], str] = {
    PaymentReported: "payment",
    RefundMade: "refund",
    BillCorrected: "correction",
    BillVoided: "void",
    BillWrittenOff: "write-off",
    ExitAttached: "attach",
    DisputeOpened: "dispute",
    DisputeClosed: "verdict",
    ShiftOpened: "shift",
    CashTaken: "cash",
    ShiftClosed: "shift-close",
    InvoiceRequested: "invoice",
    DayTallied: "day",
}


def key_of(event: Booked) -> Key:
    """Kind and id of a message; the id is its first member after the origin."""
    return KINDS[type(event)], str(_said(event)[0])


def content_of(event: Booked) -> str:
    """All that a message says beside its id and the line that brought it, as one text to compare."""
    return " ".join(str(part) for part in _said(event)[1:])


def refuse(event: Booked, session: str, reason: str, answer: Answer) -> None:
    """Write down that a message changes nothing, and why."""
    kind, id_ = key_of(event)
    answer.write(refused(kind, session, id_, reason, event.origin.dn))


class Once:
    """The ids that are known to be used, for the length of one step."""

    def __init__(self) -> None:
        self._known: dict[Key, str] = {}

    def adopt(self, key: Key, content: str) -> None:
        """An id that the journal knows."""
        self._known[key] = content

    def is_used(self, key: Key) -> bool:
        """Whether a message of this kind and id was applied."""
        return key in self._known

    def is_new(self, event: Booked, session: str, answer: Answer) -> bool:
        """Whether a message is to be looked at; refuses another content under a used id. Keeps its line as evidence."""
        answer.origins.append(event.origin)
        known = self._known.get(key_of(event))
        if known is not None and known != content_of(event):
            refuse(event, session, "id has another content", answer)
        return known is None

    def take(self, event: Booked, answer: Answer) -> None:
        """A message was applied: its id is used."""
        self.use(key_of(event), content_of(event), answer)

    def content(self, key: Key) -> str | None:
        """Under which content an id was applied; None if it never was."""
        return self._known.get(key)

    def use(self, key: Key, content: str, answer: Answer) -> None:
        """An id was applied with this content."""
        self._known[key] = answer.used[key] = content

    def forget(self) -> None:
        """The step is over."""
        self._known.clear()


def _said(event: Booked) -> list[object]:
    return [getattr(event, field.name) for field in fields(event) if field.name != "origin"]
