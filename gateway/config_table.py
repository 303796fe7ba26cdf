"""One table of the configuration file: typed reading, and the refusal of what nobody asked for.

Owns the words of its errors: file, key, value and remedy. Knows no key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class ConfigError(Exception):
    """The configuration can't be used; the text names file, key, value and remedy."""


class Table:
    """One table of the file; remembers which keys were read, so that the rest can be refused."""

    def __init__(self, path: Path, prefix: str, data: Mapping[str, Any]) -> None:
        self._path = path
        self._prefix = prefix
        self._data = data
        self._read: set[str] = set()

    def __contains__(self, key: str) -> bool:
        # Asked for is known: an optional key belongs into the error's list even where the file lacks it.
        self._read.add(key)
        return key in self._data

    def error(self, key: str, value: object, remedy: str) -> ConfigError:
        """What is wrong with a value, as an error."""
        return ConfigError(f"{self._path}: {self._prefix}{key} = {value!r}: {remedy}")

    def finish(self) -> None:
        """Refuse every key that nobody asked for."""
        for key in self._data:
            if key not in self._read:
                known = ", ".join(sorted(self._read))
                raise self.error(key, self._data[key], f"unknown key; known here: {known}")

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self._take(key)
        if not isinstance(value, str) or not value:
            raise self.error(key, value, "must be a text that is not empty")
        return value

    def name(self, key: str) -> str:
        """A name: 1 to 32 plain characters."""
        return self._as_name(key, self.text(key))

    def names(self, key: str) -> list[str]:
        """A list of names."""
        value = self._take(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, value, "must be a list of names")
        return [self._as_name(key, item) for item in value]

    def uid(self, key: str) -> str:
        """A node's uid."""
        value = self.text(key)
        if not re.fullmatch(r"[0-9a-f]{16}", value):
            raise self.error(key, value, "must be the 16 hex digits that the node prints")
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        """A whole number within limits."""
        value = self._take(key)
        if type(value) is not int or not low <= value <= high:
            raise self.error(key, value, f"must be a whole number from {low} to {high}")
        return value

    def choice(self, key: str, choices: Mapping[str, Any]) -> Any:
        """The value of one of some words."""
        value = self.text(key)
        if value not in choices:
            raise self.error(key, value, f"must be one of {', '.join(choices)}")
        return choices[value]

    def flag(self, key: str) -> bool:
        """true or false."""
        value = self._take(key)
        if type(value) is not bool:
            raise self.error(key, value, "must be true or false")
        return value

    def integers(self, key: str) -> list[int]:
        """A list of whole numbers, which may be empty."""
        value = self._take(key)
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            raise self.error(key, value, "must be a list of whole numbers")
        return value

    def given(self) -> list[str]:
        """The keys that the file has here."""
        return list(self._data)

    def is_text(self, key: str) -> bool:
        """Whether a value is a text, where a table may stand too."""
        return isinstance(self._data.get(key), str)

    def path(self, key: str) -> Path:
        """A path, from the folder of the file."""
        return self._path.parent / self.text(key)

    def table(self, key: str) -> Table:
        """A table in this one."""
        value = self._take(key)
        if not isinstance(value, dict):
            raise self.error(key, value, f"must be a table, written [{key}]")
        return Table(self._path, f"{self._prefix}{key}.", value)

    def tables(self, key: str) -> list[Table]:
        """The tables of a list; none if the key is missing."""
        self._read.add(key)
        value = self._data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, value, f"must be a list of tables, written [[{self._prefix}{key}]]")
        return [Table(self._path, f"{self._prefix}{key}[{i}].", item) for i, item in enumerate(value)]

    def _take(self, key: str) -> Any:
        self._read.add(key)
        if key not in self._data:
            raise ConfigError(f"{self._path}: {self._prefix}{key} is missing; add it")
        return self._data[key]

    def _as_name(self, key: str, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", value):
            raise self.error(key, value, "must be 1 to 32 letters, digits, '.', '_' or '-'")
        return value
