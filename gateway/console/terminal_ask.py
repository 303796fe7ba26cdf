"""The terminal's question before anything is done: what, why, and the lot's name in full; then the gateway's answer.

Owns the fields of each verb and how their text becomes arguments. Rules: nothing is sent without a reason, nor, if it moves a
barrier or money, without the lot's own name; escape sends nothing; while the answer is waited for the screen stays alive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from gateway.console.lines import clean
from gateway.console.picture import Json

Perform = Callable[[object], Json]
"""What acts for the operator: `Acts.perform`."""

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Field:
    """One argument that a person types; `kind` is text, count or money."""

    arg: str
    label: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Verb:
    """How one verb is asked for: the question, what is typed, what is fixed; `named`: the lot's name is typed too."""

    title: str
    question: str
    fields: tuple[Field, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    named: bool = True


SESSION = Field("session", "Stay")
SHIFT = Field("shift", "Shift")
PLATE = Field("plate", "Plate")
VERBS: dict[str, Verb] = {
    "barrier-open": Verb("Raise", "Raise the barrier of {lane} for one vehicle. Whoever leaves still owes."),
    "barrier-hold": Verb("Keep up", "Keep the barrier of {lane} up until it is let fall."),
    "barrier-release": Verb("Let fall", "Let the barrier of {lane} fall once nobody is under it."),
    "recount": Verb(
        "Correct the count", "Believe that so many vehicles are inside.", (Field("inside", "Inside", "count"),), named=False
    ),
    "refund": Verb(
        "Refund", "Give back a part of a paid bill; the city pays it and says so.",
        (SESSION, Field("amount_minor", "Amount", "money")),
    ),
    "void": Verb("Void", "Bring the bill to nothing; what was paid is due back.", (SESSION,)),
    "cash": Verb(
        "Take cash", "Book what you took in your open shift.",
        (SESSION, Field("amount_minor", "Amount", "money"), SHIFT), {"lane": ""},
    ),
    "attach": Verb(
        "Attach", "End a stay by an exit in review, and bill it.",
        (SESSION, Field("stray", "Exit in review"), Field("whose", "Whose reader was right: entry or exit")),
    ),
    "validate": Verb(
        "Free for a day", "Lower the plate's bill to nothing: yesterday, today, tomorrow.", (PLATE,),
        {"way": "free", "value": 0, "single": False}, named=False,
    ),
    "block": Verb(
        "Block", "An attendant is called when this plate is at an exit; entries tell.", (PLATE,),
        {"entry": "notify", "exit": "attendant"}, named=False,
    ),
    "unblock": Verb("Unblock", "End the blocks that operators put on a plate.", (PLATE,), named=False),
    "shift-open": Verb(
        "Open a shift", "Begin a shift of yours with so much change.",
        (SHIFT, Field("float_minor", "Change", "money")), named=False,
    ),
    "shift-close": Verb(
        "Close a shift", "End a shift of yours by what you counted, the change with it.",
        (SHIFT, Field("counted_minor", "Counted", "money")), named=False,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A verb for a lot, with what is known already: `preset` fills fields, `lane` stands in the question."""

    verb: str
    gateway: str
    lot: str
    preset: Mapping[str, str] = field(default_factory=dict)
    lane: str = ""


def arguments(verb: str, typed: Mapping[str, str], lane: str, now_ms: int) -> dict[str, Any] | str:
    """The arguments of a verb, or what is wrong with what was typed."""
    asked = VERBS[verb]
    args: dict[str, Any] = dict(asked.fixed) | ({"lane": lane} if lane else {})
    if verb == "validate":
        args |= {"from_ms": now_ms - DAY_MS, "to_ms": now_ms + DAY_MS}
    for one in asked.fields:
        text = typed[one.arg].strip()
        try:
            args[one.arg] = text if one.kind == "text" else _number(text, 2 if one.kind == "money" else 0)
        except (InvalidOperation, ValueError):
            return f"{one.label}: not a number such as {'12.50' if one.kind == 'money' else '12'}"
        if not text:
            return f"{one.label} is missing"
    return args


def said(found: Json) -> str:
    """The gateway's answer in a line."""
    why = f" {found['code']}" if found["code"] else ""
    detail = f": {found['detail']}" if found["detail"] else ""
    record = f", record {found['record']} of the ledger" if found["record"] else ""
    unchecked = "" if found["verified"] or not found["n"] else " (signature not checked)"
    return clean(f"{WORDS[found['state']]}{why}{detail}{record}{unchecked}")


WORDS = {"done": "done", "refused": "refused", "unsent": "nothing was sent", "unknown": "not known whether it was done"}


class Question(ModalScreen[bool]):
    """Asks, sends, tells; ends with whether it was done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "no", priority=True),
        # Before the field gets the key, so that what is typed fast or pasted goes to the next field.
        Binding("enter,tab", "next", priority=True, show=False),
    ]
    CSS = """
    Question { align: center middle; }
    Question #box { width: 76; max-width: 100%; height: auto; max-height: 100%; padding: 0 2; }
    Question #box { border: round $primary; background: $surface; }
    Question Input { background: $boost; }
    Question Input:focus { background: $primary-darken-2; }
    Question .label { height: 1; color: $text-muted; }
    Question #answer { height: auto; min-height: 1; text-style: bold; }
    """

    def __init__(self, asked: Asked, perform: Perform, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self._asked, self._perform, self._now_ms = asked, perform, now_ms
        self._verb = VERBS[asked.verb]
        self._sent = self._done = False

    def compose(self) -> ComposeResult:
        asked = self._asked
        with VerticalScroll(id="box"):
            title = f"{self._verb.title} · {clean(asked.lot)}"
            yield Static(f"{title}\n{self._verb.question.format(lane=asked.lane)}", markup=False)
            for one in self._verb.fields:
                yield Static(one.label, classes="label", markup=False)
                yield Input(asked.preset.get(one.arg, ""), id=one.arg, compact=True)
            yield Static("Reason; it stands in the lot's ledger", classes="label")
            yield Input(id="reason", max_length=60, compact=True)
            if self._verb.named:
                yield Static(f"Type the lot's name to go on: {clean(asked.lot)}", classes="label", markup=False)
                yield Input(id="name", compact=True)
            yield Static("enter: next field, and send at the last · esc: no", id="answer", markup=False)

    def on_mount(self) -> None:
        empty = [one for one in self.query(Input) if not one.value]
        (empty[0] if empty else self.query(Input).first()).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input is not self.query(Input).last():
            return
        if self._sent:
            self.dismiss(self._done)
        else:
            self._send()

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        """The last field gets its own enter, which comes after all that was typed into it."""
        return action != "next" or self.focused is not self.query(Input).last()

    def action_next(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_leave(self) -> None:
        """Say no, or close the answer."""
        self.dismiss(self._done)

    def _send(self) -> None:
        asked, typed = self._asked, {one.id or "": one.value for one in self.query(Input)}
        args = arguments(asked.verb, typed, asked.lane, self._now_ms())
        if isinstance(args, str):
            self._tell(args)
        elif not typed["reason"].strip():
            self._tell("A reason is missing; nothing was sent.")
        elif self._verb.named and typed["name"].strip() != asked.lot:
            self._tell("Not the lot's name; nothing was sent.")
        else:
            self._sent = True
            self._tell("Sent; waiting for the gateway's answer…")
            self._act(
                {
                    "gw": asked.gateway,
                    "lot": asked.lot,
                    "verb": asked.verb,
                    "args": args,
                    "reason": typed["reason"].strip(),
                }
            )

    @work(thread=True)
    def _act(self, request: Json) -> None:
        found = self._perform(request)
        self.app.call_from_thread(self._told, found)

    def _told(self, found: Json) -> None:
        self._done = found["state"] == "done"
        self._tell(f"{said(found)} · esc closes")

    def _tell(self, text: str) -> None:
        self.query_one("#answer", Static).update(text)


def _number(text: str, digits: int) -> int:
    """A number as a person types it, in its smallest unit. Raises ValueError or InvalidOperation."""
    value = Decimal(text).scaleb(digits)
    if value != value.to_integral_value() or value < 0:
        raise ValueError(text)
    return int(value)
