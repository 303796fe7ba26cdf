"""The platform's side of a lot's memory: what waits, what is known of a push, and the names given to stays and bills.

Owns the naming (a uid is lot code, lane number and a time that rises per lane; a bill's id is made of its exit record's
number). Rules: only pushes that wait, and their bills, stay in memory; what the store knows of others is adopted for one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from gateway.core.answer import Answer
from gateway.core.platform_events import PaymentPushed, Push
from gateway.core.platform_state import DayBill, KeptPush, PlatformBill, PlatformStay, PlatformTerms, PushState

CHINA = timezone(timedelta(hours=8))


class PlatformBook:
    """Memory of one platform. `stamps`: lane -> the newest time inside a uid. What waited before a start comes again."""

    def __init__(self, terms: PlatformTerms, stamps: Mapping[str, int]) -> None:
        self.terms = terms
        self.waiting: dict[tuple[str, str], tuple[KeptPush, Push]] = {}
        self._stamps = dict(stamps)
        self._known: dict[tuple[str, str], KeptPush] = {}
        self._bills: dict[str, PlatformBill] = {}
        self.day_bills: tuple[DayBill, ...] = ()

    def adopt(
        self, pushes: Iterable[KeptPush], bills: Iterable[PlatformBill] = (), day_bills: tuple[DayBill, ...] = ()
    ) -> None:
        """Hold what the store knows of an event of this step: pushes like it, and the bills that it names."""
        self._known.update((push.key, push) for push in pushes)
        self._bills.update((bill.bill, bill) for bill in bills)
        self.day_bills = day_bills or self.day_bills

    def release(self) -> None:
        """Forget what was adopted."""
        self._known.clear()
        waiting = {event.bill for event in self.waiting_payments}
        self._bills = {id_: bill for id_, bill in self._bills.items() if id_ in waiting}
        self.day_bills = ()

    def known(self, key: tuple[str, str]) -> KeptPush | None:
        """This very push."""
        return self._known.get(key)

    def same_request(self, request: str) -> list[KeptPush]:
        """Pushes under this request."""
        return [push for push in self._known.values() if push.request == request]

    def same_content(self, digest: str) -> list[KeptPush]:
        """Pushes with this content that were taken."""
        alike = [push for push in self._known.values() if push.digest == digest]
        return [push for push in alike if push.state is not PushState.WAITING and not push.verdict]

    @property
    def waiting_payments(self) -> list[PaymentPushed]:
        """Payments that wait for their bill, or for the end of a stay whose vehicle turned back."""
        return [event for _, event in self.waiting.values() if isinstance(event, PaymentPushed)]

    def bill(self, bill: str) -> PlatformBill | None:
        """The bill of an id."""
        return self._bills.get(bill)

    def keep(self, push: KeptPush, answer: Answer) -> None:
        """Change a push, here and in the answer."""
        self._known[push.key] = push
        self.waiting.pop(push.key, None)
        answer.platform.pushes[push.key] = push

    def wait(self, push: KeptPush, event: Push, answer: Answer) -> None:
        """Let a push wait for its stay or bill."""
        push = replace(push, state=PushState.WAITING)
        self.keep(push, answer)
        self.waiting[push.key] = (push, event)

    def name_stay(self, session: str, lane: str, at_ms: int, free: int, answer: Answer) -> None:
        """Give a stay its uid."""
        stamp_ms = max(at_ms, self._stamps.get(lane, 0) + 1)
        self._stamps[lane] = stamp_ms
        local = (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=stamp_ms)).astimezone(CHINA)
        uid = f"{self.terms.code}{self.terms.lanes[lane]}{local:%Y%m%d%H%M%S}{stamp_ms % 1000:03d}"
        answer.platform.stays[session] = PlatformStay(session, lane, stamp_ms, uid, free)

    def name_bill(self, bill: PlatformBill, answer: Answer) -> None:
        """Give a bill, of which all else is known, its id."""
        named = replace(bill, bill=f"{self.terms.code}B{answer.epoch}{bill.exit_n:010d}")
        self._bills[named.bill] = named
        answer.platform.bills.append(named)

    def turned_back(self, session: str, n: int, answer: Answer) -> None:
        """Record n takes the last bill of a stay back."""
        answer.platform.reversed[session] = n
        for id_, bill in self._bills.items():
            if bill.session == session and bill.exit_n < n:
                self._bills[id_] = replace(bill, reversed=True)
