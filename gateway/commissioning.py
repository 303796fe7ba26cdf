"""Commissioning against the ledger: the shipped checklist, what was answered so far, and one answer more.

Owns the way of an answer into the chain: the stopped gateway's own engine writes it in one step under the record key, so that
it is chained, receipted and exported like any other. Rules: refused while another process has the ledger open; a gateway that
starts at the very moment makes one of the two commits fail, never a fork.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sqlite3
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files

from gateway.config import Config
from gateway.core.commissioning import Item, Question, questions
from gateway.core.events import Commissioned
from gateway.core.record import SALT_BYTES
from gateway.engine import Engine, Identity
from gateway.lot_rules import load_rules
from gateway.shell.clock import Clock
from gateway.shell.signer import load_keys, load_public
from gateway.store.in_use import in_use
from gateway.store.journal import Journal
from gateway.store.reader import Reader


class CommissioningError(Exception):
    """The answer can't be taken; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Checklist:
    """The shipped questions, and the hex SHA-256 of their file."""

    items: tuple[Item, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The newest answer to a question: record number, value, whether it passed, by whom."""

    n: int
    value: int
    passed: bool
    by: str


def checklist() -> Checklist:
    """The checklist that ships."""
    data = files("seeds").joinpath("commissioning").joinpath("checklist.toml").read_bytes()
    found = tomllib.loads(data.decode())["item"]
    items = tuple(
        Item(one["id"], one["per"], one["ask"], one.get("unit", ""), one.get("low", 1), one.get("high", 1))
        for one in found
    )
    return Checklist(items, hashlib.sha256(data).hexdigest())


def asked(config: Config) -> list[Question]:
    """What this lot has to answer."""
    return questions(checklist().items, config.layout)


def answered(config: Config) -> dict[str, Answered]:
    """Question's name -> its newest answer in the ledger. Raises ReaderError; a lot without a ledger has answered nothing."""
    path = config.gateway.data / "ledger.db"
    if not path.exists():
        return {}
    reader, found = Reader(path), {}
    try:
        for record in reader.records():
            content = json.loads(record.line)
            if content["type"] == "commissioned":
                body = content["body"]
                name = f"{body['item']}@{body['of']}"
                found[name] = Answered(record.n, body["value"], body["passed"], body["by"])
    finally:
        reader.close()
    return found


def parse(question: Question, text: str) -> int:
    """What a person said as a value. CommissioningError for anything but yes and no, or an integer where one is measured."""
    words = {"yes": 1, "no": 0} if not question.item.unit else {}
    if text in words:
        return words[text]
    try:
        if not question.item.unit:
            raise ValueError
        return int(text)
    except ValueError:
        wanted = f"an integer in {question.item.unit}" if question.item.unit else "yes or no"
        raise CommissioningError(f"{question.name}: {text!r} is no answer; give {wanted}") from None


def write(config: Config, clock: Clock, answers: list[tuple[Question, int]], *, by: str, note: str) -> int:
    """Put the answers into the ledger in one commit; the number of the last record.

    Begins the chain if there is none yet. Raises CommissioningError while the gateway runs; otherwise as a start does.
    """
    path = config.gateway.data / "ledger.db"
    if path.exists() and in_use(path):
        raise CommissioningError(f"{path}: another process has it open; stop the gateway first")
    try:
        return _step(config, clock, answers, by, note)
    except sqlite3.Error as error:
        raise CommissioningError(f"{path}: {error}; see with --list what was written") from None


def _step(config: Config, clock: Clock, answers: list[tuple[Question, int]], by: str, note: str) -> int:
    path = config.gateway.data / "ledger.db"
    rules = load_rules(config, load_public(config.city.public_key))
    config.gateway.data.mkdir(parents=True, exist_ok=True)
    journal = Journal(path, chain=config.gateway.id, instance=secrets.token_hex(8))
    head = journal.head()
    # A successor waits for the next run: handing over is no matter of commissioning.
    signer, _ = load_keys(config.gateway.key, head.key)
    journal.check(signer.made)
    engine = Engine(
        identity=Identity(config.gateway.id, config.lot.id, version("lotgate")),
        lot=config.layout,
        rules=rules,
        journal=journal,
        signer=signer,
        salt=lambda: base64.b64encode(secrets.token_bytes(SALT_BYTES)).decode(),
        platform=config.hangzhou.lot() if config.hangzhou is not None else None,
    )
    if not head.key:
        engine.start(clock.moment())
    sha256 = checklist().sha256
    events = [
        Commissioned(sha256, q.item.item, q.of, value, q.item.unit, q.item.good(value), by, note)
        for q, value in answers
    ]
    done = engine.step(events, clock.moment())
    engine.close()
    return done.head_n
