"""The beginning of a run: the ledger is opened, its engine made, and the start written.

Owns the order: a hello newer than all before, the record key by the chain, memory from the ledger, the start record. What a
damaged ledger raises here makes the gateway run open. Refuses to know the event loop.
"""

from __future__ import annotations

import base64
import logging
import secrets
from dataclasses import dataclass
from importlib.metadata import version

from gateway.city_line import Nameplate
from gateway.config import Config
from gateway.core.memory import Rules
from gateway.core.platform_state import KeptPush
from gateway.core.record import SALT_BYTES
from gateway.engine import Engine, Identity, Outcome
from gateway.export import Statement, StatementError
from gateway.shell.clock import Clock
from gateway.shell.signer import Signer, load_keys, take_next
from gateway.store import starts
from gateway.store.journal import Journal
from gateway.store.starts import Starts

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """An engine that has written its start, and what the event loop asks the ledger once. `acked`: uid -> (log, seq)."""

    engine: Engine
    started: Outcome
    me: Nameplate
    acked: dict[str, tuple[int, int]]
    waiting: tuple[KeptPush, ...] = ()


def begin(config: Config, clock: Clock, rules: Rules, failed: int = 0) -> Begun:
    """Take up the ledger and write the start. `failed`: starts in a row that died, kept beside the hello.

    Raises KeyFileError, SchemaError or LedgerError, and `fallback.DAMAGE`.
    """
    journal = open_checked(config)
    hello = journal.next_hello(after=starts.load(config.gateway.data).hello)
    starts.keep(config.gateway.data, Starts(hello, failed))
    signer, successor = load_keys(config.gateway.key, journal.head().key)
    engine = Engine(
        identity=Identity(config.gateway.id, config.lot.id, version("lotgate")),
        lot=config.layout,
        rules=rules,
        journal=journal,
        signer=signer,
        salt=lambda: base64.b64encode(secrets.token_bytes(SALT_BYTES)).decode(),
        successor=successor,
        platform=config.hangzhou.lot() if config.hangzhou is not None else None,
    )
    started = engine.start(clock.moment())
    if successor is not None:
        take_next(config.gateway.key)
        signer = successor
    me = Nameplate(hello, journal.head().epoch, signer.key, rules.tariff, version("lotgate"), *_statement(config))
    return Begun(engine, started, me, journal.acked(), tuple(journal.platform.waiting()))


def _statement(config: Config) -> tuple[str, str]:
    """The city's word on the record key, for consoles; a gateway goes on without it, and only its replies prove less."""
    try:
        found = Statement.load(config.gateway.statement)
    except StatementError as error:
        log.warning("%s", error)
        return "", ""
    return found.line, base64.b64encode(found.signature).decode()


def open_journal(config: Config) -> Journal:
    """The ledger of this gateway, made if it is not there. Raises sqlite3.Error or OSError if it can't be written."""
    config.gateway.data.mkdir(parents=True, exist_ok=True)
    path = config.gateway.data / "ledger.db"
    return Journal(path, chain=config.gateway.id, instance=secrets.token_hex(8))


def open_checked(config: Config) -> Journal:
    """The ledger, if what was written since the last receipt is still there; else sqlite3.Error that names the record."""
    signer = Signer.load(config.gateway.key)
    journal = open_journal(config)
    journal.check(signer.made)
    return journal
