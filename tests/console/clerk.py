"""A gateway's answers for tests and pictures of the screens: made-up stays and a bill, and whatever was asked for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gateway.console.picture import Json
from gateway.findings import Charged, Happened, Stay

HOUR_MS = 3_600_000
KEY = "a2c4d7a6637668a7"


class Clerk:
    """Answers as `Acts.perform` does; `asked` is what was asked. `refuses`: the code of every answer."""

    def __init__(self, now_ms: int, refuses: str = "") -> None:
        self.asked: list[Json] = []
        self.refuses = refuses
        self._now_ms = now_ms
        self._refunded_minor = 0

    def perform(self, asked: Any) -> Json:
        """The answer."""
        self.asked.append(asked)
        if self.refuses:
            return self._answer("refused", self.refuses, "recount is not for attendant")
        if asked["verb"] == "sessions":
            plate = asked["args"]["plate"]
            found = [stay for stay in self._stays() if plate in stay.plate]
            return self._answer() | {"stays": [asdict(stay) for stay in found]}
        if asked["verb"] == "bill":
            return self._bill(asked["args"]["session"])
        self._refunded_minor += asked["args"].get("amount_minor", 0)
        return self._answer()

    def deeds(self) -> list[Json]:
        """What was asked to be done."""
        return [one for one in self.asked if one["verb"] not in ("sessions", "bill")]

    def _answer(self, state: str = "done", code: str = "", detail: str = "") -> Json:
        seen: Json = {"stays": [], "lines": [], "records": []}
        known = {"record": 40 + len(self.asked), "n": 1, "verified": True, "at_ms": self._now_ms}
        return {"state": state, "code": code, "detail": detail, **known, **seen}

    def _stays(self) -> list[Stay]:
        begin_ms, back_minor = self._now_ms - 5 * HOUR_MS, self._refunded_minor
        return [
            Stay("1.73", "green 浙AD12345", 99, "inside", "entry-1", "", self._now_ms - HOUR_MS, 0, 0, 0, 0, 0, 0, 0, "none"),
            Stay(
                "1.42", "blue 浙A12345", 98, "paid", "entry-1", "exit-1", begin_ms, begin_ms + 3 * HOUR_MS, 1_600, back_minor,
                1_600, back_minor, 0, 0, "none",
            ),
            Stay(
                "1.57", "blue 浙A1Z345", 71, "review", "", "exit-1", begin_ms, begin_ms, 0, 0, 0, 0, 0, 0, "none",
                ("1.42 blue 浙A12345",),
            ),
            Stay(
                "1.31", "yellow 沪F84019", 97, "arrears", "entry-1", "exit-1", begin_ms, begin_ms + HOUR_MS, 2_000, 0, 0, 0,
                2_000, 0, "reminder-1",
            ),
        ]  # fmt: skip

    def _bill(self, session: str) -> Json:
        (stay,) = [stay for stay in self._stays() if stay.session == session]
        begin_ms = stay.entered_ms
        lines = [
            Charged(
                "白天首小时，每半小时", "day, first hour, per half hour", begin_ms, begin_ms + HOUR_MS, 2, 500, 1_000
            ),
            Charged(
                "白天首小时后，每半小时",
                "day, after the first hour, per half hour",
                begin_ms + HOUR_MS,
                begin_ms + 3 * HOUR_MS,
                4,
                300,
                1_200,
            ),
            Charged("酒店减免", "the hotel's guest", begin_ms, begin_ms + 3 * HOUR_MS, 1, -600, -600),
        ]
        records = [
            Happened(42, "entry", begin_ms, 0, "", ""),
            Happened(61, "exit", begin_ms + 3 * HOUR_MS, 1_600, "", ""),
            Happened(62, "left", begin_ms + 3 * HOUR_MS, 0, "", ""),
            Happened(66, "paid", begin_ms + 3 * HOUR_MS, 1_600, "", ""),
        ]
        if self._refunded_minor:
            records.append(Happened(71, "refund done", self._now_ms, self._refunded_minor, KEY, "the lift was broken"))
        found = {"lines": [asdict(line) for line in lines], "records": [asdict(one) for one in records]}
        return self._answer() | {"stays": [asdict(stay)]} | found
