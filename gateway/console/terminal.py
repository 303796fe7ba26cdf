"""The console in a terminal: lots worst first, one lot with its lanes, alarms and notices, help.

Owns the application, its keys, and the flush that draws at most four times a second. Rules: it reads one board, as a page does;
it acts only through `perform`; text of others is never markup. Knows no broker: who starts it hands messages to the board.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Footer, Input, OptionList, Sparkline, Static
from textual.widgets.option_list import Option

from gateway.console import lines
from gateway.console.board import Board, Reader
from gateway.console.picture import Json
from gateway.console.terminal_ask import VERBS, Asked, Perform, Question
from gateway.console.terminal_stays import Stays

FLUSH_S = 0.25
"""Cells drawn for each message cost most of a core at fifty messages a second; four flushes a second cost a quarter."""
SHOWN_MAX = 200
"""Rows in the overview; the worst stand first, and the filter finds the rest."""
COLOURS = ("", "cyan", "yellow", "red", "bold red")
"""By how bad a lot is."""
SEVERITIES = {"info": "cyan", "warning": "yellow", "urgent": "bold red"}
COLOURED = ("Lot", "State", "Trouble")
WIDE = 110
"""Letters that all columns need."""

HELP = """\
Lots                          One lot
  enter   open a lot            q, esc  back to the lots
  /       filter, esc ends it   1       back to the lots
  s       sort: worst, name,    2       lanes: arrows choose one
          fullest               o h r   raise, keep up, let fall
  q       leave the console     3       stays, by plate or state
                                5       alarms
                                a       other actions

