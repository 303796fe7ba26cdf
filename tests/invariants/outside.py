"""Checkers of what comes from outside, and of what the gateway owes to whoever stands at its barrier.

Each function is one invariant or a part of one, named by its number. Rules: it raises Broken or returns; it changes nothing
but what it must remember.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from tests.invariants.facts import Facts, must


def i08_another_body_is_refused(facts: Facts, lines: AbstractSet[int]) -> None:
    """What the city signed and nobody may believe stands as refused in the chain, under its number."""
    refused = {
        row[0]
        for row in facts.ask(
            "SELECT json_extract(line, '$.body.dn') FROM record WHERE json_extract(line, '$.type') = 'refused'"
        )
    }
    must(lines <= refused, f"the city's lines {sorted(lines - refused)[:5]} were not refused")


def i14_commands_run_once(facts: Facts, fresh: AbstractSet[tuple[str, int]]) -> None:
    """The counter of a key strictly rises; what ran was fresh: neither seen before, expired nor for another gateway."""
    for record in facts.look.records:
        if record.kind != "command":
            continue
        key, n, code = record.body["key"], record.body["n"], record.body["code"]
        must(code or (key, n) in fresh, f"record {record.n}: command {n} was obeyed, and was not fresh")
        must(
            code or n > facts.commands.get(key, 0),
            f"record {record.n}: command {n} came after {facts.commands.get(key)}",
        )
        if not code:
            facts.commands[key] = n


def i15_barrier_opens(lane: str, waited_ms: int, most_ms: int) -> None:
    """Disk full, errors, no power, no broker: whoever stands at an exit is let out in time."""
    must(waited_ms <= most_ms, f"{lane} was not opened for {waited_ms} ms")


def i16_nothing_stops_later_records(sent_n: int, city_n: int, told_dn: int, applied_dn: int) -> None:
    """What was there a while ago is through by now, up and down, whatever either side thought of it."""
    must(sent_n <= city_n, f"record {sent_n} did not come through, the city has {city_n}")
    must(told_dn <= applied_dn, f"line {told_dn} of the city did not come through, applied is {applied_dn}")
