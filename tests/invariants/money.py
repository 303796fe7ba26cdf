"""Checkers of stays and their money.

Each function is one invariant or a part of one, named by its number. Rules: it raises Broken or returns; it changes nothing
but what it must remember. Prices are computed by the simulator's code, transitions are read from the document.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from gateway.core.rebuild import Rebuilt, differences
from gateway.core.session import Session
from tests.invariants.facts import Facts, must

SESSION_PAGE = Path(__file__).resolve().parents[2] / "docs" / "SESSION.md"
MOVES_A_STEP = 3
"""A read of the bus may end a stay, price it and settle it at once."""
TWICE_OPEN = """
SELECT disclosure.plate FROM session JOIN disclosure ON disclosure.n = session.plate_n
WHERE state IN ('inside', 'held') AND disclosure.plate NOT LIKE '% ' GROUP BY disclosure.plate HAVING count(*) > 1
"""
UNBALANCED = """
SELECT id FROM session LEFT JOIN (
    SELECT session, sum(amount_minor) AS owed FROM posting WHERE account = 'receivable' GROUP BY session
) p ON p.session = id
WHERE coalesce(owed, 0) <> amount_minor - lowered_minor - written_off_minor - paid_minor + refunded_minor
"""


def i06_postings_sum_to_zero(facts: Facts) -> None:
    """Postings sum to zero per record, and a stay's receivable is priced and corrected less settled and written off."""
    sums: Counter[int] = Counter()
    for posting in facts.look.postings:
        sums[posting.n] += posting.amount_minor
    must(not any(sums.values()), f"postings of records {[n for n, rest in sums.items() if rest]} leave a rest")
    for id_, session in facts.look.sessions.items():
        found = facts.ask(
            "SELECT coalesce(sum(amount_minor), 0) FROM posting WHERE session = ? AND account = 'receivable'", id_
        )[0][0]
        must(found == session.net_minor - session.kept_minor, f"stay {id_}: receivable {found}, {session}")


def i06_total_is_zero(facts: Facts) -> None:
    """All postings together sum to zero, and every stay balances."""
    must(facts.ask("SELECT coalesce(sum(amount_minor), 0) FROM posting")[0][0] == 0, "the postings leave a rest")
    odd = facts.ask(UNBALANCED)
    must(not odd, f"stays that do not balance: {odd[:3]}")


def i07_money_is_within_bounds(facts: Facts) -> None:
    """0 <= refunded <= paid; what was paid beyond a bill is due back; refunded stays net to zero; nothing is charged twice."""
    for record in facts.look.records:
        body, session = record.body, str(record.body.get("session", ""))
        if (record.kind == "exit" and body["outcome"] != "review") or record.kind == "attached":
            facts.prices[session] += 1
            must(facts.prices[session] == 1, f"record {record.n}: stay {session} has a second price")
        elif record.kind == "reversed":
            facts.prices[session] = 0
        elif record.kind == "refund-due":
            facts.claimed[session] += body["amount_minor"]
        elif record.kind == "refunded":
            facts.claimed[session] -= body["due_minor"]
        elif record.kind in ("paid", "cash"):
            id_ = str(body.get("payment") or body.get("cash"))
            must(id_ not in facts.payments, f"record {record.n}: payment {id_} counts a second time")
            facts.payments.add(id_)
    for id_, stay in facts.look.sessions.items():
        must(0 <= stay.refunded_minor <= stay.paid_minor, f"stay {id_}: {stay}")
        must(
            stay.credit_minor == facts.claimed[id_],
            f"stay {id_}: {stay.credit_minor} too much, {facts.claimed[id_]} claimed",
        )
        must(stay.state != "voided" or stay.net_minor == 0, f"stay {id_} is voided and not nothing")
        must(stay.state != "refunded" or stay.kept_minor == 0, f"stay {id_} is refunded and kept something")


def i08_listed_transitions_only(facts: Facts) -> None:
    """A stay moves only as the document lists."""
    for id_, stay in facts.look.sessions.items():
        before = facts.states.get(id_)
        if before is not None and before != stay.state:
            must(stay.state in _REACHED[before], f"stay {id_} went from {before} to {stay.state}")


