"""Checkers of the chain: what was written, what was seen outside, and what outlives a crash.

Each function is one invariant or a part of one, named by its number. Rules: it raises Broken or returns; it changes nothing
but what it must remember. Shares no code with the chain that it checks.
"""

from __future__ import annotations

import re
from typing import Any

from sim.city_verifier import Fault, leaf_hash, read_line
from tests.invariants.facts import Facts, must

PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][A-Z0-9]{5,6}")
LOOSE = """
SELECT name FROM pragma_table_list
WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'
"""
"""Tables of ours that take any type; those of the migrations' tool begin with an underscore."""


def i01_chain_is_whole(facts: Facts) -> None:
    """n contiguous from genesis, each previous hash and signature valid, each payload canonical."""
    n, leaf = facts.n, facts.leaf
    for record in facts.look.records:
        line = read_line(record.text, record.signature, facts.chain, facts.key)
        must(not isinstance(line, Fault), f"record {record.n}: {line}")
        assert not isinstance(line, Fault)
        must((line.n, line.prev) == (n + 1, leaf), f"record {record.n} does not follow record {n}")
        must((line.n == 1) == (line.type == "genesis"), f"record {record.n} is {line.type}")
        n, leaf = line.n, line.leaf


def i02_no_self_fork(facts: Facts, body: bytes) -> None:
    """What the city ever saw is byte-identical in the gateway's chain, and was committed before it left."""
    for n, text, signature in facts.lines_sent(body):
        must(n <= facts.n, f"record {n} was published, and {facts.n} are committed")
        must(leaf_hash(text) == facts.leaf_of(n), f"record {n} was published in other bytes than the ledger has")
        stored = facts.ask("SELECT line, signature FROM record WHERE n = ?", n)
        must(stored == [(text, signature)], f"record {n} was published other than it is stored")
        facts.published_n = max(facts.published_n, n)


def i03_acknowledged_survives(facts: Facts) -> None:
    """After any crash every record whose commit returned is there; what was not acknowledged is there whole or not at all."""
    head = facts.ask("SELECT n, line FROM record ORDER BY n DESC LIMIT 1") or [(0, "")]
    must(head[0][0] >= facts.n, f"{facts.n} records were committed, {head[0][0]} are left")
    must(facts.published_n <= facts.n, f"record {facts.published_n} was published and is gone")
    if facts.n:
        text = facts.ask("SELECT line FROM record WHERE n = ?", facts.n)[0][0]
        must(leaf_hash(text) == facts.leaf, f"record {facts.n} is another one after the crash")
    for record in facts.read().records:
        source = record.body.get("source")
        if source:
            must(_taken(facts, source), f"record {record.n} is there, and its event counts as not taken")


def i03_nothing_is_acknowledged_before_its_commit(facts: Facts, uid: str, log: int, seq: int) -> None:
    """What a node was told that it may forget is in the ledger."""
    rows = facts.ask("SELECT seq FROM node WHERE uid = ? AND log = ?", uid, log)
    must(seq <= (rows[0][0] if rows else 0), f"node {uid} was told {seq}, the ledger has {rows}")


def i04_city_head_is_a_prefix(facts: Facts) -> None:
    """The head that the city has is a record of this chain."""
    head = facts.head()
    must(head.n <= facts.n, f"the city has {head.n} records, we have {facts.n}")
    must(head.leaf == facts.leaf_of(head.n), f"the city's record {head.n} is another one than ours")
    must(not head.frozen, "the city has evidence of a fork")


def i05_receipts_move_forward(facts: Facts) -> None:
    """Receipts and lines from the city only move forward, never beyond what is committed, and nothing is pruned above them."""
    receipted, dn, first = facts.ask("SELECT receipted, dn, (SELECT min(n) FROM record) FROM chain")[0]
    must(facts.cursor <= (receipted, facts.cursor[1]), f"receipts went back from {facts.cursor[0]} to {receipted}")
    must(facts.cursor[1] <= dn, f"the city's lines went back from {facts.cursor[1]} to {dn}")
    must(receipted <= facts.n and dn <= facts.head().dn_last, f"cursors {receipted}, {dn} are beyond what there is")
    must((first or 1) <= receipted + 1, f"pruned up to {first}, receipted up to {receipted}")
    facts.cursor = (receipted, dn)


def no_plate_in_the_chain(facts: Facts) -> None:
    """No record holds what looks like a plate, in whatever member."""
    for record in facts.look.records:
        must(PLATE.search(record.text) is None, f"record {record.n} holds a plate")


def i12_time_is_marked(facts: Facts) -> None:
    """Wall time never below the previous record's without a step record; monotonic time in order within a boot."""
    before = facts.last
    for record in facts.look.records:
        now = record.content
        if before:
            stepped = record.kind == "clock" or before["type"] == "clock"
            must(now["wall"] >= before["wall"] or stepped, f"record {record.n}: the wall clock went back unmarked")
            must(now["boot"] != before["boot"] or now["mono"] >= before["mono"], f"record {record.n}: time went back")
        before = now


def i13_integers_and_one_currency(facts: Facts) -> None:
    """Integers only, and one currency in an epoch."""
    currency = facts.genesis.get("currency", "CNY")
    for record in facts.look.records:
        must(record.body.get("currency", currency) == currency, f"record {record.n} is in another currency")
        for name, value in record.body.items():
            must(not name.endswith(("_minor", "_ms")) or type(value) is int, f"record {record.n}: {name} is {value!r}")


def i13_schema_refuses(facts: Facts) -> None:
    """Every table is strict, and amounts are bound by the schema."""
    loose = facts.ask(LOOSE)
    must(not loose, f"tables that are not strict: {loose}")


def _taken(facts: Facts, source: dict[str, Any]) -> bool:
    rows = facts.ask("SELECT log, seq FROM node WHERE uid = ?", source["uid"])
    return bool(rows) and (rows[0][0] != source["log"] or rows[0][1] >= source["seq"])
