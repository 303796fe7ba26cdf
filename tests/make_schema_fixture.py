"""Makes a small ledger of today's schema for seeds/schema: python -m tests.make_schema_fixture seeds/schema/schema_1.db.

A fixture is made once, when its schema ships, and never again: it stands for the ledgers in the field.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.lots import HOUR_MS, SmallLot, plate


def main(target: Path) -> None:
    """Nine records: a stay that was paid, and a vehicle that is still inside."""
    with tempfile.TemporaryDirectory() as folder:
        lot = SmallLot(Path(folder))
        session = lot.enter()
        lot.step(lot.lease(session, 5000))
        lot.wait(2 * HOUR_MS)
        lot.step(lot.read("out"))
        lot.step(lot.passed("out"))
        lot.step(lot.payment(session, 700))
        lot.enter(plate("浙A00002"))
        lot.restart()
        lot.engine.close()
        shutil.copy(lot.path, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
