"""The gateway's bills against sim's for as many stays as wanted: python -m tests.soak_tariff --stays 100000 --seed 1."""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import dataclass, field

from tests.tariff_cases import engine_bill, grounds, stays, walked_minor

SEED = 20260302
DISAGREEMENTS_MAX = 20
"""Disagreements that are kept to be shown; the first one already fails the run."""
VARIANTS = 6
"""Random variants of the settings of each made-up tariff."""


@dataclass
class Comparison:
    """How many stays were priced both ways, of how many tariffs, and where the two differ, in words."""

    tariffs: int
    stays: int = 0
    owing: int = 0
    at_step: int = 0
    disagreements: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.stays} stays under {self.tariffs} tariffs, {self.at_step} of them within a second of a price step, "
            f"{self.owing} owe something: {len(self.disagreements)} disagreements"
        )


def compare(count: int, draw: random.Random, variants: int = VARIANTS) -> Comparison:
    """Price `count` stays both ways, spread over all tariffs."""
    fields = grounds(variants, draw)
    found = Comparison(len(fields))
    for index, ground in enumerate(fields):
        share = count // len(fields) + (index < count % len(fields))
        for stay in stays(ground, share, draw):
            bill, owed = engine_bill(ground, stay), walked_minor(ground, stay)
            assert bill.amount_minor == sum(line.amount_minor for line in bill.lines)
            found.stays += 1
            found.owing += owed > 0
            found.at_step += stay.at_step
            if bill.amount_minor != owed and len(found.disagreements) < DISAGREEMENTS_MAX:
                found.disagreements.append(f"{ground.tariff.name}: {stay}: gateway {bill.amount_minor}, walked {owed}")
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stays", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(argv)
    found = compare(options.stays, random.Random(options.seed))
    print("\n".join(found.disagreements))
    print(f"{found}; seed {options.seed}")
    return 1 if found.disagreements else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
