"""The demo's Hangzhou side: a platform with its own broker, keys and accounts, and what must be true at the end.

Owns the files and the two processes, and the absence in the middle. Rules: the drivers' agreements are with the platform alone;
at the end every bill is confirmed and paid, or in arrears, and both books agree stay by stay. Knows no product.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sim.broker import HOST, EmbeddedBroker, free_port
from sim.drivers import Driver
from sim.processes import Child

ACCESS, CODE, CLIENT = "demo-access", "DEMO0001", "demo-access"
ASK_EVERY = 5
AWAY_FROM, AWAY_TO = 0.15, 0.4
"""Shares of the cars that have left between which the platform is away."""
STATES = (
    "SELECT coalesce(platform_bill.bill, ''), session.state, session.amount_minor FROM session LEFT JOIN platform_bill"
)
STATES += " ON platform_bill.session = session.id AND NOT platform_bill.reversed"
DISCOUNT_EVERY = 7
DISCOUNT_FEN = 50


@dataclass(frozen=True, slots=True)
class Found:
    """The platform's books beside the gateway's ledger."""

    totals: Mapping[str, int]
    paid: int
    arrears: int
    apart: tuple[str, ...]


class HangzhouSite:
    """Everything of the platform in `folder`."""

    def __init__(self, folder: Path, lanes: Sequence[str], bays: int) -> None:
        self.folder = folder / "hangzhou"
        self.folder.mkdir()
        self.books = self.folder / "books.json"
        self._lanes = lanes
        self._bays = bays
        self._password = secrets.token_hex(12)
        self.broker = EmbeddedBroker(self.folder, username=ACCESS, password=self._password, version="v4")
        self._port = free_port()
        config = self.folder / "hangzhou.json"
        self._config = config
        self.process = Child(
            [sys.executable, "-m", "sim.hangzhou_process", "--config", str(config)], folder / "hangzhou.log"
        )

    def prepare(self, drivers: Sequence[Driver]) -> str:
        """Write the platform's files; the gateway's part of the configuration."""
        lot_private, lot_public = _pair()
        own_private, own_public = _pair()
        accounts = {
            driver.car.text: {
                "limit": driver.agreement.cap_minor,
                "pays": driver.agreement.pays,
                "discount": DISCOUNT_FEN if driver.number % DISCOUNT_EVERY == 0 else 0,
            }
            for driver in drivers
            if driver.agreement is not None
        }
        broker = {"host": self.broker.host, "port": self.broker.port, "username": ACCESS, "password": self._password}
        config = {"port": self._port, "broker": broker, "access": ACCESS, "code": CODE, "own": own_private}
        config |= {"lot": lot_public, "accounts": accounts, "books": str(self.books), "ask_every": ASK_EVERY}
        config |= {"doubled": True, "result_first": True}
        _write_private(self._config, json.dumps(config, ensure_ascii=False))
        _write_private(self.folder / "lot.key", lot_private + "\n")
        _write_private(self.folder / "secret", self._password + "\n")
        (self.folder / "city.pub").write_text(own_public + "\n", encoding="ascii")
        lanes = "\n".join(f'{lane} = "{number:02d}"' for number, lane in enumerate(self._lanes, 1))
        return f"""
[hangzhou]
profile = "stand-in"
base_url = "http://{HOST}:{self._port}"
access_id = "{ACCESS}"
parking_code = "{CODE}"
private_key = "hangzhou/lot.key"
city_key = "hangzhou/city.pub"
mqtt_host = "{self.broker.host}"
mqtt_port = {self.broker.port}
mqtt_client_id = "{CLIENT}"
mqtt_secret_file = "hangzhou/secret"
total_bays = {self._bays}
open_bays = {self._bays}
photos = "never"

