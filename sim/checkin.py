"""Check-ins over the whole line: a front desk, a broker, the city, and a real gateway at its buses, each a process of its own.

Owns putting them together and the measurement: from the desk's message until the city says, by the gateway's record, that the
guest's parking is in force there. Knows the gateway only by its command line. A check-in that is not done in time is an error.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from sim.city_verifier import ChainKey
from sim.clock import Base, real_ms
from sim.desk import FrontDesk, Guest, ask
from sim.field import Field
from sim.processes import Child, city_child, make_broker
from sim.site import SEEDS, BrokerAccess, LotSpec, Site

LIMIT_S = 30
"""What a guest may wait at the desk."""
DAY_MS = 24 * 3_600_000
DESK = "hotel-1"
BAYS = 32


class CheckIns:
    """A front desk in front of a running line; `measure` makes one check-in."""

    def __init__(self, desk: FrontDesk, key: Ed25519PrivateKey, chain: str) -> None:
        self._desk = desk
        self._key = key
        self._chain = chain
        self._number = 0

    def measure(self) -> float:
        """One check-in of a new guest: milliseconds until it is done. RuntimeError if it is refused or takes too long."""
        self._number += 1
        id_, now_ms = f"{self._number:06}-{secrets.token_hex(4)}", time.time_ns() // 1_000_000
        guest = Guest(f"blue 浙A{self._number:05}", now_ms, now_ms + DAY_MS)
        expires_ms = now_ms + LIMIT_S * 1000
        message = ask(self._key, desk=DESK, id_=id_, chain=self._chain, guest=guest, expires_ms=expires_ms)
        begun_s = time.perf_counter()
        answer = self._desk.settle(id_, message, LIMIT_S)
        took_ms = (time.perf_counter() - begun_s) * 1000
        if answer is None or answer["state"] != "done":
            raise RuntimeError(f"check-in {id_} was not done within {LIMIT_S} s: {answer}")
        return took_ms


@contextlib.asynccontextmanager
async def line(folder: Path) -> AsyncIterator[CheckIns]:
    """Everything from the desk to the gateway's buses, running in `folder`; ended on leaving."""
    site = Site(folder, LotSpec.load(SEEDS / "lots" / "demo" / "lot.toml"), BAYS)
    field = Field(site, Base(real_ms(), time.time_ns() // 1_000_000, 1))
    broker, access = make_broker("embedded", site)
    site.prepare((), access, {name: port.slave for name, port in field.ports.items()})
    key = Ed25519PrivateKey.generate()
    _let_in(site, key)
    city = city_child(site)
    gateway = Child([sys.executable, "-m", "gateway", "run", "--config", str(site.config)], folder / "gateway.log")
    mover = asyncio.create_task(field.move())
    try:
        await asyncio.to_thread(broker.start)
        city.start()
        gateway.start()
        desk = await asyncio.to_thread(_desk, site, access)
        try:
            yield CheckIns(desk, key, site.spec.gateway)
        finally:
            desk.close()
    finally:
        await asyncio.to_thread(gateway.stop)
        city.stop()
        broker.stop()
        mover.cancel()


def _let_in(site: Site, key: Ed25519PrivateKey) -> None:
    """Tell the city about the desk."""
    config = json.loads(site.city_config.read_text(encoding="utf-8"))
    public = base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    config["desks"] = {DESK: {"key": public, "chains": [site.spec.gateway]}}
    site.city_config.write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")


def _desk(site: Site, access: BrokerAccess) -> FrontDesk:
    public = load_pem_public_key(site.city_public.read_bytes())
    assert isinstance(public, Ed25519PublicKey)
    city = ChainKey(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return FrontDesk(DESK, site.spec.city, city, access)