Every value has its age. Red: an urgent alarm, or a gateway that can't
be reached. What acts asks for a reason, and for the lot's name if it
moves a barrier or money. Without a profile this console only looks."""
OTHERS = ("recount", "validate", "block", "unblock", "shift-open", "shift-close")


class Terminal(App[str]):
    """The application over one board. `fault` is asked at each flush: a text ends the application with it."""

    CSS = """
    #line { height: 1; padding: 0 1; background: $primary-darken-2; color: $text; }
    #line.lost { background: $error; }
    #find { height: 3; display: none; }
    #find.open { display: block; }
    DataTable { height: 1fr; }
    #lanes { height: auto; max-height: 40%; }
    #state, #day { padding: 0 1; }
    #spark { height: 2; margin: 0 1; }
    #alarms { height: auto; max-height: 6; padding: 0 1; }
    #said { padding: 0 1; height: 1; }
    #bill { padding: 0 1; }
    HelpBox, Others { align: center middle; }
    Others OptionList { width: 40; height: auto; border: round $primary; }
    HelpBox Static { width: 76; height: auto; padding: 1 2; border: round $primary; background: $surface; }
    """
    ENABLE_COMMAND_PALETTE = False
    TITLE = "lotgate"

    def __init__(self, board: Board, fault: Callable[[], str] = lambda: "", perform: Perform | None = None) -> None:
        super().__init__()
        self.board = board
        self.perform = perform
        self.rows: dict[str, Json] = {}
        self._fault = fault

    def on_mount(self) -> None:
        self.push_screen(Lots(self.board, self.rows, self.perform))
        self.set_interval(FLUSH_S, self._watch)

    def _watch(self) -> None:
        fault = self._fault()
        if fault:
            self.exit(fault, return_code=1)


class Lots(Screen[None]):
    """The overview."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "filter"),
        Binding("s", "sort", "sort"),
        Binding("enter", "open", "open", show=True),
        Binding("question_mark", "help", "help"),
        Binding("escape", "close", "close the filter", show=False),
        Binding("q", "app.quit", "leave"),
    ]

    def __init__(self, board: Board, rows: dict[str, Json], perform: Perform | None) -> None:
        super().__init__()
        self._perform = perform
        self._board, self._rows, self._reader = board, rows, Reader()
        self._sort = lines.SORTS[0]
        self._order: list[str] = []
        self._columns: tuple[str, ...] = lines.LOT_COLUMNS

    def compose(self) -> ComposeResult:
        yield Static(id="line", markup=False)
        yield Input(placeholder="lot or gateway", id="find")
        yield DataTable[Text](cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        table = self._table
        self._columns = lines.LOT_COLUMNS if self.app.size.width >= WIDE else lines.NARROW_COLUMNS
        for column in self._columns:
            table.add_column(column, key=column)
        table.focus()
        self.set_interval(FLUSH_S, self._flush)
        self._flush()

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def _flush(self) -> None:
        news = self._board.news(self._reader)
        if news is not None:
            self._rows.update({row["gw"]: row for row in news["rows"]})
        if self.is_current and (news is not None):
            self._draw(news)

    def _draw(self, news: Json) -> None:
        reads = "" if self._perform else " · reads only"
        head(self.query_one("#line", Static), news, f"{len(self._rows)} lots, {self._sort} first{reads}")
        self._list(news["now_ms"])

    def _list(self, now_ms: int) -> None:
        found = lines.ordered(self._rows, self._sort, self.query_one("#find", Input).value)[:SHOWN_MAX]
        order, table = [row["gw"] for row in found], self._table
        if order == self._order:
            for row in found:
                for column, cell in zip(self._columns, _cells(row, now_ms, self._columns), strict=True):
                    if table.get_cell(row["gw"], column) != cell:
                        table.update_cell(row["gw"], column, cell, update_width=True)
            return
        # The cursor stays on its lot when another one becomes worse.
        chosen = self._chosen()
        table.clear()
        for row in found:
            table.add_row(*_cells(row, now_ms, self._columns), key=row["gw"])
        self._order = order
        if chosen in order:
            table.move_cursor(row=order.index(chosen))

    def _chosen(self) -> str:
        return self._order[self._table.cursor_row] if 0 <= self._table.cursor_row < len(self._order) else ""

    def action_find(self) -> None:
        """Open the filter."""
        self.query_one("#find").add_class("open")
        self.query_one("#find").focus()

    def action_close(self) -> None:
        """End the filter."""
        self.query_one("#find", Input).value = ""
        self.query_one("#find").remove_class("open")
        self._table.focus()

    def on_input_changed(self) -> None:
        self._list(self._board.now_ms())

    def on_input_submitted(self) -> None:
        self._table.focus()

    def action_sort(self) -> None:
        """Sort by the next rule."""
        self._sort = lines.SORTS[(lines.SORTS.index(self._sort) + 1) % len(lines.SORTS)]
        self._reader.told_ms = 0
        self._flush()

    def on_data_table_row_selected(self) -> None:
        self.app.push_screen(Lot(self._board, self._chosen(), self._perform))

    def action_help(self) -> None:
        """Say which key does what."""
        self.app.push_screen(HelpBox())


class Lot(Screen[None]):
    """One lot."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,1", "app.pop_screen", "back"),
        Binding("2", "app.focus('lanes')", "lanes", show=False),
        Binding("o", "lane('barrier-open')", "raise"),
        Binding("h", "lane('barrier-hold')", "keep up"),
        Binding("r", "lane('barrier-release')", "let fall"),
        Binding("3,slash", "stays", "stays"),
        Binding("5", "app.focus('alarms')", "alarms", show=False),
        Binding("a", "others", "more"),
        Binding("question_mark", "help", "help"),
    ]

    def __init__(self, board: Board, gateway: str, perform: Perform | None) -> None:
        super().__init__()
        self._perform = perform
        self._board, self._reader = board, Reader(gateway)
        self._lot: Json = {}

    def compose(self) -> ComposeResult:
        yield Static(id="line", markup=False)
        yield Static(id="state", markup=False)
        yield Sparkline([], id="spark")
        yield Static(id="day", markup=False)
        with VerticalScroll(id="alarms"):
            yield Static(id="alarm-lines", markup=False)
        yield DataTable[Text](id="lanes", cursor_type="row" if self._perform else "none")
        yield DataTable[Text](id="notices", cursor_type="none", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#lanes", DataTable).add_columns(*lines.LANE_COLUMNS)
        self.query_one("#lanes").focus()
        self.query_one("#notices", DataTable).add_columns(*lines.NOTICE_COLUMNS)
        self.set_interval(FLUSH_S, self._flush)
        self._flush()

    def _flush(self) -> None:
        news = self._board.news(self._reader)
        if news is None:
            return
        self._lot = news.get("lot", self._lot)
        head(self.query_one("#line", Static), news, lines.clean(self._lot["lot"]) if self._lot else "")
        if self._lot:
            self._draw(self._lot, news["now_ms"])

    def _draw(self, lot: Json, now_ms: int) -> None:
        self.query_one("#state", Static).update(lines.state_line(lot, now_ms))
        values = [row[1] for row in lot["places"]]
        self.query_one("#spark", Sparkline).data = values if len(values) > 1 else []
        self.query_one("#day", Static).update(lines.day_line(lot))
        alarms = [Text(lines.alarm_line(one, now_ms), SEVERITIES[one["severity"]]) for one in lot["alarms"]]
        self.query_one("#alarm-lines", Static).update(Text("\n").join(alarms or [Text("No open alarm.")]))
        _fill(self.query_one("#lanes", DataTable), [lines.lane_row(lane, now_ms) for lane in lot["lanes"]])
        _fill(self.query_one("#notices", DataTable), [lines.notice_row(notice, now_ms) for notice in lot["notices"]])

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        """Who only looks is offered no act."""
        return self._perform is not None or action not in ("lane", "stays", "others")

    def action_lane(self, verb: str) -> None:
        """Ask for something at the lane under the cursor."""
        at = self.query_one("#lanes", DataTable).cursor_row
        if self._lot and 0 <= at < len(self._lot["lanes"]):
            self._ask(verb, self._lot["lanes"][at]["lane"])

    def action_stays(self) -> None:
        """Find stays."""
        if self._perform and self._lot:
            self.app.push_screen(Stays(self._lot, self._perform, self._board.now_ms))

    def action_others(self) -> None:
        """Choose among the other actions."""
        self.app.push_screen(Others(), lambda verb: self._ask(verb) if verb else None)

    def _ask(self, verb: str, lane: str = "") -> None:
        if self._perform and self._lot:
            asked = Asked(verb, self._lot["gw"], self._lot["lot"], lane=lane)
            self.app.push_screen(Question(asked, self._perform, self._board.now_ms))

    def action_help(self) -> None:
        """Say which key does what."""
        self.app.push_screen(HelpBox())


class Others(ModalScreen[str]):
    """The actions that have no key of their own."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        yield OptionList(*(Option(VERBS[verb].title, id=verb) for verb in OTHERS))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


class HelpBox(ModalScreen[None]):
    """Which key does what."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "app.pop_screen", "close")]

    def compose(self) -> ComposeResult:
        yield Static(HELP, markup=False)


def head(line: Static, news: Json, text: str) -> None:
    """The first line: city, what is shown, and whether it is live."""
    lost = not news["broker"]
    live = f"NO BROKER for {lines.age(news['broker_ms'], news['now_ms'])}: what you see is old" if lost else "live"
    line.set_class(lost, "lost")
    line.update(f"{lines.clean(news['city'])} · {text} · {live}")


def _cells(row: Json, now_ms: int, columns: tuple[str, ...]) -> list[Text]:
    cells = zip(columns, lines.lot_row(row, now_ms, columns), strict=True)
    return [Text(cell, COLOURS[row["bad"]] if column in COLOURED else "") for column, cell in cells]


def _fill(table: DataTable[Text], rows: Sequence[tuple[str, ...]]) -> None:
    top, at = table.scroll_offset, table.cursor_row
    table.clear()
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    table.move_cursor(row=at, scroll=False)
    table.scroll_to(top.x, top.y, animate=False)
