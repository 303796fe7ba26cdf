"""How stays, bills and what happened to a stay are written as text, for the terminal and for `lotgate ctl`.

Rules: pure but for the machine's time zone; text of others loses what could move a cursor.
Knows no widget and no option.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime

from gateway.console.lines import DASH, clean, duration, money
from gateway.console.picture import Json

STATES = {
    "inside": ("inside", "在场"),
    "held": ("held at the exit", "出口待付"),
    "free": ("nothing to pay", "免费"),
    "due": ("due", "待付"),
    "arrears": ("in arrears", "欠费"),
    "paid": ("paid", "已付"),
    "refunded": ("refunded", "已退款"),
    "disputed": ("disputed", "争议中"),
    "voided": ("void", "已作废"),
    "written-off": ("written off", "已核销"),
    "review": ("in review", "待核实"),
}
BILL_WORDS = {
    "en": ("Bill", "Taken off", "Paid", "Paid back", "Still owed", "Due back", "What happened", "units", "each"),
    "zh": ("账单", "减免", "已付", "已退", "尚欠", "应退", "经过", "数量", "单价"),
}
SESSION_COLUMNS = ("Plate", "State", "Entered", "Stayed", "Bill", "Owed", "Stay")


def session_row(stay: Json, now_ms: int) -> tuple[str, ...]:
    """A stay in a list: SESSION_COLUMNS."""
    until_ms = stay["exited_ms"] or now_ms
    return (
        plate(stay["plate"]),
        STATES.get(stay["state"], (stay["state"],))[0],
        moment(stay["entered_ms"]),
        duration(until_ms - stay["entered_ms"]),
        money(stay["amount_minor"]) if stay["exited_ms"] and stay["state"] != "review" else DASH,
        money(stay["owed_minor"]) if stay["owed_minor"] else DASH,
        clean(stay["session"]),
    )


def plate(identity: str) -> str:
    """A plate with its colour behind it, a dash for none."""
    colour, _, text = clean(identity).partition(" ")
    return f"{text} {colour}" if text else DASH


def moment(at_ms: int) -> str:
    """Day and time on this machine's clock, a dash for none."""
    return f"{datetime.fromtimestamp(at_ms / 1000):%m-%d %H:%M}" if at_ms else DASH


def bill_lines(found: Json, language: str, currency: str) -> list[str]:
    """One stay, its bill line by line with the sums, and what happened."""
    (stay,) = found["stays"]
    words = BILL_WORDS[language]
    zh = language == "zh"
    state = STATES.get(stay["state"], (stay["state"],) * 2)[zh]
    text = [
        f"{plate(stay['plate'])} · {state} · {clean(stay['session'])}",
        f"{clean(stay['lane_in']) or DASH} {moment(stay['entered_ms'])} → "
        f"{clean(stay['lane_out']) or DASH} {moment(stay['exited_ms'])}",
        "",
    ]
    for line in found["lines"]:
        said = clean(line["text_zh" if zh else "text_en"])
        begins, ends = moment(line["from_ms"]), moment(line["to_ms"])
        span = f"{begins}-{ends[6:] if ends[:5] == begins[:5] else ends}"
        each = f"{line['units']} × {signed(line['unit_minor'])}"
        text.append(f"{span}  {each:>12}  {signed(line['amount_minor']):>8}  {said}")
    sums = ("amount_minor", "lowered_minor", "paid_minor", "refunded_minor", "owed_minor", "due_back_minor")
    shown = [(name, word) for name, word in zip(sums, words, strict=False) if stay[name] or name == "amount_minor"]
    text += ["", *(f"{pad(word, 12)}{money(stay[name]):>10} {clean(currency)}" for name, word in shown)]
    if found["detail"]:
        text.append(clean(found["detail"]))
    text += ["", words[6]]
    for one in found["records"]:
        amount = signed(one["amount_minor"]) if one["amount_minor"] else ""
        why = clean(" ".join(part for part in (one["by"], one["why"]) if part))
        text.append(f"{one['n']:>6}  {moment(one['at_ms'])}  {pad(clean(one['what']), 16)}{amount:>9}  {why}".rstrip())
    return text


def signed(minor: int) -> str:
    """An amount that may be below zero."""
    return f"-{money(-minor)}" if minor < 0 else money(minor)


def pad(text: str, cells: int) -> str:
    """Text filled up with blanks; a Chinese letter takes two cells."""
    return text + " " * (cells - sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text))
