"""Boards as data: hw/boards/*.toml read, checked, and made into firmware/pins_<board>.py (`python -m hw.pins`).

Owns what an RP2040 pin can do. Rules: a pin has one use and a use one pin; serial and I2C sit only where the chip has them;
pins that the module keeps for itself are free for nobody but its LED. Firmware, simulator, diagrams and documents read boards
through here or through what is made here, so they cannot differ.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOARDS = ROOT / "hw" / "boards"
FIRMWARE = ROOT / "firmware"
GPIO_MAX = 28
TAKEN_BY_MODULE = {23: "power save", 24: "VBUS sense", 29: "VSYS measurement"}
LED = 25
FUNCTIONS = {
    "uart0 tx": {0, 12, 16, 28},
    "uart0 rx": {1, 13, 17, 29},
    "uart1 tx": {4, 8, 20, 24},
    "uart1 rx": {5, 9, 21, 25},
    "i2c0 sda": {0, 4, 8, 12, 16, 20, 24, 28},
    "i2c0 scl": {1, 5, 9, 13, 17, 21, 25, 29},
    "i2c1 sda": {2, 6, 10, 14, 18, 22, 26},
    "i2c1 scl": {3, 7, 11, 15, 19, 23, 27},
}
"""RP2040 datasheet, section 1.4.3, table 2."""
LEVELS = ("in", "in pull-up", "out")


@dataclass(frozen=True, slots=True)
class Pin:
    """One pin. `use` is a function of FUNCTIONS or one of LEVELS; `active` ('high', 'low', '') is the level that means yes."""

    name: str
    gpio: int
    use: str
    active: str
    wire: str


@dataclass(frozen=True, slots=True)
class Board:
    """One kind of node board."""

    name: str
    title: str
    module: str
    pins: tuple[Pin, ...]


def boards(folder: Path = BOARDS) -> tuple[Board, ...]:
    """Every board, by name. ValueError that says everything wrong with one."""
    return tuple(read(path) for path in sorted(folder.glob("*.toml")))


def read(path: Path) -> Board:
    """One board's file. ValueError names file, pin and fault."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    pins = tuple(
        Pin(one["name"], one["gpio"], one["use"], one.get("active", ""), one["wire"]) for one in found.get("pin", ())
    )
    board = Board(found["board"], found["title"], found["module"], pins)
    wrong = faults(board)
    if wrong:
        raise ValueError("; ".join(f"{path.name}: {fault}" for fault in wrong))
    return board


def faults(board: Board) -> list[str]:
    """What cannot be built, one line each."""
    found = []
    by_gpio: dict[int, str] = {}
    by_name: dict[str, int] = {}
    by_use: dict[str, str] = {}
    for pin in board.pins:
        if pin.gpio in by_gpio:
            found.append(f"GPIO {pin.gpio} is used twice, by {by_gpio[pin.gpio]} and {pin.name}")
        if pin.name in by_name:
            found.append(f"{pin.name} is named twice, at GPIO {by_name[pin.name]} and {pin.gpio}")
        if pin.use in FUNCTIONS and pin.use in by_use:
            found.append(f"{pin.use} is used twice, by {by_use[pin.use]} and {pin.name}")
        by_gpio.setdefault(pin.gpio, pin.name)
        by_name.setdefault(pin.name, pin.gpio)
        by_use.setdefault(pin.use, pin.name)
        found += _impossible(pin)
    return found


def made(board: Board) -> str:
    """Text of firmware/pins_<board>.py; pins whose names end in 0, 1, 2, ... become one tuple."""
    title = f"Pin numbers of the board {board.name!r}, and the level that means yes if not 1."
    lines = [f'"""{title} Made from hw/boards by `python -m hw.pins`."""', ""]
    rows: dict[str, list[int]] = {}
    for pin in board.pins:
        stem, _, number = pin.name.rpartition("_")
        if number.isdigit():
            rows.setdefault(stem, []).append(pin.gpio)
            continue
        lines.append(f"{pin.name.upper()} = {pin.gpio}")
        if pin.active == "low":
            lines.append(f"{pin.name.upper()}_YES = 0")
    lines += [f"{stem.upper()}S = ({', '.join(map(str, gpios))})" for stem, gpios in rows.items()]
    return "\n".join(lines) + "\n"


def target(board: Board) -> Path:
    """Where the firmware has this board's pins."""
    return FIRMWARE / f"pins_{board.name}.py"


def _impossible(pin: Pin) -> list[str]:
    if not 0 <= pin.gpio <= GPIO_MAX or pin.gpio in TAKEN_BY_MODULE:
        why = TAKEN_BY_MODULE.get(pin.gpio, "not on the module")
        return [f"{pin.name}: GPIO {pin.gpio} cannot be used ({why})"]
    if pin.gpio == LED and pin.name != "led":
        return [f"{pin.name}: GPIO {LED} is the module's LED"]
    if pin.use in FUNCTIONS:
        return [] if pin.gpio in FUNCTIONS[pin.use] else [f"{pin.name}: GPIO {pin.gpio} has no {pin.use}"]
    if pin.use not in LEVELS:
        return [f"{pin.name}: unknown use {pin.use!r}"]
    if pin.active not in ("high", "low"):
        return [f"{pin.name}: say which level means yes"]
    return []


def main() -> None:
    """Write the firmware's pin files."""
    for board in boards():
        target(board).write_text(made(board), encoding="utf-8")


if __name__ == "__main__":
    main()
