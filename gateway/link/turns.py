"""Whose turn it is on a bus.

Owns the order: a lane with a command first, then lanes and bays by turns, among each the one overdue longest. So
neither many lanes nor many bays starve the other, and an absent node costs each of them one time-out in turn.
"""

from __future__ import annotations

from gateway.link.session import Station

NEVER_MS = 2**62


class Turns:
    """The stations of one bus and the memory of who had the last turn."""

    def __init__(self, stations: tuple[Station, ...]) -> None:
        self._stations = stations
        self._lane_next = True

    def next_station(self, now_ms: int) -> Station | None:
        """Who shall be asked now; None while nobody is due."""
        due = []
        for station in self._stations:
            if station.ready_for_order:
                return station
            if station.due_ms <= now_ms:
                due.append(station)
        if not due:
            return None
        preferred = [station for station in due if station.is_lane is self._lane_next] or due
        station = min(preferred, key=lambda one: one.due_ms)
        self._lane_next = not station.is_lane
        return station

    def wake_ms(self) -> int:
        """When the next station is due."""
        return min((station.due_ms for station in self._stations), default=NEVER_MS)
