"""Commissioning: the questions that only a built lot can answer, what each is asked about, and when an answer is good.

Owns the limits' meaning and the `commissioned` record. Rules: an answer is an integer; nobody can declare good what lies
outside its limits; the record holds no plate. Knows neither files nor people's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.answer import Answer
from gateway.core.command_form import without_plates
from gateway.core.events import Commissioned
from gateway.core.layout import BayNode, Lot
from gateway.core.record import Draft, Value

PER = ("lot", "bus", "lane", "bay-node")
NOTE_LETTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Item:
    """One question of the checklist. `unit` '' is a question of yes (1) and no (0); otherwise low..high are good."""

    item: str
    per: str
    ask: str
    unit: str
    low: int
    high: int

    def good(self, value: int) -> bool:
        """Whether this answer passes."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Question:
    """An item asked about one thing: the lot, a bus, a lane, or a bay node as bus/address."""

    item: Item
    of: str

    @property
    def name(self) -> str:
        """How people name it: item@thing."""
        return f"{self.item.item}@{self.of}"


def questions(items: Sequence[Item], lot: Lot) -> list[Question]:
    """Every question that this lot has to answer, in the checklist's order."""
    things = {
        "lot": [lot.lot],
        "bus": list(lot.buses),
        "lane": list(lot.lanes),
        "bay-node": [f"{bus}/{n.address}" for bus, nodes in lot.buses.items() for n in nodes if isinstance(n, BayNode)],
    }
    return [Question(item, of) for item in items for of in things[item.per]]


def commissioned(event: Commissioned, answer: Answer) -> None:
    """Write the answer down."""
    body: dict[str, Value] = {
        "checklist": event.checklist,
        "item": event.item,
        "of": event.of,
        "value": event.value,
        "unit": event.unit,
        "passed": event.passed,
        "by": event.by,
        "note": without_plates(event.note[:NOTE_LETTERS_MAX]),
    }
    answer.write(Draft("commissioned", body))
