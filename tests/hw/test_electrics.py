"""The electrical arithmetic against hand-made cases, the limits, and the tables of hw/README.md."""

from __future__ import annotations

import json

import pytest

from hw import electrics
from hw.pins import ROOT

README = (ROOT / "hw" / "README.md").read_text(encoding="utf-8")


def test_bias_of_a_bare_line_is_a_divider() -> None:
    bus = electrics.facts()["bus"] | {"bias_supply_min_v": 5.0, "unit_load_share": 0.0}
    assert electrics.bias(bus, 33).idle_mv == round(5000 * 60 / (60 + 2 * 470))
    assert electrics.bias(bus, 33).load_ohm == round(60 * 940 / (60 + 940), 1)


BUSES = [
    ({},                        33,  []),
    ({"bias_ohm": 560},         33,  ["239 mV at rest, 250 wanted"]),
    ({"bias_ohm": 330},         33,  ["drivers see 54.5 ohm, 55 at least"]),
    ({"unit_load_share": 1.0},  33,  ["drivers see 52.3 ohm, 54 at least", "33 unit loads, 32 at most"]),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "receivers", "told"), BUSES)
def test_a_segment_that_breaks_a_limit_is_named(changed: dict[str, float], receivers: int, told: list[str]) -> None:
    limits = {"load_ohm_min": 55} if changed.get("bias_ohm") == 330 else {}
    assert list(electrics.bias(electrics.facts()["bus"] | limits | changed, receivers).faults) == told


def test_one_node_at_the_end_of_a_wire_obeys_ohm() -> None:
    every = electrics.facts()
    found = electrics.branch("lane", every, 1)
    ohm = 2 * every["lane"]["feeder_m"] * every["supply"]["ohm_mm2_per_m"] / every["lane"]["mm2"]
    assert found.last_v == pytest.approx(24 - found.current_a * ohm, abs=0.06)
    assert found.last_v * found.current_a == pytest.approx(found.node_w, rel=0.01)


@pytest.mark.parametrize(("kind", "nodes", "told"), [
    ("lane", 2,  "4.67 A through a fuse of 4 A, 80 % at most"),
    ("bays", 16, "15.6 V at the last node, 19.2 at least"),
    ("bays", 99, "12.0 V at the last node, 19.2 at least"),
])  # fmt: skip
def test_a_branch_that_breaks_a_limit_is_named(kind: str, nodes: int, told: str) -> None:
    assert told in electrics.branch(kind, electrics.facts(), nodes).faults


def test_what_is_built_keeps_every_limit_and_the_readme_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert electrics.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for one in found["bias"]:
        assert f"| {one['receivers']} | {one['idle_mv']} mV | 250 mV | {one['load_ohm']} ohm | 54 ohm |" in README
    for one in found["branches"]:
        row = f"{one['nodes']} | {one['node_w']} W | {one['current_a']} A | {one['fuse_a']:g} A | {one['last_v']} V"
        assert f"| {one['kind']} | {row} | 19.2 V |" in README


def test_people_get_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert electrics.main([]) == 0
    assert "bus, 33 receivers: 282 mV at rest" in capsys.readouterr().out
