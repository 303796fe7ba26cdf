"""What a lot and its city have agreed on: everything the protocol leaves open, as one value.

Owns the settings as the adapter uses them; the configuration makes it. Rules: nothing here has a default that a city could
contradict. Refuses to know files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.platform_state import PlatformTerms
from gateway.sync.hangzhou.cipher import DataForm, Seal
from gateway.sync.hangzhou.tables import DayForm, Table


class Refusal(StrEnum):
    """How a push that can't be used is answered."""

    SILENT = "silent"
    SUCCESS_FALSE = "success-false"


class Photos(StrEnum):
    """Whether photos leave the lot, and where in the call they stand."""

    NEVER = "never"
    IN_CIPHER = "in-cipher"
    BESIDE_CIPHER = "beside-cipher"


@dataclass(frozen=True, slots=True)
class Terms:
    """`calls`: the table of each call that is on. `failed_statuses`: values of payStatus that mean a failed payment.

    `daily_plates`: whether checkDailyBill is asked plate by plate. `unlicensed`: what stands for a plate that was not read, ''
    if such a stay is not told.
    """

    access_id: str
    lot: PlatformTerms
    open_bays: int
    seal: Seal
    data_form: DataForm
    authorization_life_s: int
    failed_statuses: frozenset[int]
    refusal: Refusal
    photos: Photos
    unlicensed: str
    unknown_colour: int
    heartbeat_s: int
    daily_plates: bool
    calls: Mapping[str, Table]
    day_form: DayForm | None

    def topics(self) -> tuple[str, ...]:
        """Subscriptions: with and without the leading slash, and the older form, since all three were seen."""
        names = ("departurePayInfo", "fee", "payResult")
        forms = ("hzcity/v2/{}/{}/#", "/hzcity/v2/{}/{}/#", "/hzcity/{}/{}/#")
        return tuple(form.format(name, self.access_id) for form in forms for name in names)
