"""Who is asked at the exit, and what a block adds."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.commands import OpenBarrier, RaiseAlarm, ShowText
from gateway.core.entitlement import Entitlement, Policy, Way
from gateway.core.exit import WithoutLease
from tests import entitled
from tests.lots import HOUR_MS, SmallLot

ATTENDANT, PAY, OPEN = WithoutLease.ATTENDANT, WithoutLease.PAY_HERE, WithoutLease.OPEN_ARREARS
TRUSTED, FREE = entitled.standing(), entitled.benefit(Way.FREE)


def blocked(policy: Policy) -> Entitlement:
    return entitled.block(Policy.NOTIFY, policy)


@pytest.mark.parametrize(
    ("policy", "grants", "cap", "outcome", "open_", "text"),
    [
        (OPEN,      [],                                        None, "arrears",   True,  "请离场后补缴 7.00元"),
        (PAY,       [],                                        None, "pay-here",  False, "请扫码付费 7.00元"),
        (ATTENDANT, [],                                        None, "attendant", False, "请联系管理员 7.00元"),
        (ATTENDANT, [TRUSTED],                                 None, "standing",  True,  "先离场后付费 7.00元"),
        (PAY,       [TRUSTED],                                  700, "lease",     True,  "先离场后付费 7.00元"),
        (PAY,       [TRUSTED],                                  699, "standing",  True,  "先离场后付费 7.00元"),
        (OPEN,      [TRUSTED, blocked(Policy.BLOCK)],           700, "pay-here",  False, "请扫码付费 7.00元"),
        (OPEN,      [TRUSTED, blocked(Policy.ATTENDANT)],       700, "attendant", False, "请联系管理员 7.00元"),
        (OPEN,      [TRUSTED, blocked(Policy.NOTIFY)],          700, "lease",     True,  "先离场后付费 7.00元"),
        (OPEN,      [FREE, blocked(Policy.BLOCK)],             None, "free",      True,  "免费停车 一路平安"),
    ],
)  # fmt: skip
def test_the_order_of_asking(
    tmp_path: Path,
    policy: WithoutLease,
    grants: list[Entitlement],
    cap: int | None,
    outcome: str,
    open_: bool,
    text: str,
) -> None:
    lot = SmallLot(tmp_path, policy=policy)
    lot.step(*(lot.grant(one) for one in grants))
    session = lot.enter()
    if cap is not None:
        lot.step(lot.lease(session, cap))
    lot.wait(2 * HOUR_MS)
    done = lot.step(lot.read("out"))
    assert lot.last("exit")["outcome"] == outcome
    assert (OpenBarrier("out") in done.commands) is open_
    assert [command.text for command in done.commands if isinstance(command, ShowText)] == [text]
    alarms = [command.alarm for command in done.commands if isinstance(command, RaiseAlarm)]
    blocks = any(grant.id == "k1" for grant in grants)
    assert alarms == (["blocked/out"] if blocks else ["attendant/out"] if outcome == "attendant" else [])
    assert lot.last("exit").get("block") == ("k1" if blocks else None)
    if not open_:
        again = lot.step(lot.read("out"))
        assert [command.text for command in again.commands if isinstance(command, ShowText)] == [text]


@pytest.mark.parametrize(("grants", "released"), [([], 1), ([blocked(Policy.BLOCK)], 0)])
def test_a_lease_releases_who_is_held_but_not_past_a_block(
    tmp_path: Path, grants: list[Entitlement], released: int
) -> None:
    lot = SmallLot(tmp_path, policy=PAY)
    lot.step(*(lot.grant(one) for one in grants))
    session = lot.enter()
    lot.wait(2 * HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.lease(session, 5000))
    assert len(lot.lines("released")) == released