[hangzhou.lanes]
{lanes}
"""

    def start(self) -> None:
        """Broker and platform."""
        self.broker.start()
        self.process.start()

    def stop(self) -> None:
        """Both end."""
        self.process.stop()
        self.broker.stop()

    def leave(self) -> None:
        """The platform is away: no port answers, nothing is pushed."""
        self.process.send(signal.SIGUSR1)

    def come_back(self) -> None:
        """It is there again."""
        self.process.send(signal.SIGUSR2)

    def quiet(self, ledger: Path, cars: int) -> bool:
        """Every car came and went for the platform too, every push was confirmed, every bill has its end there and here."""
        totals = self._read()["totals"]
        done = totals["recorded"] + totals["failed"] == totals["bills"]
        still = totals["ended"] == cars and not totals["unconfirmed"] and done
        return still and not any(state == "due" for _, state, _ in _states(ledger))

    def found(self, ledger: Path) -> Found:
        """Compare both books."""
        books = self._read()
        bills = {bill["bill"]: bill for bill in books["bills"]}
        states = _states(ledger)
        ours = {bill: (state, owed) for bill, state, owed in states if bill}
        apart = [
            f"{name}: {bill['owed']} {bill['status']} there, {ours.get(name)} here"
            for name, bill in bills.items()
            if ours.get(name) != (_end(bill), bill["owed"])
        ]
        apart += [f"{name} is {state} here and unknown there" for name, (state, _) in ours.items() if state == "due"]
        return Found(
            totals=books["totals"],
            paid=sum(state == "paid" for _, state, _ in states),
            arrears=sum(state == "arrears" for _, state, _ in states),
            apart=tuple(apart),
        )

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.books.read_text(encoding="utf-8"))
        return found


def failures(found: Found, cars: int) -> tuple[str, ...]:
    """What does not hold; empty if the platform's side may exit 0."""
    totals = found.totals
    checks = {
        f"{totals['visits']} visits at the platform, {totals['ended']} ended, of {cars}": (
            totals["visits"] == totals["ended"] == cars
        ),
        f"{len(found.apart)} bills differ: {'; '.join(found.apart[:3])}": not found.apart,
        f"{totals['unconfirmed']} pushes not confirmed": not totals["unconfirmed"],
        f"{totals['conflicts']} conflicts, {totals['rejected']} rejected, {totals['disorder']} out of order": not (
            totals["conflicts"] or totals["rejected"] or totals["disorder"]
        ),
        f"{totals['bills']} bills, {totals['recorded']} recorded, {totals['failed']} failed": (
            totals["recorded"] + totals["failed"] == totals["bills"]
        ),
        "the platform was never away": totals["away"] > 0,
        "no bill went over the platform": totals["bills"] > 0,
    }
    return tuple(text for text, holds in checks.items() if not holds)


def table(found: Found) -> str:
    """The platform's part of the summary."""
    totals = found.totals
    rows = {
        "Hangzhou: visits told": f"{totals['visits']}, ended {totals['ended']}; away {totals['away']} time(s)",
        "Hangzhou: bills applied for": (
            f"{totals['bills']}: recorded as paid {totals['recorded']}, failed {totals['failed']}"
        ),
        "Hangzhou: ledger says": f"paid {found.paid}, in arrears {found.arrears}, bills apart {len(found.apart)}",
        "Hangzhou: repeats taken once": f"{totals['repeats']} calls; queries answered {totals['fees']}",
        "Hangzhou: unconfirmed pushes": str(totals["unconfirmed"]),
    }
    return "\n".join(f"  {name:<30}{value}" for name, value in rows.items())


def _end(bill: Mapping[str, Any]) -> str:
    """How a bill of the platform's books must have ended in the ledger; one that is discounted to nothing was never paid."""
    if bill["status"] != 1:
        return "arrears"
    return "paid" if bill["paid"] else "free"


def _states(ledger: Path) -> list[tuple[str, str, int]]:
    db = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    try:
        return [(str(bill), str(state), int(owed)) for bill, state, owed in db.execute(STATES)]
    finally:
        db.close()


def _pair() -> tuple[str, str]:
    """Base64 bodies of a fresh key pair of the size that the protocol's clients use."""
    key = generate_private_key(65537, 1024)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(private).decode(), base64.b64encode(public).decode()


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
