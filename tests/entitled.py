"""Entitlements with defaults: a test names only what it is about."""

from __future__ import annotations

from gateway.core.entitlement import (
    Benefit,
    Block,
    Exemption,
    LotExposure,
    LotRules,
    Permit,
    PermitKind,
    Policy,
    Shift,
    Standing,
    Suspension,
    Validation,
    Way,
    WhenFull,
)
from gateway.core.plate import Colour, Energy, Vehicle
from tests.lots import START_MS

BLUE = "blue 浙A12345"
FOREVER_MS = 2 * START_MS


def standing(
    id_: str = "s1", plate: str = BLUE, *, cap: int = 5000, exposure: int = 9000, to_ms: int = FOREVER_MS
) -> Standing:
    return Standing(id_, plate, cap, exposure, to_ms)


def lot_exposure(cap: int, id_: str = "x1") -> LotExposure:
    return LotExposure(id_, cap)


def suspension(id_: str = "u1", plate: str = BLUE) -> Suspension:
    return Suspension(id_, plate)


def permit(
    id_: str = "p1",
    *plates: str,
    spaces: int = 1,
    kind: PermitKind = PermitKind.MONTHLY,
    shifts: tuple[Shift, ...] = (),
    from_ms: int = 0,
    to_ms: int = FOREVER_MS,
) -> Permit:
    return Permit(id_, plates or (BLUE,), spaces, kind, "Asia/Shanghai", shifts, from_ms, to_ms)


def exemption(id_: str = "e1", *plates: str, mark: str = "", colour: Colour = Colour.WHITE) -> Exemption:
    return Exemption(id_, "救护车", plates, mark, colour)


def benefit(
    way: Way,
    value: int = 0,
    id_: str = "b1",
    *plates: str,
    energy: Energy | None = None,
    vehicle: Vehicle | None = None,
    from_ms: int = 0,
    to_ms: int = FOREVER_MS,
    order: int = 0,
) -> Benefit:
    return Benefit(id_, plates, energy, vehicle, way, value, from_ms, to_ms, order)


def validation(
    way: Way,
    value: int = 0,
    id_: str = "v1",
    plate: str = BLUE,
    *,
    from_ms: int = 0,
    to_ms: int = FOREVER_MS,
    single: bool = False,
) -> Validation:
    return Validation(id_, plate, way, value, from_ms, to_ms, single, "hotel-1")


def block(entry: Policy, exit_: Policy = Policy.NOTIFY, id_: str = "k1", plate: str = BLUE) -> Block:
    return Block(id_, plate, entry, exit_)


def house(capacity: int, full: WhenFull = WhenFull.REFUSE, sign: str = "", id_: str = "r1") -> LotRules:
    return LotRules(id_, capacity, full, sign)
