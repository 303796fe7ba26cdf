"""The live view: lines for a file, a repainted panel for a terminal."""

from __future__ import annotations

import io

from sim.display import BAR_COLUMNS, NOTES_MAX, Display, View, bar

VIEW = View(
    lot_time="2026-03-02 10:20",
    cars=80,
    entered=50,
    left=20,
    outside=1,
    billed_minor=15_500,
    paid_minor=9_000,
    records=120,
    receipted=100,
    broker_up=False,
    gateway_alive=True,
    unacknowledged=2,
)


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def money(minor: int) -> str:
    return f"{minor / 100:.2f}"


def test_a_file_gets_a_line_a_second_at_most() -> None:
    stream = io.StringIO()
    display = Display(stream, money, expected_ms=45_000)
    for now_ms in range(0, 3_000, 100):
        display.show(VIEW, now_ms)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert "20/80 cars have left, 30 inside, billed 155.00, records 120, receipted 100" in lines[0]
    assert lines[0].endswith("broker AWAY, gateway alive")


def test_a_long_run_writes_fewer_lines() -> None:
    stream = io.StringIO()
    display = Display(stream, money, expected_ms=480_000)
    for now_ms in range(0, 8_000, 100):
        display.show(VIEW, now_ms)
    assert len(stream.getvalue().splitlines()) == 2


def test_a_terminal_gets_a_panel_painted_over_itself() -> None:
    stream = Terminal()
    display = Display(stream, money, expected_ms=45_000)
    display.show(VIEW, 0)
    first = stream.getvalue()
    assert "inside    30" in first
    assert not first.startswith("\x1b[0F")
    for number in range(NOTES_MAX + 3):
        display.note(f"note {number}")
    display.show(VIEW, 1_000)
    second = stream.getvalue()[len(first) :]
    assert second.startswith(f"\x1b[{first.count(chr(10))}F")
    assert "note 2" not in second
    assert f"note {NOTES_MAX + 2}" in second
    display.finish("the end")
    assert stream.getvalue().endswith("the end\n")


def test_the_bar_fills_as_cars_leave() -> None:
    assert bar(0, 10).count("#") == 0
    assert bar(5, 10).count("#") == BAR_COLUMNS // 2
    assert bar(10, 10).count("#") == bar(0, 0).count("#") == BAR_COLUMNS
