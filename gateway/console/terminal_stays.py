"""The terminal's stays: found by plate or by state, and one stay with its bill and what can be done about it.

Owns the two screens. Rules: each asks the gateway, through what acts for the operator; after a deed the bill is asked for
again, so that what is shown is the ledger's. Knows no broker and no key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static

from gateway.console.lines import clean
from gateway.console.picture import Json
from gateway.console.stay_lines import SESSION_COLUMNS, bill_lines, session_row
from gateway.console.terminal_ask import Asked, Perform, Question, said

WHICH = {"i": "inside", "u": "owing", "v": "review", "l": "recent"}
OWING = ("held", "due", "arrears")


class Stays(Screen[None]):
    """Stays of one lot."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "plate"),
        Binding("i", "which('inside')", "inside"),
        Binding("u", "which('owing')", "unpaid"),
        Binding("v", "which('review')", "review"),
        Binding("l", "which('recent')", "left last"),
        Binding("enter", "open", "bill", show=True),
        Binding("escape,q", "app.pop_screen", "back"),
    ]

    def __init__(self, lot: Json, perform: Perform, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self._lot, self._perform, self._now_ms = lot, perform, now_ms
        self._found: list[Json] = []

    def compose(self) -> ComposeResult:
        yield Static(f"{clean(self._lot['lot'])} · stays", id="line", markup=False)
        yield Input(placeholder="a plate, or three letters of one that is inside", id="plate")
        yield Static("", id="said", markup=False)
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(DataTable).add_columns(*SESSION_COLUMNS)
        self.query_one("#plate").focus()

    def action_find(self) -> None:
        """Type a plate."""
        self.query_one("#plate").focus()

    def action_which(self, which: str) -> None:
        """The newest stays of a kind."""
        self._look({"which": which, "plate": ""})

    def on_input_submitted(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        self._look({"which": "plate" if typed else "inside", "plate": typed})

    def _look(self, args: Json) -> None:
        self.query_one("#said", Static).update("Asking the gateway…")
        lot = self._lot
        self._ask({"gw": lot["gw"], "lot": lot["lot"], "verb": "sessions", "args": args, "reason": ""})

    @work(thread=True, exclusive=True)
    def _ask(self, request: Json) -> None:
        found = self._perform(request)
        self.app.call_from_thread(self._show, found)

    def _show(self, found: Json) -> None:
        self._found = list(found["stays"])
        count = f"{len(self._found)} stays, the newest first. {found['detail']}"
        self.query_one("#said", Static).update(count if found["state"] == "done" else said(found))
        table = self.query_one(DataTable)
        table.clear()
        for stay in self._found:
            table.add_row(*(Text(cell) for cell in session_row(stay, self._now_ms())))
        if self._found:
            table.focus()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        self.app.push_screen(Bill(self._lot, self._found[event.cursor_row]["session"], self._perform, self._now_ms))


class Bill(Screen[None]):
    """One stay: its bill line by line, the sums, and what happened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "deed('refund')", "refund"),
        Binding("v", "deed('void')", "void"),
        Binding("c", "deed('cash')", "cash"),
        Binding("t", "deed('attach')", "attach"),
        Binding("g", "deed('validate')", "free"),
        Binding("b", "deed('block')", "block"),
        Binding("l", "language", "中文/English"),
        Binding("escape,q", "app.pop_screen", "back"),
    ]

    def __init__(self, lot: Json, session: str, perform: Perform, now_ms: Callable[[], int]) -> None:
        super().__init__()
        self._lot, self._session, self._perform, self._now_ms = lot, session, perform, now_ms
        self._found: Json = {}
        self._language = "en"

    def compose(self) -> ComposeResult:
        yield Static(f"{clean(self._lot['lot'])} · stay {clean(self._session)}", id="line", markup=False)
        with VerticalScroll(id="bill"):
            yield Static("Asking the gateway…", id="bill-lines", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#bill").focus()
        self._explain()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the deeds that the stay's state allows are offered; the gateway's rules decide."""
        return action != "deed" or str(parameters[0]) in self._deeds()

    def action_language(self) -> None:
        """The other language."""
        self._language = "zh" if self._language == "en" else "en"
        self._draw()

    def action_deed(self, verb: str) -> None:
        """Ask for a deed with what is known filled in."""
        asked = Asked(verb, self._lot["gw"], self._lot["lot"], self._deeds()[verb])
        self.app.push_screen(Question(asked, self._perform, self._now_ms), self._after)

    def _after(self, done: bool | None) -> None:
        if done:
            self._explain()

    @work(thread=True, exclusive=True)
    def _explain(self) -> None:
        lot = self._lot
        found = self._perform(
            {"gw": lot["gw"], "lot": lot["lot"], "verb": "bill", "args": {"session": self._session}, "reason": ""}
        )
        self.app.call_from_thread(self._show, found)

    def _show(self, found: Json) -> None:
        if found["state"] != "done":
            self.query_one("#bill-lines", Static).update(said(found))
            return
        self._found = found
        self._draw()
        self.refresh_bindings()

    def _draw(self) -> None:
        if self._found:
            text = "\n".join(bill_lines(self._found, self._language, self._lot["currency"]))
            self.query_one("#bill-lines", Static).update(Text(text))

    def _deeds(self) -> dict[str, dict[str, str]]:
        """Verb -> what is known of its fields."""
        if not self._found:
            return {}
        (stay,) = self._found["stays"]
        session = {"session": stay["session"]}
        kept = stay["paid_minor"] - stay["refunded_minor"] - stay["due_back_minor"]
        found: dict[str, dict[str, str]] = {}
        if kept > 0:
            found["refund"] = session | {"amount_minor": _amount(kept)}
        if stay["state"] in OWING:
            found["cash"] = session | {"amount_minor": _amount(stay["owed_minor"])}
        if stay["state"] in (*OWING, "paid"):
            found["void"] = session
        if stay["state"] == "review" and not stay["lane_in"]:
            near = stay["near"][0].partition(" ")[0] if stay["near"] else ""
            found["attach"] = {"session": near, "stray": stay["session"]}
        if stay["plate"]:
            found |= {"validate": {"plate": stay["plate"]}, "block": {"plate": stay["plate"]}}
        return found


def _amount(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
