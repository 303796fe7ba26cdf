"""Calls up: which to make next, when to make it again, and what its answer means.

Owns the order and the pace. Rules: answers to pushes first, then what the ledger holds, in its order, then what was set aside,
then the absolute counts and the rest; one call at a time; without an answer the same call again, ever more seldom; a call
refused REFUSED_MAX times is set aside and stops nothing. Reads no store and no socket: it is given work and says what to post.
"""

from __future__ import annotations

import base64
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from gateway.core.platform_events import DayReported, PlatformEvent, Push, PushAnswered, UploadRefused, UploadTaken
from gateway.core.platform_state import Asked, DayBill, Work
from gateway.forms import Rejection
from gateway.sync.hangzhou import tables
from gateway.sync.hangzhou.envelope import Answer, date_text, day_span_ms, day_text, form_steps
from gateway.sync.hangzhou.pushes import Pushes
from gateway.sync.hangzhou.terms import Photos, Terms
from gateway.sync.hangzhou.uploads import COLOUR_CODES, Call, calls, fields, waits

READ_MAX = 16
"""Records, answers and calls set aside that one read brings: a second's sending at the pace of one answer in 60 ms."""
WAIT_MS = 2_000
LOOK_MS = 1000
WAIT_MAX_MS = 60_000
"""Between two attempts, doubling: a platform that comes back is found within a minute."""
REFUSED_MAX = 3
ASIDE_MS = 3_600_000
"""What was set aside is tried again once an hour: a person may have put the city's side right."""
DAILY_AFTER_MS = 2 * 3_600_000
"""A day is compared two hours after its end, when late payments are in."""
DAYS_BACK = 7
DAY_MS = 24 * 3_600_000
PHOTO_TEXT_MAX = 512 * 1024
"""Characters of a photo in Base64, by the facts."""
JPEG = b"\xff\xd8\xff"


class Sort(Enum):
    """What a call is made for."""

    ANSWER = auto()
    RECORD = auto()
    ASIDE = auto()
    STATE = auto()
    HEARTBEAT = auto()
    DAY = auto()
    PULL = auto()


@dataclass(frozen=True, slots=True)
class Job:
    """A call to make. `key`: of the push that it answers, or the name of the push that it pulls for."""

    sort: Sort
    call: Call
    key: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Post:
    """What to post: path below the base URL, the making of the body, and the call's name for the log."""

    path: str
    steps: Iterator[bytes]
    name: str

    def body(self) -> bytes:
        """The whole body at once; a photo takes seconds."""
        return b"".join(self.steps)


