"""A capture of the whole system's bus, replayed through the real engine to text."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import BrokerPart, BusPart, CityPart, Config, GatewayPart, LotPart
from gateway.core.exit import WithoutLease
from gateway.replay import CaptureError, replay_lines
from tests.world import CHAIN, TARIFF, World

CARS = 5


def replayed(folder: Path, world: World, lines: list[str]) -> list[str]:
    (folder / "bus.capture").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "site.key").write_text(world.site_key.hex(), encoding="ascii")
    nowhere = folder / "nowhere"
    config = Config(
        path=folder / "gateway.toml",
        gateway=GatewayPart(CHAIN, nowhere, nowhere, nowhere),
        lot=LotPart("world", TARIFF, WithoutLease.OPEN_ARREARS),
        city=CityPart("world", nowhere),
        broker=BrokerPart("127.0.0.1", 1),
        buses=(BusPart("bus", "/dev/null", 115200, folder / "site.key", world.layout.buses["bus"]),),
    )
    return list(replay_lines(config, folder / "bus.capture"))


def test_a_capture_shows_every_car_and_no_plate(tmp_path: Path) -> None:
    world = World(8, tmp_path, cars=CARS)
    world.run()
    text = replayed(tmp_path, world, world.capture)
    for words, count in (
        ("event PlateRead", 2 * CARS),
        ('"type":"entry"', CARS),
        ('"type":"exit"', CARS),
        ("decided open exit", CARS),
        ("sent open entry-1", CARS),
        ("not read", 0),
    ):
        assert sum(words in line for line in text) == count, words
    plates = [stay.car.text for stay in world.truth.stays.values()]
    assert not [line for line in text for plate in plates if plate in line]


def test_the_same_capture_gives_the_same_bills(tmp_path: Path) -> None:
    world = World(9, tmp_path, cars=CARS)
    world.run()
    first, second = ([line for line in replayed(tmp_path, world, world.capture) if "decided" in line] for _ in range(2))
    assert first == second != []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("not json", "line 1 is no line of a capture"),
        ('{"t_ns": 1, "bus": "other", "dir": "rx", "hex": "00"}', "bus 'other' is not in"),
    ],
)
def test_a_bad_capture_is_answered(tmp_path: Path, line: str, told: str) -> None:
    world = World(10, tmp_path, cars=1)
    with pytest.raises(CaptureError, match=told):
        replayed(tmp_path, world, [line])
