"""The gateway's bills against sim's for as many stays as wanted: python -m tests.soak_tariff --stays 100000 --seed 1."""

from __future__ import annotations

import argparse
import random
import sys

from sim.bill import owed_minor
from tests.tariff_cases import grounds, stays

SEED = 20260302
DISAGREEMENTS_MAX = 20
"""Disagreements that are kept to be shown; the first one already fails the run."""


def compare(count: int, draw: random.Random) -> tuple[int, int, list[str]]:
    """Price `count` stays both ways; (stays compared, stays that owe something, disagreements in words)."""
    compared, nonzero, disagreements = 0, 0, list[str]()
    fields = grounds()
    for index, ground in enumerate(fields):
        share = count // len(fields) + (index < count % len(fields))
        for stay in stays(ground, share, draw):
            bill = ground.tariff.bill(stay.entry_ms, stay.exit_ms, stay.vehicle, stay.energy)
            owed = owed_minor(ground.text, stay.entry_ms, stay.exit_ms, stay.vehicle, stay.energy)
            assert bill.amount_minor == sum(line.amount_minor for line in bill.lines)
            compared += 1
            nonzero += owed > 0
            if bill.amount_minor != owed and len(disagreements) < DISAGREEMENTS_MAX:
                disagreements.append(f"{ground.tariff.name}: {stay}: gateway {bill.amount_minor}, walked {owed}")
    return compared, nonzero, disagreements


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stays", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(argv)
    compared, nonzero, disagreements = compare(options.stays, random.Random(options.seed))
    print("\n".join(disagreements))
    print(f"{compared} stays, {nonzero} of them owe something, {len(disagreements)} disagreements; seed {options.seed}")
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
