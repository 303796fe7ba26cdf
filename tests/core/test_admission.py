"""At the entry: a full lot, blocked plates, and what is told about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.core.commands import OpenBarrier, RaiseAlarm, ShowText
from gateway.core.entitlement import Entitlement, Kind, Policy, WhenFull
from gateway.core.plate import Plate
from gateway.engine import Outcome
from tests import entitled
from tests.entitled import BLUE
from tests.lots import HOUR_MS, START_MS, SmallLot, plate

OTHER = plate("沪B54321")


def opens(outcome: Outcome, lane: str = "in") -> bool:
    return OpenBarrier(lane) in outcome.commands


def shown(outcome: Outcome) -> list[str]:
    return [command.text for command in outcome.commands if isinstance(command, ShowText)]


@pytest.mark.parametrize(
    ("grants", "read", "open_", "text", "reason"),
    [
        ([],                                                        plate(), True,  "欢迎光临", None),
        ([entitled.house(2)],                                       plate(), True,  "欢迎光临", None),
        ([entitled.house(2, sign="限高2.0米")],                     plate(), True,  "限高2.0米", None),
        ([entitled.house(1)],                                       plate(), False, "车位已满 请稍候", "full"),
        ([entitled.house(1, WhenFull.OPEN)],                        plate(), True,  "欢迎光临", None),
        ([entitled.house(1, WhenFull.PERMITS)],                     plate(), False, "车位已满 请稍候", "full"),
        ([entitled.house(1, WhenFull.PERMITS), entitled.permit()],  plate(), True,  "欢迎光临", None),
        ([entitled.house(1, WhenFull.PERMITS), entitled.permit(to_ms=START_MS)], plate(), False, "车位已满 请稍候", "full"),
        ([entitled.house(1), entitled.permit()],                    plate(), False, "车位已满 请稍候", "full"),
        ([entitled.house(1), entitled.exemption("e1", BLUE)],       plate(), True,  "欢迎光临", None),
        ([entitled.block(Policy.BLOCK)],                            plate(), False, "暂不能入场 请联系管理员", "blocked"),
        ([entitled.block(Policy.ATTENDANT)],                        plate(), False, "请联系管理员", "attendant"),
        ([entitled.block(Policy.NOTIFY)],                           plate(), True,  "欢迎光临", None),
        ([entitled.block(Policy.NOTIFY), entitled.block(Policy.BLOCK, id_="k2")],
                                                       plate(), False, "暂不能入场 请联系管理员", "blocked"),
        ([entitled.block(Policy.BLOCK)],              plate(confidence=50), True,  "欢迎光临", None),
        ([entitled.block(Policy.BLOCK, plate=OTHER.identity)],      plate(), True,  "欢迎光临", None),
    ],
)  # fmt: skip
def test_who_may_come_in(
    tmp_path: Path, grants: list[Entitlement], read: Plate, open_: bool, text: str, reason: str | None
) -> None:
    lot = SmallLot(tmp_path)
    lot.enter(plate("浙A00009"))
    lot.step(*(lot.grant(one) for one in grants))
    done = lot.step(lot.read("in", read))
    assert (opens(done), shown(done)) == (open_, [text])
    away = [(line["body"]["reason"], line["body"]["inside"]) for line in lot.lines("turned-away")]
    assert away == ([] if reason is None else [(reason, 1)])


@pytest.mark.parametrize("policy", list(Policy))
def test_a_blocked_plate_is_told_once(tmp_path: Path, policy: Policy) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.block(policy)))
    done = lot.step(lot.read("in"))
    assert [command.alarm for command in done.commands if isinstance(command, RaiseAlarm)] == ["blocked/in"]
    assert lot.last("alarm")["cause"] == f"{policy} by k1"
    again = lot.step(lot.read("in"))
    assert shown(again) == shown(done)
    assert len(lot.lines("alarm")) == 1


@pytest.mark.parametrize("grant", [entitled.house(0), entitled.block(Policy.ATTENDANT)])
def test_a_vehicle_that_was_barred_stays_barred_over_a_restart(tmp_path: Path, grant: Entitlement) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(grant))
    lot.step(lot.read("in"))
    assert not opens(lot.restart())
    assert not opens(lot.step(lot.read("in")))
    assert len(lot.lines("turned-away")) == 1


@pytest.mark.parametrize("behind", [False, True])
def test_a_barred_vehicle_that_backs_out_over_a_restart_bars_nobody_else(tmp_path: Path, behind: bool) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.block(Policy.BLOCK)))
    if behind:
        lot.step(lot.read("in", OTHER))
    lot.step(lot.read("in", behind=behind))
    assert opens(lot.restart()) is behind
    lot.step(lot.backed_out("in", behind=behind))
    lot.restart()
    if behind:
        lot.step(lot.passed("in"))
        assert lot.last("entry")["confidence"] == 99
    assert opens(lot.step(lot.read("in", plate("京C99999"))))


def test_an_attendant_opens_by_hand(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.block(Policy.ATTENDANT)))
    session = lot.enter()
    assert lot.rows(f"SELECT state FROM session WHERE id = '{session}'") == [("inside",)]
    assert opens(lot.step(lot.read("in", OTHER)))


def test_who_waits_before_a_full_lot_enters_when_there_is_room(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.enter(OTHER)
    lot.step(lot.grant(entitled.house(1)))
    assert not opens(lot.step(lot.read("in")))
    lot.wait(HOUR_MS)
    assert opens(lot.step(lot.read("out", OTHER)))
    assert opens(lot.restart()) is True
    lot.step(lot.passed("in"))
    assert lot.engine.memory.inside == 1


def test_who_waits_enters_when_the_house_opens(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.house(0)))
    assert not opens(lot.step(lot.read("in")))
    assert opens(lot.step(lot.withdraw(Kind.RULES, "r1")))


def test_a_vehicle_on_its_way_in_counts(tmp_path: Path) -> None:
    lot = SmallLot(tmp_path)
    lot.step(lot.grant(entitled.house(1)))
    assert opens(lot.step(lot.read("in")))
    done = lot.step(lot.read("in"))
    assert opens(done)
    lot.step(lot.passed("in"))
    assert not opens(lot.step(lot.read("in", OTHER)))
    lot.step(lot.backed_out("in"))
    assert opens(lot.step(lot.grant(entitled.house(9, id_="r2")), lot.read("in", OTHER)))
