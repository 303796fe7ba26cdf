"""The gateway's configuration: one TOML file into frozen dataclasses.

Owns the keys. Rules: an unknown key is an error, as is a missing one; every error names the file, the key, the value and the
remedy; paths are taken from the folder of the file. Refuses to have defaults for anything that names a lot, money or a key.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.config_table import ConfigError, Table
from gateway.core.exit import WithoutLease
from gateway.core.layout import BayNode, LaneNode, LaneRole, Lot, Node
from gateway.core.memory import MAX_STAY_MS
from gateway.hangzhou_config import HangzhouPart, read_hangzhou

__all__ = ["ConfigError", "load_config"]

BAYS_PER_NODE_MAX = 16
ADDRESS_MAX = 127
HOUR_MS = 3_600_000
MAX_STAY_H = 366 * 24


@dataclass(frozen=True, slots=True)
class GatewayPart:
    """`data`: folder of the ledger; `key`: record key; `statement`: the city's signed word that the key is ours."""

    id: str
    data: Path
    key: Path
    statement: Path


@dataclass(frozen=True, slots=True)
class LotPart:
    """`tariff`, `calendar`: shipped names or paths, the calendar '' if none; `without_lease`: what happens at the exit when no
    lease covers the bill.

    `max_stay_h`: hours after which an open stay counts as a ghost. The lot's operator sets it: a mall closes at night, an
    airport's guests stay for weeks.
    """

    id: str
    tariff: str
    without_lease: WithoutLease
    calendar: str = ""
    max_stay_h: int = MAX_STAY_MS // HOUR_MS


@dataclass(frozen=True, slots=True)
class CityPart:
    """`name` is its part of every topic; `public_key` the PEM file of its Ed25519 key."""

    name: str
    public_key: Path


@dataclass(frozen=True, slots=True)
class BrokerPart:
    """Where the broker is. With `ca` the connection is TLS; a password lies in a file, never here."""

    host: str
    port: int
    username: str = ""
    password_file: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def check_files(self) -> None:
        """Raise ConfigError for a file that is named here and can't be read."""
        files = {
            "password_file": self.password_file,
            "ca": self.ca,
            "certificate": self.certificate,
            "key": self.key,
        }
        for name, path in files.items():
            try:
                if path is not None:
                    path.read_bytes()
            except OSError as error:
                raise ConfigError(f"broker.{name} = {str(path)!r}: {error.strerror}; put the file there") from None


@dataclass(frozen=True, slots=True)
class BusPart:
    """One serial bus: its device by a stable name, its speed, and the file with the site key (32 hex digits)."""

    name: str
    port: str
    baud_bps: int
    site_key: Path
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file."""

    path: Path
    gateway: GatewayPart
    lot: LotPart
    city: CityPart
    broker: BrokerPart
    buses: tuple[BusPart, ...]
    hangzhou: HangzhouPart | None = None

    @property
    def layout(self) -> Lot:
        """The lot as built."""
        return Lot(self.lot.id, {bus.name: bus.nodes for bus in self.buses})


def load_config(path: Path) -> Config:
    """Read and check the file. Raises ConfigError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; name the configuration with --config") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}; correct its permissions or --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no TOML: {error}") from None
    table = Table(path, "", data)
    config = Config(
        path=path,
        gateway=_gateway(table.table("gateway")),
        lot=_lot(table.table("lot")),
        city=_city(table.table("city")),
        broker=_broker(table.table("broker")),
        buses=tuple(_bus(bus) for bus in table.tables("bus")),
        hangzhou=read_hangzhou(table.table("hangzhou")) if "hangzhou" in table else None,
    )
    table.finish()
    _check_unique(config)
    if config.hangzhou is not None:
        config.hangzhou.check_lanes(path, config.layout.lanes)
    return config


def _gateway(table: Table) -> GatewayPart:
    part = GatewayPart(table.name("id"), table.path("data"), table.path("key"), table.path("statement"))
    table.finish()
    return part


def _lot(table: Table) -> LotPart:
    policy = table.choice("without_lease", {str(p): p for p in WithoutLease})
    calendar = table.text("calendar") if "calendar" in table else ""
    max_stay_h = table.integer("max_stay_h", 1, MAX_STAY_H) if "max_stay_h" in table else MAX_STAY_MS // HOUR_MS
    part = LotPart(table.name("id"), table.text("tariff"), policy, calendar, max_stay_h)
    table.finish()
    return part


def _city(table: Table) -> CityPart:
    part = CityPart(table.name("name"), table.path("public_key"))
    table.finish()
    return part


def _broker(table: Table) -> BrokerPart:
    part = BrokerPart(
        table.text("host"),
        table.integer("port", 1, 65535),
        table.text("username") if "username" in table else "",
        table.path("password_file") if "password_file" in table else None,
        table.path("ca") if "ca" in table else None,
        table.path("certificate") if "certificate" in table else None,
        table.path("key") if "key" in table else None,
    )
    table.finish()
    for key, needed in (
        ("certificate", "key"),
        ("key", "certificate"),
        ("certificate", "ca"),
        ("password_file", "username"),
    ):
        if key in table and needed not in table:
            raise table.error(key, table.text(key), f"is of no use without {needed}; add it")
    return part


def _bus(table: Table) -> BusPart:
    nodes: list[Node] = [_lane(lane) for lane in table.tables("lane")]
    nodes += [_bays(bays) for bays in table.tables("bays")]
    part = BusPart(
        table.name("name"),
        table.text("port"),
        table.integer("baud_bps", 1200, 4_000_000),
        table.path("site_key"),
        tuple(nodes),
    )
    if not nodes:
        raise table.error("lane", [], "a bus needs at least one [[bus.lane]] or [[bus.bays]]")
    table.finish()
    return part


def _lane(table: Table) -> LaneNode:
    role = table.choice("role", {str(r): r for r in LaneRole})
    node = LaneNode(table.integer("address", 1, ADDRESS_MAX), table.uid("uid"), table.name("lane"), role)
    table.finish()
    return node


def _bays(table: Table) -> BayNode:
    bays = tuple(table.names("bays"))
    if not 1 <= len(bays) <= BAYS_PER_NODE_MAX:
        raise table.error("bays", len(bays), f"a bay node serves 1 to {BAYS_PER_NODE_MAX} bays")
    node = BayNode(table.integer("address", 1, ADDRESS_MAX), table.uid("uid"), bays)
    table.finish()
    return node


def _check_unique(config: Config) -> None:
    nodes = [node for bus in config.buses for node in bus.nodes]
    lanes = [node.lane for node in nodes if isinstance(node, LaneNode)]
    groups: list[tuple[str, list[Any]]] = [
        ("bus.name", [bus.name for bus in config.buses]),
        ("uid", [node.uid for node in nodes]),
        ("lane", lanes),
        ("bays", list(config.layout.bays)),
        *((f"address on {bus.name}", [node.address for node in bus.nodes]) for bus in config.buses),
    ]
    for key, values in groups:
        twice = {value for value in values if values.count(value) > 1}
        if twice:
            raise ConfigError(f"{config.path}: {key}: {sorted(twice)[0]!r} is used twice; give each its own")
