"""Plans that must be refused: gaps and overlaps, keys that mean nothing together, totals that fall."""

from __future__ import annotations

import pytest

from gateway.core.tariff import load_tariff
from gateway.core.tariff_file import TariffError
from gateway.core.tariff_plan_file import REST_MIN
from tests.tariff_texts import made_up_text, shipped_text

PLAIN = shipped_text("plain-garage")
STREET = shipped_text("hangzhou-2014-street-core")
HDB = shipped_text("singapore-hdb")
GATWICK = shipped_text("gatwick-2021")
YEAR = made_up_text("year")
ROWS = made_up_text("overlap")
FALLING = made_up_text("fragments")
BAND_STEPS = STREET[STREET.index("[[plan.street.band.step]]") : STREET.index('[[plan.street.band]]\nfrom = "20:00"')]
STEP, REST = "plan.garage.band[0].step[0]", "plan.garage.band[0].step[1]"
ROW = "plan.rows.band[0].table[1]"
NINE_STEPS = BAND_STEPS.replace('"rest"', "1") * 4 + BAND_STEPS
DISCOUNT = '{ percent = 5, zh = "a", en = "b" }'
CAP = '{ per = "visit", amount_minor = 1, zh = "a", en = "b" }'


@pytest.mark.parametrize(
    ("text", "old", "new", "key", "remedy"),
    [
        (PLAIN, 'durations = "elapsed"', 'durations = "paid"', "plan.garage.durations", "elapsed or wall"),
        (PLAIN, 'durations = "elapsed"', 'durations = "wall"', "plan.garage.durations", 'falls = "allowed"'),
        (PLAIN, 'seconds = "truncate"', 'seconds = "round"', "plan.garage.seconds", "truncate or ceil or exact"),
        (PLAIN, 'seconds = "truncate"', 'second = "truncate"',
         "plan.garage.second", "the keys here are durations, seconds"),
        (PLAIN, 'seconds = "truncate"', 'seconds = "truncate"\nstraddle = "restart"',
         "plan.garage.straddle", "leave it out"),
        (STREET, 'straddle = "restart"', 'straddle = "split"',
         "plan.street.straddle", "restart or start-band or pro-rata"),
        (ROWS, 'seconds = "ceil"\nstraddle = "restart"', 'seconds = "ceil"\nstraddle = "pro-rata"', "plan.rows.straddle",
         "no length to divide by"),
        (STREET, 'straddle = "restart"', "", "plan.street.straddle", "text in quotes"),
        (STREET, "cap = []", "", "plan.street.cap", "tables [[plan.street.cap]]"),
        (STREET, "cap = []", "cap = [1]", "plan.street.cap[0]", "a table"),
        (STREET, "discount = []", "discount = [{ percent = 0, zh = 'a', en = 'b' }]",
         "plan.street.discount[0].percent", "1 to 100"),
        (STREET, "discount = []", f"discount = [{DISCOUNT}, {DISCOUNT}]", "plan.street.discount", "0 to 1"),
        (STREET, "lost = []", "", "plan.street.lost", "tables [[plan.street.lost]]"),
        (STREET, "lost = []", "lost = [{ amount_minor = -1, zh = 'a', en = 'b' }]",
         "plan.street.lost[0].amount_minor", "from 0"),
        # free time
        (PLAIN, "limit_min = 30", "limit_min = -1", "plan.garage.free.limit_min", "from 0 to 10080"),
        (PLAIN, "limit_min = 30", 'limit_min = "30"', "plan.garage.free.limit_min", "whole number"),
        (PLAIN, "limit_min = 30", "", "plan.garage.free.limit_min", "whole number"),
        (PLAIN, 'boundary = "inclusive"', 'boundary = "upto"', "plan.garage.free.boundary", "inclusive or exclusive"),
        (PLAIN, 'charged_from = "entry"', 'charged_from = "exit"', "plan.garage.free.charged_from", "entry or end"),
        (PLAIN, 'per = "visit"', 'per = "week"', "plan.garage.free.per", "visit or first-of-day or day or band"),
        (PLAIN, 'en = "free up to 30 minutes"', f'en = "{"a" * 41}"', "plan.garage.free.en", "1 to 40 UTF-8 bytes"),
        # bands
        (PLAIN, 'to = "24:00"', 'to = "23:00"', "plan.garage.band", "cover the day once"),
        (PLAIN, 'from = "00:00"', 'from = "24:00"', "plan.garage.band[0].from", '"00:00"'),
        (PLAIN, 'from = "00:00"', 'from = "0:00"', "plan.garage.band[0].from", "HH:MM"),
        (PLAIN, 'from = "00:00"', 'from = "00:60"', "plan.garage.band[0].from", "HH:MM"),
        (PLAIN, 'to = "24:00"', 'to = "24:01"', "plan.garage.band[0].to", "HH:MM"),
        (PLAIN, 'to = "24:00"', 'to = "00:00"', "plan.garage.band[0].to", "differs"),
        (PLAIN, 'to = "24:00"', 'to = "²4:00"', "plan.garage.band[0].to", "HH:MM"),
        (STREET, 'from = "20:00"', 'from = "21:00"', "plan.street.band", "the next begins at 21:00"),
        (STREET, 'from = "20:00"', 'from = "19:00"', "plan.street.band", "the next begins at 19:00"),
        (STREET, 'to = "08:00"', 'to = "07:59"', "plan.street.band", "the next begins at 08:00"),
        (STREET, BAND_STEPS, "", "plan.street.band[0].step", "either one flat table, or step tables"),
        (STREET, BAND_STEPS, "step = []\n\n", "plan.street.band[0].step", "1 to 100"),
        (STREET, "[plan.street.band.flat]", "[[plan.street.band.flat]]", "plan.street.band[1].flat", "a table"),
        (STREET, BAND_STEPS, NINE_STEPS, "plan.street.band", "at most 9 steps"),
        (STREET, 'to = "20:00"', 'to = "20:00"\ndays = ["sun"]', "plan.street.band[0].days", "the file names no days"),
        (YEAR, 'days = ["quiet"]', 'days = ["calm"]', "plan.year.band[4].days", "golden, busy, quiet, other"),
        (YEAR, 'days = ["quiet"]', "days = []", "plan.year.band[4].days", "golden, busy, quiet, other"),
        (YEAR, 'days = ["quiet"]', "", "plan.year.band[4].days", "a list"),
        (YEAR, 'days = ["quiet"]', 'days = ["other"]', "plan.year.band", "bands that cover every day"),
        (YEAR, 'days = ["busy"]', 'days = ["golden"]', "plan.year.band", "bands that cover the day once"),
        (YEAR, 'days = ["golden", "busy", "quiet", "other"]', 'days = ["golden", "busy", "quiet"]',
         "plan.evening.band", "bands that cover every day"),
        (YEAR, 'from = "08:00"\nto = "08:00"', 'from = "07:00"\nto = "07:00"',
         "plan.year.band", "a band that begins at 08:00"),
        (YEAR, 'from = "08:00"\nto = "08:00"', 'from = "08:00"\nto = "07:00"',
         "plan.year.band", "the next begins at 08:00"),
        # tables of totals
        (ROWS, "until_min = 100", "until_min = 35", f"{ROW}.until_min", "from 36"),
        (ROWS, "until_min = 100", 'until_min = "rest"', f"{ROW}.until_min", "whole number"),
        (ROWS, "total_minor = 333", "total_minor = -1", f"{ROW}.total_minor", "from 0"),
        (ROWS, "total_minor = 400", "total_minor = 100",
         "plan.rows.band[1].table[1].total_minor", "at least 150, the total before it"),
        (ROWS, '{ until_min = "rest", total_minor', "{ until_min = 90, total_minor",
         "plan.rows.band[1].table", '"rest" in the last row'),
        (FALLING, "cap = []", f"cap = [{CAP}]", "plan.all-day.cap", "cap = [] where a total falls"),
        # what a band charges
        (PLAIN, "units = 1", 'units = "rest"', f"{STEP}.units", "last step only"),
        (PLAIN, 'units = "rest"', "units = 5", f"{REST}.units", "last step only"),
        (PLAIN, 'units = "rest"', 'units = "all"', f"{REST}.units", 'or "rest"'),
        (PLAIN, "amount_minor = 500", "amount_minor = 5.00", f"{STEP}.amount_minor", "whole number"),
        (PLAIN, "amount_minor = 500", "amount_minor = -500", f"{STEP}.amount_minor", "from 0 to 10000000"),
        (PLAIN, "amount_minor = 500", "amount_minor = 10000001", f"{STEP}.amount_minor", "from 0 to 10000000"),
        (PLAIN, "amount_minor = 500", "amount = 500", f"{STEP}.amount", "remove it"),
        (PLAIN, "unit_min = 60", "unit_min = 0", f"{STEP}.unit_min", "from 1 to 10080"),
        (PLAIN, 'charge = "begun"', 'charge = "whole"', f"{STEP}.charge", "begun or prorated"),
        (PLAIN, 'charge = "begun"', 'charge = "prorated"', f"{STEP}.tail_min", "has no unit to drop"),
        (PLAIN, "tail_min = 0", "tail_min = 60", f"{STEP}.tail_min", "from 0 to 59"),
        (STREET, 'tail_min = 0\ntail_boundary = "inclusive"', 'tail_min = 0\ntail_boundary = "exclusive"',
         "plan.street.band[1].flat.tail_boundary", "never charged"),
        (STREET, 'flat]\nper = "visit"', 'flat]\nper = "night"', "plan.street.band[1].flat.per", "visit or band"),
        # caps
        (PLAIN, 'per = "from-entry"', 'per = "week"',
         "plan.garage.cap[0].per", "visit or band or calendar-day or from-entry"),
        (PLAIN, 'per = "from-entry"', 'per = "calendar-day"', "plan.garage.cap[0].begins", "text in quotes"),
        (PLAIN, 'per = "from-entry"\nperiod_min', 'per = "calendar-day"\nbegins = "00:00"\nperiod_min',
         "plan.garage.cap[0].period_min", "leave it out"),
        (PLAIN, "period_min = 1440", "period_min = 0", "plan.garage.cap[0].period_min", "from 1"),
        (PLAIN, "period_min = 1440", "", "plan.garage.cap[0].period_min", "whole number"),
        (PLAIN, "period_min = 1440", 'period_min = 1440\nband = "00:00"', "plan.garage.cap[0].band", "leave it out"),
        (PLAIN, 'next_period = "restart"', 'next_period = "again"',
         "plan.garage.cap[0].next_period", "restart or continue"),
        (PLAIN, 'stays = "one"', 'stays = "all"', "plan.garage.cap[0].stays", "one or plate"),
        (PLAIN, "amount_minor = 2000", 'amount_minor = "none"', "plan.garage.cap[0].amount_minor", '"open"'),
        (PLAIN, "amount_minor = 2000", "amount_minor = []", "plan.garage.cap[0].amount_minor", "1 to 10"),
        (PLAIN, "amount_minor = 2000", "amount_minor = [2000, -1]",
         "plan.garage.cap[0].amount_minor", "whole numbers from 0"),
        (HDB, "amount_minor = 500", "amount_minor = [500]", "plan.hdb.cap[0].amount_minor", "whole number"),
        (HDB, 'band = "22:30"', 'band = "22:00"', "plan.hdb.cap[0].band", "one of the bands"),
        (HDB, 'band = "22:30"', 'band = "22:30"\nstays = "one"', "plan.hdb.cap[0].stays", "leave it out"),
        (GATWICK, 'per = "visit"\namount', 'per = "visit"\nnext_period = "restart"\namount',
         "plan.forecourt.cap[0].next_period", "leave it out"),
    ],
)  # fmt: skip
def test_a_bad_plan_is_refused_by_name(text: str, old: str, new: str, key: str, remedy: str) -> None:
    assert old in text
    with pytest.raises(TariffError) as refused:
        load_tariff(text.replace(old, new, 1), "lot-7.toml")
    assert (refused.value.file, refused.value.key) == ("lot-7.toml", key)
    assert remedy in refused.value.remedy


def test_a_table_of_totals_is_read_into_units_of_their_own() -> None:
    plan = next(row.plan(600) for row in load_tariff(FALLING, "falling").rules.versions[1].classes.values())
    steps = plan.bands[0].charge
    assert isinstance(steps, tuple)
    assert [(step.units, step.unit_ms // 60_000, step.amount_minor) for step in steps] == [
        (1, 60, 180),
        (1, 60, 180),
        (1, 60, 180),
        (1, 60, 180),
        (1, REST_MIN, -20),
    ]


def test_a_minor_unit_is_divided_as_finely_as_the_plan_asks() -> None:
    shares = {
        name: {
            plan.shares for row in load_tariff(text, name).rules.versions[0].classes.values() for _, plan in row.plans
        }
        for name, text in {"plain": PLAIN, "hdb": HDB, "overlap": ROWS}.items()
    }
    assert shares == {"plain": {1}, "hdb": {30 * 60_000}, "overlap": {1, 60_000 * 25 * 9 * 2 * 7}}
