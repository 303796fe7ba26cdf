"""The boards' files: right ones read, wrong ones refused by name, and the firmware's pins made from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hw.pins import ROOT, Board, Pin, boards, faults, made, read, target

GOOD = Pin("help", 12, "in pull-up", "low", "Help button")


@pytest.mark.parametrize("board", boards(), ids=lambda board: board.name)
def test_the_firmware_has_the_pins_of_the_boards(board: Board) -> None:
    assert target(board).read_text(encoding="utf-8") == made(board)


WRONG = [
    ([GOOD, replace(GOOD, name="fire")],                             "GPIO 12 is used twice, by help and fire"),
    ([GOOD, replace(GOOD, gpio=13)],                                 "help is named twice, at GPIO 12 and 13"),
    ([Pin("a", 0, "uart0 tx", "", ""), Pin("b", 12, "uart0 tx", "", "")], "uart0 tx is used twice, by a and b"),
    ([replace(GOOD, gpio=23)],                                       "help: GPIO 23 cannot be used (power save)"),
    ([replace(GOOD, gpio=30)],                                       "help: GPIO 30 cannot be used (not on the module)"),
    ([replace(GOOD, gpio=25)],                                       "help: GPIO 25 is the module's LED"),
    ([Pin("bus_tx", 2, "uart0 tx", "", "")],                         "bus_tx: GPIO 2 has no uart0 tx"),
    ([replace(GOOD, use="analog")],                                  "help: unknown use 'analog'"),
    ([replace(GOOD, active="")],                                     "help: say which level means yes"),
]  # fmt: skip


@pytest.mark.parametrize(("pins", "told"), WRONG, ids=[told for _, told in WRONG])
def test_what_cannot_be_built_is_named(pins: list[Pin], told: str) -> None:
    assert faults(Board("lane", "", "", tuple(pins))) == [told]


def test_a_wrong_file_is_refused_by_its_name(tmp_path: Path) -> None:
    text = (ROOT / "hw" / "boards" / "lane.toml").read_text(encoding="utf-8")
    (tmp_path / "lane.toml").write_text(text.replace("gpio = 17", "gpio = 18"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"^lane.toml: GPIO 18 is used twice, by arm_raise and arm_lower$"):
        read(tmp_path / "lane.toml")
