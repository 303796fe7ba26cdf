"""What may be applied once: the city's own ids of payments and of all else that moves money; they never expire.

Owns what an id stands for. Rules: the same id with the same content is a repeat and changes nothing; with other content it is
refused; an id counts as used only once its message was applied, so that one that came too early may come again. The journal
knows the used ids; those that a step asks about are adopted for its length.
"""

from __future__ import annotations

from gateway.core.answer import Answer
from gateway.core.city_events import Origin, PaymentReported, RefundMade
from gateway.core.refusal import refused

Key = tuple[str, str]
"""Kind of message and its own id."""


Booked = PaymentReported | RefundMade


def key_of(event: Booked) -> Key:
    """Kind and id of a message."""
    match event:
        case PaymentReported():
            return "payment", event.payment
        case RefundMade():
            return "refund", event.refund


def content_of(event: Booked) -> str:
    """All that a message says beside its id, as one text to compare."""
    match event:
        case PaymentReported():
            said = [event.session, event.amount_minor, "paid" if event.paid else "failed", event.place]
        case RefundMade():
            said = [event.session, event.amount_minor, event.reason]
    return " ".join(str(part) for part in said).strip()


class Once:
    """The ids that are known to be used, for the length of one step."""

    def __init__(self) -> None:
        self._known: dict[Key, str] = {}

    def adopt(self, key: Key, content: str) -> None:
        """An id that the journal knows."""
        self._known[key] = content

    def is_new(self, key: Key, content: str, session: str, origin: Origin, answer: Answer) -> bool:
        """Whether a message is to be looked at; refuses another content under a used id. Keeps its line as evidence."""
        answer.origins.append(origin)
        known = self._known.get(key)
        if known is not None and known != content:
            answer.write(refused(key[0], session, key[1], "id has another content", origin.dn))
        return known is None

    def take(self, key: Key, content: str, answer: Answer) -> None:
        """A message was applied: its id is used."""
        self._known[key] = answer.used[key] = content

    def forget(self) -> None:
        """The step is over."""
        self._known.clear()
