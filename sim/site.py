"""The demo's site on disk: lot, keys, and the configuration files of the gateway and the city, all in one folder.

Owns who has which address, uid and key. Rules: keys are made afresh for every folder and files with secrets are private; the
gateway gets its own kind of configuration and nothing else. Knows no process.
"""

from __future__ import annotations

import base64
import json
import os
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sim.city import City
from sim.drivers import Driver

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
PORTS = 16
"""Bays of a node, unless its board has fewer."""
NODES_PER_BUS = 16
"""Bay nodes on one bus: more would make each of them wait longer than its quarter of a second."""
BAUD_BPS = 115_200
CITY_USER = "city"
CONSOLE_USER = "console"
CERTIFICATE_ENDS = (("certificate", "crt"), ("key", "key"))
OPERATOR_MS = 366 * 86_400_000
"""How long the demo's operator may command."""


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """One lane node. `role` is 'entry' or 'exit'."""

    address: int
    uid: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class BaySpec:
    """One bay node and the names of its bays, by port."""

    address: int
    uid: str
    bays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LotSpec:
    """The lot's file (seeds/lots/demo/lot.toml)."""

    id: str
    gateway: str
    city: str
    tariff: str
    tariff_overnight: str
    without_lease: str
    entries: int
    exits: int
    bays: int
    opens: str

    @classmethod
    def load(cls, path: Path) -> LotSpec:
        """Read it. TypeError for a key too many or too few."""
        return cls(**tomllib.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Login:
    """A client's user name and password; both empty if it has a certificate."""

    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """How gateway, city and console get at the broker; `pki` is the folder with their certificates, None for logins."""

    host: str
    port: int
    gateway: Login = Login()
    city: Login = Login()
    pki: Path | None = None
    console: Login = Login()


class Site:
    """The lot of `spec` with `bays` bays, in `folder`."""

    def __init__(self, folder: Path, spec: LotSpec, bays: int, ports: int = PORTS) -> None:
        self.folder = folder
        self.spec = spec
        self.config = folder / "gateway.toml"
        self.city_config = folder / "city.json"
        self.city_books = folder / "city.db"
        self.city_public = folder / "city.pub"
        self.operators = folder / "operators.json"
        self.ledger = folder / "data" / "ledger.db"
        names = [
            (f"{role}-{i}", role)
            for role, n in (("entry", spec.entries), ("exit", spec.exits))
            for i in range(1, n + 1)
        ]
        self.lanes = tuple(LaneSpec(a, _uid(a), name, role) for a, (name, role) in enumerate(names, 1))
        bay_names = [f"b{number:04d}" for number in range(1, bays + 1)]
        groups = [tuple(bay_names[i : i + ports]) for i in range(0, bays, ports)]
        nodes = [BaySpec(k % NODES_PER_BUS + 1, _uid(k + 101), group) for k, group in enumerate(groups)]
        self.bay_buses = tuple(tuple(nodes[i : i + NODES_PER_BUS]) for i in range(0, len(nodes), NODES_PER_BUS))
        self.site_key = os.urandom(16)
        self.agreed = True
        """Whether the drivers' agreements are with our own city; the platform of another protocol may have them instead."""
        self.part = ""
        """A part of the gateway's configuration that another protocol needs."""
        self.watching = ""
        """Arguments of `lotgate watch`, where the broker knows no difference between a gateway and a console."""
        self.console = folder / "console.toml"
        """Profile of the operator's console."""

    @property
    def bus_names(self) -> tuple[str, ...]:
        """The buses in the order of the configuration: the lanes' first."""
        return ("lanes", *(f"bays-{number}" for number in range(1, len(self.bay_buses) + 1)))

    def prepare(self, drivers: Sequence[Driver], broker: BrokerAccess, ports: Mapping[str, str]) -> None:
        """Write every file. `ports`: bus name to the gateway's device path."""
        (self.folder / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(self.folder / "site.key", self.site_key.hex() + "\n")
        city_key, record_key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        _write_private(self.folder / "city.key", _private_pem(city_key))
        _write_private(self.folder / "gateway.key", _private_pem(record_key))
        self.city_public.write_bytes(
            city_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        record_public = _raw(record_key.public_key())
        self._write_statement(city_key, record_public)
        _write_private(self.folder / "broker.password", broker.gateway.password + "\n")
        self._write_operator(broker)
        if broker.gateway == broker.city and broker.pki is None:
            login = f"--username {broker.gateway.user} --password-file {self.folder / 'broker.password'}"
            self.watching = f"--host {broker.host} --port {broker.port} --city {self.spec.city} {login}"
        self.config.write_text(self._gateway_toml(broker, ports) + self.part, encoding="utf-8")
        _write_private(
            self.city_config, json.dumps(self._city_json(drivers, broker, record_public), ensure_ascii=False)
        )

    def _write_operator(self, broker: BrokerAccess) -> None:
        """An operator with every right: key, place in the city's list, and profile of a console."""
        key = Ed25519PrivateKey.generate()
        _write_private(self.folder / "operator.pem", _private_pem(key))
        entry = {
            "pub": base64.b64encode(_raw(key.public_key())).decode(),
            "name": "demo operator",
            "roles": ["admin"],
            "expires_ms": time.time_ns() // 1_000_000 + OPERATOR_MS,
        }
        listed = {"version": 1, "operators": [entry]}
        self.operators.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
        lines = ["[broker]", f'host = "{broker.host}"', f"port = {broker.port}"]
        if broker.pki is None:
            _write_private(self.folder / "console.password", broker.console.password + "\n")
            lines += [f'username = "{broker.console.user}"', 'password_file = "console.password"']
        else:
            lines += [f'ca = "{broker.pki / "ca.crt"}"']
            lines += [f'{part} = "{broker.pki / CONSOLE_USER}.{end}"' for part, end in CERTIFICATE_ENDS]
        lines += ["", "[city]", f'name = "{self.spec.city}"', 'public_key = "city.pub"']
        lines += ["", "[operator]", 'key = "operator.pem"']
        self.console.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _write_statement(self, city_key: Ed25519PrivateKey, record_public: bytes) -> None:
        """The city's word that the record key is this chain's."""
        chain = self.spec.gateway
        city = City(city_key, ":memory:", {chain: record_public}, {})
        line, signature = city.key_statement(chain, self.spec.id)
        city.store.close()
        statement = {"line": line, "sig": base64.b64encode(signature).decode()}
        (self.folder / "statement.json").write_text(json.dumps(statement), encoding="utf-8")

    def _gateway_toml(self, broker: BrokerAccess, ports: Mapping[str, str]) -> str:
        spec = self.spec
        lines = [
            "[gateway]",
            f'id = "{spec.gateway}"',
            'data = "data"',
            'key = "gateway.key"',
            'statement = "statement.json"',
            "",
            "[lot]",
            f'id = "{spec.id}"',
            f'tariff = "{spec.tariff}"',
            f'without_lease = "{spec.without_lease}"',
            "",
            "[city]",
            f'name = "{spec.city}"',
            'public_key = "city.pub"',
            "",
            "[broker]",
            f'host = "{broker.host}"',
            f"port = {broker.port}",
        ]
        if broker.pki is None:
            lines += [f'username = "{broker.gateway.user}"', 'password_file = "broker.password"']
        else:
            lines += [f'ca = "{broker.pki / "ca.crt"}"']
            lines += [f'certificate = "{broker.pki / (spec.gateway + ".crt")}"']
            lines += [f'key = "{broker.pki / (spec.gateway + ".key")}"']
        buses: list[Sequence[LaneSpec | BaySpec]] = [self.lanes, *self.bay_buses]
        for name, bus in zip(self.bus_names, buses, strict=True):
            lines += ["", "[[bus]]", f'name = "{name}"', f'port = "{ports[name]}"']
            lines += [f"baud_bps = {BAUD_BPS}", 'site_key = "site.key"']
            for node in bus:
                kind = "lane" if isinstance(node, LaneSpec) else "bays"
                lines += ["", f"[[bus.{kind}]]", f"address = {node.address}", f'uid = "{node.uid}"']
                if isinstance(node, LaneSpec):
                    lines += [f'lane = "{node.name}"', f'role = "{node.role}"']
                else:
                    lines += [f"bays = {json.dumps(node.bays)}"]
        return "\n".join(lines) + "\n"

    def _city_json(self, drivers: Sequence[Driver], broker: BrokerAccess, record_public: bytes) -> dict[str, object]:
        access: dict[str, object] = {"host": broker.host, "port": broker.port, "client_id": CITY_USER}
        if broker.pki is None:
            access |= {"username": broker.city.user, "password": broker.city.password}
        else:
            access |= {"ca": str(broker.pki / "ca.crt")}
            access |= {part: str(broker.pki / f"{CITY_USER}.{end}") for part, end in CERTIFICATE_ENDS}
        return {
            "broker": access,
            "city": self.spec.city,
            "key": str(self.folder / "city.key"),
            "store": str(self.city_books),
            "operators": str(self.operators),
            "chains": {self.spec.gateway: base64.b64encode(record_public).decode()},
            "agreements": {
                driver.car.identity: {"cap_minor": driver.agreement.cap_minor, "pays": driver.agreement.pays}
                for driver in drivers
                if driver.agreement is not None and self.agreed
            },
        }


def _uid(number: int) -> str:
    return f"{0x6C6F7400_00000000 + number:016x}"


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _private_pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
