"""A table of a tariff file that is read key by key and refuses whatever it was not asked to hold.

Owns the refusal, which names file, key, value and remedy. Refuses to know what the keys mean: `tariff_file` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

ROWS_MAX = 100
"""Versions of one file, or classes of one version."""

Choice = TypeVar("Choice", bound=StrEnum)
Kind = TypeVar("Kind")


class TariffError(ValueError):
    """A tariff file that cannot be used: which file, which key, the value found there, and what to write instead."""

    def __init__(self, file: str, key: str, value: object, remedy: str) -> None:
        super().__init__(f"tariff file {file}: {key} = {value!r}: {remedy}")
        self.file, self.key, self.value, self.remedy = file, key, value, remedy


class Table:
    """One table, which stands at `path` in the file; `keys` lists, by kind of table, which keys it may hold."""

    def __init__(
        self, file: str, path: str, content: Mapping[str, object], keys: Mapping[str, Sequence[str]], *, kind: str
    ) -> None:
        self.file, self.path, self.content, self.keys = file, path, content, keys
        for key, value in content.items():
            if key not in keys[kind]:
                raise self.wrong(key, value, f"remove it; the keys here are {', '.join(keys[kind])}")

    def wrong(self, key: str, value: object, remedy: str) -> TariffError:
        """The refusal of a value of this table."""
        return TariffError(self.file, self._path(key), value, remedy)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.content

    def value(self, key: str, kind: type[Kind], want: str) -> Kind:
        """The value of a required key of exactly this type (a boolean is no integer); `want` is the remedy."""
        if key not in self.content:
            raise self.wrong(key, "missing", f"write {want}")
        found = self.content[key]
        if not isinstance(found, kind) or type(found) is not kind:
            raise self.wrong(key, found, f"write {want}")
        return found

    def text(self, key: str) -> str:
        """A required text."""
        return self.value(key, str, "text in quotes")

    def only(self, key: str, allowed: str) -> None:
        """A required text that has one legal value, written so that the file says it."""
        if self.text(key) != allowed:
            raise self.wrong(key, self.content[key], f'write "{allowed}", the only reading known so far')

    def integer(self, key: str, least: int, most: int, or_else: str = "") -> int:
        """A required integer within a range; `or_else` adds to the remedy what else the caller accepts."""
        want = f"a whole number from {least} to {most}{or_else}"
        found = self.value(key, int, want)
        if not least <= found <= most:
            raise self.wrong(key, found, f"write {want}")
        return found

    def choice(self, key: str, choices: type[Choice]) -> Choice:
        """A required text that names a member."""
        return self._chosen(key, self.text(key), choices)

    def choices(self, key: str, choices: type[Choice]) -> list[Choice]:
        """A required list of texts that name members."""
        return [self._chosen(key, item, choices) for item in self.value(key, list, "a list in square brackets")]

    def texts(self, key: str) -> list[str]:
        """A required list of texts."""
        found = self.value(key, list, "a list in square brackets")
        for item in found:
            if not isinstance(item, str):
                raise self.wrong(key, item, "write text in quotes")
        return found

    def integers(self, key: str, least: int, most: int, count_max: int) -> list[int]:
        """A required list of 1 to `count_max` integers within a range."""
        found = self.value(key, list, "a list in square brackets")
        if not 1 <= len(found) <= count_max:
            raise self.wrong(key, f"{len(found)} numbers", f"write 1 to {count_max} of them")
        for item in found:
            if type(item) is not int or not least <= item <= most:
                raise self.wrong(key, item, f"write whole numbers from {least} to {most}")
        return found

    def clock(self, key: str, most: int) -> int:
        """A required time of day as minutes after midnight, up to `most`."""
        text = self.text(key)
        hours, colon, minutes = text.partition(":")
        if len(text) == 5 and colon and hours.isdecimal() and minutes.isdecimal() and text.isascii():
            minute = int(hours) * 60 + int(minutes)
            if int(minutes) < 60 and minute <= most:
                return minute
        raise self.wrong(key, text, f"HH:MM from 00:00 to {clock_text(most)}")

    def without(self, keys: Sequence[str], why: str) -> None:
        """Refuse keys that mean nothing here."""
        for key in keys:
            if key in self.content:
                raise self.wrong(key, self.content[key], f"leave it out: {why}")

    def _chosen(self, key: str, found: object, choices: type[Choice]) -> Choice:
        if not isinstance(found, str) or found not in list(choices):
            raise self.wrong(key, found, f"write {' or '.join(choices)}")
        return choices(found)

    def inner(self, key: str, kind: str) -> Table:
        """A required table below this one."""
        return self._below(key, self.value(key, dict, f"a table [{self._path(key)}]"), kind)

    def named(self, key: str, kind: str) -> dict[str, Table]:
        """The tables below a required table, by the names that the file gives them."""
        content = self.value(key, dict, f"a table [{self._path(key)}.NAME]")
        return {name: self._below(f"{key}.{name}", table, kind) for name, table in content.items()}

    def tables(self, key: str, kind: str, *, least: int = 1, most: int = ROWS_MAX) -> list[Table]:
        """A required list of tables."""
        rows = self.value(key, list, f"tables [[{self._path(key)}]]")
        if not least <= len(rows) <= most:
            raise self.wrong(key, f"{len(rows)} entries", f"write {least} to {most} of them")
        return [self._below(f"{key}[{index}]", row, kind) for index, row in enumerate(rows)]

    def _below(self, key: str, content: object, kind: str) -> Table:
        if not isinstance(content, dict):
            raise self.wrong(key, content, "write a table")
        return Table(self.file, self._path(key), content, self.keys, kind=kind)

    def _path(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def clock_text(minute: int) -> str:
    """A minute of the day as HH:MM."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
