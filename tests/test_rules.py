"""Rules that hold between modules: what was signed is what is sent, and a repeat bills nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from gateway.messages import Records
from gateway.sync.uplink import Uplink
from tests.lots import HOUR_MS, SmallLot
from tests.records import Chain


def test_the_stored_line_is_sent_and_not_its_content() -> None:
    # An older release may have spelled its lines otherwise: their signatures still cover that spelling.
    stored = [replace(r, line=json.dumps(json.loads(r.line), indent=1)) for r in Chain().fill(3).records]
    uplink = Uplink("c-1", 1)
    uplink.start(3, 0)
    uplink.connected(0)
    (body,) = uplink.batch(stored)
    message = Records.from_json(body)
    assert isinstance(message, Records)
    assert [signed.line for signed in message.signed] == [record.line for record in stored]


def test_a_repeated_exit_read_does_not_bill_the_next_stay(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter()
    lot.wait(9 * HOUR_MS)
    read, passed = lot.read("out"), lot.passed("out")
    lot.step(read)
    lot.step(passed)
    billed = lot.lines("exit")
    lot.enter()
    lot.wait(9 * HOUR_MS)
    assert lot.step(read).commands == ()
    lot.restart()
    assert lot.step(read, passed).acked == {}
    assert lot.lines("exit") == billed
    assert billed[0]["body"]["amount_minor"] > 0
