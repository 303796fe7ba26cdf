"""Texts of tariff files for tests: the shipped ones as they lie in seeds, and two made-up ones full of edges."""

from __future__ import annotations

from pathlib import Path

TARIFFS = Path(__file__).parent.parent / "seeds" / "tariffs"


def shipped_text(name: str) -> str:
    """The text of a shipped tariff."""
    return (TARIFFS / f"{name}.toml").read_text(encoding="utf-8")


NEW_YORK = """
format = "lotgate-tariff-1"
currency = "USD"
zone = "America/New_York"
zh = "夏令时"
en = "clock changes"
version_by = "entry"

[[version]]
from = 2026-01-01
class = [
  { vehicle = ["small"], energy = ["fuel"], plan = "day", times = 1 },
  { vehicle = ["large"], energy = ["fuel", "ev"], plan = "day", times = 3 },
  { vehicle = ["small"], energy = ["ev"], plan = "electric", times = 1 },
]

[plan.day]
durations = "elapsed"
seconds = "exact"
straddle = "restart"
free = { limit_min = 10, boundary = "exclusive", charged_from = "end", per = "visit", zh = "免费", en = "free" }
cap = [{ per = "24h-from-entry", next_period = "restart", amount_minor = 4500, zh = "封顶", en = "cap" }]

[[plan.day.band]]
from = "02:30"
to = "20:00"
[[plan.day.band.step]]
units = 3
unit_min = 20
tail_min = 5
tail_boundary = "exclusive"
amount_minor = 125
zh = "首段"
en = "first"
[[plan.day.band.step]]
units = "rest"
unit_min = 45
tail_min = 0
tail_boundary = "inclusive"
amount_minor = 210
zh = "其后"
en = "after"

[[plan.day.band]]
from = "20:00"
to = "01:30"
flat = { per = "band", tail_min = 7, tail_boundary = "exclusive", amount_minor = 800, zh = "夜", en = "night" }

[[plan.day.band]]
from = "01:30"
to = "02:30"
[[plan.day.band.step]]
units = "rest"
unit_min = 15
tail_min = 0
tail_boundary = "inclusive"
amount_minor = 333
zh = "凌晨"
en = "small hours"

[plan.electric]
durations = "elapsed"
seconds = "ceil"
free = { limit_min = 0, boundary = "inclusive", charged_from = "entry", per = "visit", zh = "免费", en = "free" }
cap = []
[[plan.electric.band]]
from = "00:00"
to = "24:00"
[[plan.electric.band.step]]
units = "rest"
unit_min = 10
tail_min = 3
tail_boundary = "inclusive"
amount_minor = 7
zh = "电动"
en = "electric"
"""
"""Bands that begin within the skipped and the repeated hour, every boundary, a cap that cuts units, two plans."""

ODD = (
    NEW_YORK.replace('version_by = "entry"', 'version_by = "exit"')
    .replace(
        "[plan.day]",
        """[[version]]
from = 2026-11-02
class = [{ vehicle = ["small", "large"], energy = ["fuel", "ev"], plan = "day", times = 2 }]

[plan.day]""",
    )
    .replace('seconds = "exact"', 'seconds = "truncate"')
    .replace('charged_from = "end"', 'charged_from = "entry"')
    .replace('per = "band"', 'per = "visit"')
)
"""The same with two versions, the exit deciding, and the other reading of each setting."""
