"""`lotgate ctl sessions` and `bill` against a real gateway over Mosquitto, with a vehicle that has left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import Site
from tests.operating import ATTENDANT
from tests.test_commanding import operated
from tests.test_ctl_command import profile, run
from tests.test_run import arrive


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site("mosquitto", tmp_path_factory.mktemp("site"))
    found.broker.start()
    yield found
    found.broker.stop()


def test_a_stay_is_found_and_its_bill_explained(site: Site, tmp_path: Path) -> None:
    async def story() -> tuple[dict[str, object], str, str]:
        async with operated(site, tmp_path) as lot:
            path = profile(site, tmp_path, ATTENDANT)
            arrive(lot.lane.node)
            await lot.lane.until(lambda: bool(lot.records("exit")))
            shown = (await asyncio.to_thread(run, path, "sessions", "gw-1", "浙A12345"))[1]
            as_json = (await asyncio.to_thread(run, path, "sessions", "gw-1", "--which", "review", "--json"))[1]
            found = json.loads(as_json)
            session = found["stays"][0]["session"]
            return found, shown, (await asyncio.to_thread(run, path, "bill", "gw-1", session, "--language", "zh"))[1]

    found, shown, bill = asyncio.run(story())
    assert (found["verified"], found["currency"], found["state"]) == (True, "CNY", "done")
    assert "浙A12345 blue" in shown
    assert "in review" in shown
    assert "待核实" in bill
    assert "exit" in bill
