"""What other gateways' users lost, in the small."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from tests import peers_backlog


def test_a_start_with_a_large_backlog_reads_a_bounded_part_of_it(tmp_path: Path) -> None:
    peaks = []
    for records in (500, 1500):
        folder = tmp_path / str(records)
        folder.mkdir()
        peers_backlog.make(folder, records)
        tracemalloc.start()
        waiting, spent_s = peers_backlog.start(folder)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert waiting == records + 3
        assert spent_s < 30
    assert peaks[1] < 1.1 * peaks[0]
