"""Quotes per second: python -m bench.tariff [--json].

Prices the same drawn stays under the most complex tariff of the tests (units over edges, four caps at once over several stays
of a plate, a discount), the year with its holidays, and two shipped ones. Prints the median of several rounds with the slowest
and the fastest; asserts nothing, since a shared machine decides the figure.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time

from tests.tariff_cases import Ground, Stay, engine_bill, grounds, stays

SEED = 20260302
STAYS = 2000
ROUNDS = 7
MEASURED = {
    "overlap": "most complex: four caps, stays of a plate, units over edges",
    "year": "holidays, seasons, prices by the time of entry",
    "hangzhou-2014-street-core": "a shipped tariff with two bands",
    "plain-garage": "one band and a cap",
}


def rounds(ground: Ground, drawn: list[Stay]) -> list[int]:
    """Quotes per second of each round."""
    found = []
    for _ in range(ROUNDS):
        began_ns = time.perf_counter_ns()
        for stay in drawn:
            engine_bill(ground, stay)
        found.append(len(drawn) * 10**9 // (time.perf_counter_ns() - began_ns))
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(argv)
    fields = {ground.tariff.name: ground for ground in grounds()}
    results = {}
    for name, what in MEASURED.items():
        drawn = list(stays(fields[name], STAYS, random.Random(SEED)))
        found = rounds(fields[name], drawn)
        middle = int(statistics.median(found))
        results[name] = {"quotes_per_s": middle, "least": min(found), "most": max(found), "what": what}
    if options.json:
        print(json.dumps({"stays": STAYS, "rounds": ROUNDS, "seed": SEED, "tariffs": results}))
        return 0
    print(f"quotes per second, median of {ROUNDS} rounds of {STAYS} stays; seed {SEED}")
    for name, row in results.items():
        print(f"{row['quotes_per_s']:>8}  ({row['least']} to {row['most']})  {name}: {row['what']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