class Sender:
    """The one sender of a lot: `wanted` what to read, `give` takes it, `post` what to send, `answered` what it meant."""

    def __init__(self, terms: Terms, pushes: Pushes, read_photo: Callable[[str], bytes | None]) -> None:
        self.counts: Counter[str] = Counter()
        """Calls taken, failed and refused, by name; photos left out."""
        self._terms = terms
        self._pushes = pushes
        self._read_photo = read_photo
        self._jobs: deque[Job] = deque()
        self._busy = False
        self._fresh = True
        self._scan_n = 0
        self._failures = 0
        self._refusals = 0
        self._retry_ms = 0
        self._state_due = True
        self._heartbeat_ms = 0
        self._aside_ms = 0
        self._pull_due = False
        self._day_ms = 0
        self._free = 0
        self._day: list[DayBill] = []
        self._day_wrong = False
        self._look_ms = 0
        """When to look again at an exit whose vehicle is still under the barrier; 0: nothing waits for one."""

    @property
    def down(self) -> bool:
        """Whether the last call had no answer."""
        return self._failures > 0

    def committed(self) -> None:
        """There may be something new in the ledger."""
        self._fresh = True

    def subscribed(self) -> None:
        """The pushes' line stands again: some may have been lost meanwhile, so they are asked for."""
        self._pull_due = True

    def wanted(self, mono_ms: int, wall_ms: int) -> Asked | None:
        """What to read, or None: there is still something to send, or nothing to look for."""
        if self._jobs or self._busy or mono_ms < self._retry_ms:
            return None
        timers = min(self._heartbeat_ms, self._aside_ms, self._day_ms, self._look_ms or self._day_ms)
        if not (self._fresh or self._state_due or self._pull_due or mono_ms >= timers):
            return None
        self._fresh = False
        return Asked(
            self._scan_n, READ_MAX, wall_ms, self._days(wall_ms) if mono_ms >= self._day_ms else (), self._pull_due
        )

    def give(self, work: Work, mono_ms: int) -> list[PlatformEvent]:
        """Take what was read; events that follow without a call."""
        self._free = work.free
        events: list[PlatformEvent] = []
        for push in work.pushes:
            if push.state in ("owed", "refused"):
                values = self._pushes.answer(push)
                name = tables.CONFIRMS.get(push.name, tables.FEE)
                if values is None or name not in self._terms.calls:
                    self.counts[f"{name} silent"] += 1
                    events.append(PushAnswered(push.request, push.digest))
                else:
                    self._jobs.append(Job(Sort.ANSWER, Call(name, {**values, **self._asked_for(values)}), push.key))
        self._take_records(work, mono_ms)
        if mono_ms >= self._aside_ms:
            self._aside_ms = mono_ms + ASIDE_MS
            for aside, entry in work.asides:
                found = [call for call in calls(entry, self._terms) if call.name == aside.call]
                self._jobs += [Job(Sort.ASIDE, call) for call in found]
                if not found and entry.bill is not None and entry.bill.reversed:
                    # The vehicle turned back since: there is nothing to tell any more.
                    events.append(UploadTaken(aside.n, aside.call, aside=True))
        if not self._jobs and not events:
            self._take_the_rest(work, mono_ms)
        return events

    def post(self, mono_ms: int, wall_ms: int) -> Post | PlatformEvent | None:
        """The next call, or the event of one that can't be made; None: nothing to send now."""
        if self._busy or not self._jobs or mono_ms < self._retry_ms:
            return None
        call = self._jobs[0].call
        values = {**call.values, "now": date_text(wall_ms)}
        beside: dict[str, str] = {}
        if call.name == tables.PHOTO:
            photo = self._photo(call.photo)
            if photo is None:
                self._jobs.popleft()
                return UploadTaken(call.n, call.name)
            values["photo_file"] = photo
        made = fields(call.name, values, self._terms)
        if call.name == tables.PHOTO and self._terms.photos is Photos.BESIDE_CIPHER:
            beside = {
                name: made.pop(name) for name, value in self._terms.calls[call.name].items() if value == "photo_file"
            }
        self._busy = True
        steps = form_steps(self._terms.access_id, self._terms.seal, made, self._terms.data_form, beside)
        return Post(tables.path(call.name), steps, call.name)

    def answered(self, answer: Answer | None, mono_ms: int, wall_ms: int) -> list[PlatformEvent]:
        """What the platform said to the last post; None: nothing."""
        self._busy = False
        job = self._jobs[0]
        if answer is None or (not answer.ok and answer.code in (None, 200)):
            self.counts[f"{job.call.name} failed"] += 1
            self._failures += 1
            self._retry_ms = mono_ms + min(WAIT_MS << min(self._failures - 1, 8), WAIT_MAX_MS)
            return []
        if self._failures:
            # After an outage the absolute counts follow the backlog.
            self._state_due = True
        self._failures = 0
        if answer.ok:
            self.counts[job.call.name] += 1
            self._refusals = 0
            self._jobs.popleft()
            return self._taken(job, answer)
        self.counts[f"{job.call.name} refused"] += 1
        self._refusals += 1
        self._retry_ms = mono_ms + WAIT_MS
        if self._refusals < REFUSED_MAX:
            return []
        self._refusals = 0
        self._jobs.popleft()
        return self._given_up(job, f"resultCode {answer.code}: {answer.message}"[:120], wall_ms)

    def wake_ms(self, mono_ms: int) -> int:
        """When to look again without being told to."""
        if self._retry_ms > mono_ms:
            return self._retry_ms
        return mono_ms + 1000

    def _take_records(self, work: Work, mono_ms: int) -> None:
        done_n, done_call = work.cursor
        self._scan_n = max(self._scan_n, done_n)
        self._look_ms = 0
        for entry in work.entries:
            n = entry.record.n
            if n < done_n:
                continue
            if n > done_n and waits(entry, work.now_ms):
                # What is behind it waits too: a step or a second brings the next look.
                self._look_ms = mono_ms + LOOK_MS
                return
            made = calls(entry, self._terms)
            if n == done_n:
                names = [call.name for call in made]
                made = made[names.index(done_call) + 1 :] if done_call in names else []
            self._jobs += [Job(Sort.RECORD, call) for call in made]
            if not any(job.sort is Sort.RECORD for job in self._jobs):
                self._scan_n = n
        last_n = work.entries[-1].record.n if work.entries else self._scan_n
        # More lies behind what was read.
        self._fresh = self._fresh or last_n < work.head_n

    def _take_the_rest(self, work: Work, mono_ms: int) -> None:
        """Once nothing of the ledger is left: absolute counts, heartbeat, the day, and what may have been lost."""
        if self._fresh or (self._look_ms and mono_ms < self._heartbeat_ms):
            return
        common = {"code": self._terms.lot.code, "total": self._terms.lot.total_bays, "open": self._terms.open_bays}
        common["free"] = work.free
        if mono_ms >= self._heartbeat_ms:
            self._heartbeat_ms = mono_ms + self._terms.heartbeat_s * 1000
            self._jobs.append(Job(Sort.HEARTBEAT, Call(tables.HEARTBEAT, common)))
            self._state_due = True
        if self._state_due:
            self._state_due = False
            self._jobs.append(Job(Sort.STATE, Call(tables.STATE, common)))
        if self._pull_due:
            self._pull_due = False
            self._pull(work, common)
        if work.day and tables.DAILY in self._terms.calls and self._terms.day_form is not None:
            self._day, self._day_wrong = [], False
            self._day_ms = mono_ms + ASIDE_MS
            plates = work.day_plates if self._terms.daily_plates else ("",)
            self._jobs += [
                Job(Sort.DAY, Call(tables.DAILY, {**common, "day": work.day, "plate": plate}), (work.day, str(left)))
                for left, plate in zip(range(len(plates) - 1, -1, -1), plates, strict=True)
            ]
        elif mono_ms >= self._day_ms:
            self._day_ms = mono_ms + ASIDE_MS // 6

    def _pull(self, work: Work, common: dict[str, Any]) -> None:
        if tables.PULL_AUTHORIZATION in self._terms.calls:
            for session in work.unauthorized:
                colour = COLOUR_CODES.get(str(session.plate.colour), self._terms.unknown_colour)
                call = Call(tables.PULL_AUTHORIZATION, {**common, "plate": session.plate.text, "colour": colour})
                if session.plate.text:
                    self._jobs.append(Job(Sort.PULL, call, ("departurePayInfo", "")))
        if tables.PULL_PAYMENT in self._terms.calls:
            for bill in work.unpaid:
                self._jobs.append(
                    Job(Sort.PULL, Call(tables.PULL_PAYMENT, {**common, "bill": bill}), ("payResult", ""))
                )

    def _taken(self, job: Job, answer: Answer) -> list[PlatformEvent]:
        call = job.call
        match job.sort:
            case Sort.ANSWER:
                return [PushAnswered(*job.key)]
            case Sort.RECORD | Sort.ASIDE:
                self._scan_n = max(self._scan_n, call.n) if job.sort is Sort.RECORD else self._scan_n
                return [UploadTaken(call.n, call.name, call.bill, aside=job.sort is Sort.ASIDE)]
            case Sort.DAY:
                return self._day_answered(job, answer)
            case Sort.PULL:
                return self._pulled(job, answer)
            case Sort.STATE | Sort.HEARTBEAT:
                return []

    def _given_up(self, job: Job, reason: str, wall_ms: int) -> list[PlatformEvent]:
        call = job.call
        match job.sort:
            case Sort.ANSWER:
                # The platform repeats a push that it does not hold for confirmed, and is then answered again.
                return [PushAnswered(*job.key)]
            case Sort.RECORD | Sort.ASIDE:
                again_ms, aside = wall_ms + ASIDE_MS, job.sort is Sort.ASIDE
                return [UploadRefused(call.n, call.name, call.session, reason, call.pays, again_ms, call.bill, aside)]
            case Sort.DAY:
                self._day_wrong = True
                self._jobs = deque(one for one in self._jobs if one.sort is not Sort.DAY)
                return []
            case Sort.STATE | Sort.HEARTBEAT | Sort.PULL:
                return []

    def _day_answered(self, job: Job, answer: Answer) -> list[PlatformEvent]:
        form = self._terms.day_form
        rows = answer.body.get(form.list) if form is not None else None
        if form is None or not isinstance(rows, list):
            self.counts[f"{tables.DAILY} unreadable"] += 1
            self._day_wrong = True
            return []
        for row in rows:
            bill = _day_bill(row, form)
            if bill is None:
                self.counts[f"{tables.DAILY} unreadable"] += 1
                self._day_wrong = True
            else:
                self._day.append(bill)
        day, left = job.key
        if left != "0" or self._day_wrong:
            return []
        return [DayReported(day, day_span_ms(day), tuple(self._day))]

    def _pulled(self, job: Job, answer: Answer) -> list[PlatformEvent]:
        data = answer.body.get("data")
        if not isinstance(data, dict) or not data.get("requestId"):
            return []
        content = {name: value for name, value in data.items() if name != "requestId"}
        found: Push | Rejection = self._pushes.pulled(job.key[0], str(data["requestId"])[:64], content)
        if isinstance(found, Rejection):
            self.counts[f"{job.call.name} unreadable"] += 1
            return []
        return [found]

    def _photo(self, name: str) -> str | None:
        data = self._read_photo(name)
        if data is None:
            return None
        text = base64.b64encode(data).decode("ascii")
        if not data.startswith(JPEG) or len(text) > PHOTO_TEXT_MAX:
            self.counts["photos left out"] += 1
            return None
        return text

    def _asked_for(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"code": self._terms.lot.code, "plate": values["params"].get("plateNo", "")}

    def _days(self, wall_ms: int) -> tuple[tuple[str, tuple[int, int]], ...]:
        """The last days that are over, the oldest first."""
        ended_ms = wall_ms - DAILY_AFTER_MS
        days = [day_text(ended_ms - back * DAY_MS) for back in range(DAYS_BACK, 0, -1)]
        return tuple((day, day_span_ms(day)) for day in days)


def _day_bill(row: object, form: tables.DayForm) -> DayBill | None:
    if not isinstance(row, dict):
        return None
    bill, owed, paid = (row.get(name) for name in (form.bill, form.owed, form.paid))
    if not isinstance(bill, str) or type(owed) is not int or type(paid) is not int:
        return None
    return replace(DayBill(bill, owed, 0), paid_minor=paid)
