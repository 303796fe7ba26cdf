"""Who I am and where the broker is: one TOML file, so that a command is short.

Owns its form and its place. Rules: an unknown key is an error; paths in it are relative to it; secrets stand in files that it
names. Refuses to know what is done with it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORM: dict[str, dict[str, type]] = {
    "broker": {
        "host": str,
        "port": int,
        "username": str,
        "password_file": Path,
        "ca": Path,
        "certificate": Path,
        "key": Path,
    },
    "city": {"name": str, "public_key": Path},
    "operator": {"key": Path, "counters": Path},
}
NEEDED = ("broker.host", "city.name", "operator.key")


class ProfileError(Exception):
    """The profile can't be used; the text names the file, the key and the remedy."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the broker; with `ca` by TLS."""

    host: str
    port: int = 1883
    username: str = ""
    password: str = ""
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One operator at one city's broker; `counters` keeps the numbers of commands, `public_key` is the city's, if known."""

    path: Path
    access: Access
    city: str
    key: Path
    counters: Path
    public_key: Path | None = None

    @property
    def seen(self) -> Path:
        """Where the names of gateways and lanes are kept for completion."""
        return self.counters.with_suffix(".seen.json")

    @classmethod
    def load(cls, path: Path) -> Profile:
        """Read the file. Raises ProfileError."""
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ProfileError(
                f"{path}: {error.strerror}; write one (docs/CONSOLE.md) or name it by --profile"
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ProfileError(f"{path}: no TOML ({error}); correct it") from None
        found = _checked(path, table)
        broker = {name.partition(".")[2]: value for name, value in found.items() if name.startswith("broker.")}
        password_file = broker.pop("password_file", None)
        try:
            password = password_file.read_text(encoding="utf-8").strip() if password_file else ""
        except OSError as error:
            raise ProfileError(f"{path}: broker.password_file = '{password_file}': {error.strerror}") from None
        return cls(
            path,
            Access(**broker, password=password),
            found["city.name"],
            found["operator.key"],
            found.get("operator.counters", path.parent / "counters.json"),
            found.get("city.public_key"),
        )


def _checked(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    """The values by 'section.name', paths made whole."""
    found: dict[str, Any] = {}
    for section, members in table.items():
        form = FORM.get(section)
        if form is None or not isinstance(members, dict):
            raise ProfileError(f"{path}: {section}: unknown; there are {', '.join(FORM)}")
        for name, value in members.items():
            kind = form.get(name)
            if kind is None:
                raise ProfileError(f"{path}: {section}.{name}: unknown; there are {', '.join(form)}")
            if type(value) is not (str if kind is Path else kind):
                raise ProfileError(
                    f"{path}: {section}.{name} = {value!r}: must be {'text' if kind is not int else 'a number'}"
                )
            found[f"{section}.{name}"] = path.parent / str(value) if kind is Path else value
    missing = [name for name in NEEDED if not found.get(name)]
    if missing:
        raise ProfileError(f"{path}: {', '.join(missing)}: missing")
    return found
