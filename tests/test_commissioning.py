"""The shipped checklist, and answers in a real ledger that the verifier accepts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import commissioning
from gateway.commissioning import CommissioningError, answered, asked, checklist, parse, write
from gateway.config import load_config
from gateway.core.commissioning import PER, Question
from gateway.shell.clock import SystemClock
from gateway.store.reader import Reader
from tests.sites import prepared
from tests.store.test_in_use import HOLDER

ROOT = Path(__file__).resolve().parent.parent


def by_item(questions: list[Question], item: str) -> Question:
    return next(one for one in questions if one.item.item == item)


def test_the_checklist_has_limits_and_the_hardware_page_shows_it_blank() -> None:
    items = checklist().items
    text = (ROOT / "hw" / "README.md").read_text(encoding="utf-8")
    assert len({one.item for one in items}) == len(items)
    for one in items:
        assert one.per in PER
        assert one.low <= one.high
        limits = f"{one.low} to {one.high} {one.unit}" if one.unit else "yes"
        assert f"| `{one.item}` | {one.per} | {one.ask} | {limits} | |" in text


def test_answers_are_chained_and_the_newest_counts(tmp_path: Path) -> None:
    config = load_config(prepared(tmp_path))
    rest, fire = by_item(asked(config), "rest"), by_item(asked(config), "fire")
    assert answered(config) == {}
    write(config, SystemClock(), [(rest, 150), (fire, 1)], by="engineer-7", note="")
    assert (answered(config)[rest.name].passed, answered(config)[fire.name].passed) == (False, True)
    write(config, SystemClock(), [(rest, 282)], by="engineer-8", note="bias fitted")
    found = answered(config)[rest.name]
    assert (found.value, found.passed, found.by) == (282, True, "engineer-8")
    reader = Reader(config.gateway.data / "ledger.db")
    types = [json.loads(record.line)["type"] for record in reader.records()]
    reader.close()
    assert types[0] == "genesis"
    assert types.count("commissioned") == 3
    assert types.count("start") == 1


def test_while_the_gateway_has_the_ledger_nothing_is_written(tmp_path: Path) -> None:
    config = load_config(prepared(tmp_path))
    earth = by_item(asked(config), "earth")
    path = config.gateway.data / "ledger.db"
    n = write(config, SystemClock(), [(earth, 1)], by="e", note="")
    holder = HOLDER.replace('"c"', repr(config.gateway.id))
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        with pytest.raises(CommissioningError, match="another process has it open; stop the gateway first"):
            write(config, SystemClock(), [(earth, 0)], by="e", note="")
        running.communicate()
    assert answered(config)[earth.name].n == n


@pytest.mark.parametrize(("item", "said", "value"), [
    ("fire", "yes",  1),
    ("fire", "no",   0),
    ("fire", "1",    None),
    ("rest", "282",  282),
    ("rest", "-5",   -5),
    ("rest", "yes",  None),
    ("rest", "28.2", None),
])  # fmt: skip
def test_words_become_values(item: str, said: str, value: int | None, tmp_path: Path) -> None:
    question = by_item(asked(load_config(prepared(tmp_path))), item)
    if value is not None:
        assert commissioning.parse(question, said) == value
        return
    with pytest.raises(CommissioningError, match="is no answer; give"):
        parse(question, said)