def i08_repeats_change_nothing(facts: Facts) -> None:
    """Each event of a node makes at most one entry or exit."""
    for record in facts.look.records:
        source = record.body.get("source")
        if source and record.kind in ("entry", "exit"):
            key = (source["uid"], source["log"], source["seq"])
            must(key not in facts.sources, f"record {record.n}: the event {key} was written down before")
            facts.sources.add(key)


def i09_one_price_that_recomputes(facts: Facts) -> None:
    """A price is the sum of its lines, and the same when it is computed from the record alone."""
    for record in facts.look.records:
        body = record.body
        if record.kind not in ("exit", "attached") or body["outcome"] == "review":
            continue
        total = sum(line["amount_minor"] for line in body["lines"])
        must(
            total == body["amount_minor"], f"record {record.n}: lines make {total}, the bill is {body['amount_minor']}"
        )
        entry = facts.entries.get(body["session"]) or next(
            r.body for r in facts.look.records if r.kind == "entry" and r.body["session"] == body["session"]
        )
        again = facts.price(
            body["entered"], body["entered"] + body["elapsed_s"] * 1000, entry["vehicle"], entry["energy"]
        )
        lowered = any("kind" in line for line in body["lines"])
        must(lowered or again == total, f"record {record.n}: the bill is {total}, computed again {again}")


def i10_times_are_in_order(facts: Facts) -> None:
    """No exit before its entry, and no negative stay, across steps and boots."""
    for record in facts.look.records:
        body = record.body
        if record.kind == "exit" and "entered" in body:
            must(body["elapsed_s"] >= 0 and body["at"] >= body["entered"] - 1000, f"record {record.n}: {body}")


def i10_one_open_stay_a_plate(facts: Facts) -> None:
    """No plate has two open stays."""
    twice = facts.ask(TWICE_OPEN)
    must(not twice, f"plates inside twice: {twice}")


def i11_projections_equal_a_replay(facts: Facts) -> None:
    """The money of the touched stays and the new postings are what the records alone make."""
    for record in facts.look.records:
        facts.rebuilt.take(record.n, record.content["wall"], record.kind, record.body)
    part = Rebuilt(
        {id_: s for id_ in facts.look.sessions if (s := facts.rebuilt.sessions.get(id_))}, facts.rebuilt.postings
    )
    odd = differences(part, facts.look.sessions.values(), facts.look.postings)
    must(not odd, "; ".join(odd[:3]))


def i11_whole_replay(facts: Facts) -> None:
    """All stays are what the records alone make, and the city's copy of the chain is the same bytes."""
    found = facts.ask("SELECT id, state, amount_minor, paid_minor, refunded_minor, lowered_minor FROM session")
    ours = {row[0]: row[1:] for row in found}
    theirs = {id_: _brief(stay) for id_, stay in facts.rebuilt.sessions.items()}
    odd = [id_ for id_ in ours.keys() | theirs.keys() if ours.get(id_) != theirs.get(id_)]
    must(not odd, f"stays that differ from their records: {odd[:3]}")


def _brief(stay: Session) -> tuple[str | int, ...]:
    return str(stay.state), stay.amount_minor, stay.paid_minor, stay.refunded_minor, stay.lowered_minor


def _reached() -> dict[str, set[str]]:
    """State -> states that up to MOVES_A_STEP listed moves lead to."""
    direct: dict[str, set[str]] = defaultdict(set)
    for before, after in re.findall(r"^ +([a-z-]+) --> ([a-z-]+): ", SESSION_PAGE.read_text(encoding="utf-8"), re.M):
        direct[before].add(after)
    found = {state: set(nexts) for state, nexts in direct.items()}
    for _ in range(MOVES_A_STEP - 1):
        found = {state: nexts.union(*(direct[n] for n in nexts)) for state, nexts in found.items()}
    return defaultdict(set, found)


_REACHED = _reached()
