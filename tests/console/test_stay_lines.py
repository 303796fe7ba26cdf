"""Stays and bills as text, in both languages, whatever the stay went through."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gateway.console.lines import DASH
from gateway.console.stay_lines import BILL_WORDS, SESSION_COLUMNS, STATES, bill_lines, session_row
from gateway.core.session import State
from gateway.findings import Charged, Happened, Stay

ENTERED_MS = 1_793_577_600_000
HOUR_MS = 3_600_000
STAY = Stay(
    "1.3", "blue 浙A12345", 99, "paid", "in", "out", ENTERED_MS, ENTERED_MS + 2 * HOUR_MS, 700, 200, 700, 200, 0, 0, "none"
)  # fmt: skip
LINES = (
    Charged("第一小时", "first hour", ENTERED_MS, ENTERED_MS + HOUR_MS, 2, 450, 900),
    Charged("酒店", "hotel\x1b[2J", ENTERED_MS, ENTERED_MS + HOUR_MS, 1, -200, -200),
)
RECORDS = (Happened(3, "entry", ENTERED_MS, 0, "", ""), Happened(9, "refund done", ENTERED_MS, 200, "ab12", "too slow"))


def found(stay: Stay = STAY, detail: str = "") -> dict[str, Any]:
    return {
        "stays": [asdict(stay)],
        "lines": [asdict(line) for line in LINES],
        "records": [asdict(record) for record in RECORDS],
        "detail": detail,
    }


def test_every_state_has_its_words() -> None:
    assert STATES.keys() == {str(state) for state in State}


def test_a_row_of_a_list() -> None:
    row = session_row(asdict(STAY), ENTERED_MS)
    assert len(row) == len(SESSION_COLUMNS)
    assert (row[0], row[1], row[3], row[4], row[5], row[6]) == ("浙A12345 blue", "paid", "2h", "7.00", DASH, "1.3")
    inside = asdict(STAY) | {"state": "inside", "exited_ms": 0, "plate": ""}
    row = session_row(inside, ENTERED_MS + HOUR_MS)
    assert (row[0], row[3], row[4]) == (DASH, "60m", DASH)


def test_a_bill_in_both_languages() -> None:
    for language, said in (
        ("en", ("paid", "first hour", "hotel", "refund done")),
        ("zh", ("已付", "第一小时", "酒店")),
    ):
        text = "\n".join(bill_lines(found(detail="if it left now"), language, "CNY"))
        assert all(word in text for word in said), text
        assert "\x1b" not in text
        shown = [word for word in BILL_WORDS[language][:6] if word in text]
        assert len(shown) == 4, "what is nothing is left out"
        assert "-2.00" in text
        assert "ab12 too slow" in text
        assert "if it left now" in text
