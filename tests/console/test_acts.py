"""What the page's requests come to, with a real gateway, its lane, and Mosquitto under the production's access list."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.console.acts import Acts
from gateway.console.board import Board
from gateway.console.listener import Listener
from gateway.console.operator_key import OperatorKeyError
from gateway.console.picture import filters
from gateway.console.profile import Profile
from gateway.shell.clock import SystemClock
from tests.brokers import Site
from tests.console import told
from tests.console.acting import profile_of
from tests.console.told import CITY, T0_MS
from tests.operating import ATTENDANT, MANAGER, STRANGER, Console
from tests.test_commanding import operated

LIMIT_S = 10.0
LOOK: dict[str, Any] = {
    "gw": "gw-1",
    "lot": "lot-1",
    "verb": "sessions",
    "args": {"which": "plate", "plate": "浙a12345"},
    "reason": "",
}
OPEN: dict[str, Any] = {
    "gw": "gw-1",
    "lot": "lot-1",
    "verb": "barrier-open",
    "args": {"lane": "out"},
    "reason": "the reader is dirty",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site("mosquitto", tmp_path_factory.mktemp("site"))
    found.broker.start()
    yield found
    found.broker.stop()


@contextlib.contextmanager
def acts_of(console: Console, site: Site, folder: Path, *, until: str = "") -> Iterator[Acts]:
    """An operator's acts over a listener of its own; with `until`, once that gateway was heard of."""
    clock, heard = SystemClock(), threading.Event()
    profile = Profile.load(profile_of(console, site, folder))
    board = Board("hz", lambda: clock.moment().wall_ms)
    acts = Acts(profile, board, clock.now_ms)

    def hear(topic: str, payload: bytes) -> None:
        board.hear(topic, payload)
        acts.hear(topic, payload)
        if until and None not in board.met(until):
            heard.set()

    access = profile.access
    listener = Listener(
        host=access.host, port=access.port, filters=(*filters("hz"), acts.reply_filter), on_message=hear,
        ca=access.ca, certificate=access.certificate, key=access.key,
    )  # fmt: skip
    acts.go_by(listener.publish)
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        assert not until or heard.wait(LIMIT_S)
        yield acts
    finally:
        listener.stop()
        thread.join(LIMIT_S)


def performed(console: Console, site: Site, folder: Path, asked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    # One at a time: the broker lets in one client under a name, as a console is.
    with acts_of(console, site, folder / console.key, until="gw-1") as acts:
        return [acts.perform(one) for one in asked]


def test_an_operator_acts_or_is_refused_and_the_answer_is_checked(site: Site, tmp_path: Path) -> None:
    recount = {**OPEN, "verb": "recount", "args": {"inside": 3}}
    block = {**OPEN, "verb": "block", "args": {"plate": " 浙a12345", "entry": "notify", "exit": "attendant"}}
    asked = (
        (ATTENDANT, OPEN,                                "done",    ""),
        (ATTENDANT, recount,                             "refused", "forbidden"),
        (MANAGER,   recount,                             "done",    ""),
        (MANAGER,   block,                               "done",    ""),
        (MANAGER,   LOOK,                                "done",    ""),
        (MANAGER,   {**LOOK, "verb": "bill", "args": {"session": "9.9"}}, "refused", "not-possible"),
        (MANAGER,   {**OPEN, "args": {"lane": "moon"}},  "refused", "not-possible"),
        (MANAGER,   {**OPEN, "args": {}},                "refused", "bad-args"),
        (MANAGER,   {**OPEN, "lot": "lot-2"},            "unsent",  "not-the-lot"),
        (MANAGER,   {**OPEN, "gw": "gw-2"},              "unsent",  "away"),
        (STRANGER,  OPEN,                                "refused", "unknown-key"),
    )  # fmt: skip
    found: list[dict[str, Any]] = []

    async def story() -> None:
        async with operated(site, tmp_path) as lot:
            for who in (ATTENDANT, MANAGER, STRANGER):
                wanted = [one for console, one, _, _ in asked if console is who]
                found.extend(await asyncio.to_thread(performed, who, site, tmp_path, wanted))
            await lot.lane.until(lambda: lot.lane.node.opened == 1)
        commands = lot.records("command")
        assert (commands[0]["verb"], commands[0]["reason"]) == ("barrier-open", OPEN["reason"])
        assert found[0]["record"] == commands[0]["record"]

    asyncio.run(story())
    assert [(one["state"], one["code"]) for one in found] == [(state, code) for _, _, state, code in asked]
    assert all(one["verified"] for one in found if one["state"] in ("done", "refused"))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"reason": ""},                    "no-reason"),
        ({"reason": "   "},                 "no-reason"),
        ({"reason": "x" * 201},             "bad-request"),
        ({"reason": "two\nlines"},          "bad-request"),
        ({"verb": "barrier-melt"},          "bad-request"),
        ({"verb": "x/+/#"},                 "bad-request"),
        ({"args": {"lane": 1.5}},           "bad-request"),
        ({"args": {"lane": {"x": "y"}}},    "bad-request"),
        ({"args": []},                      "bad-request"),
        ({"gw": 7},                         "bad-request"),
        ({"more": 1},                       "bad-request"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_never_sent(site: Site, tmp_path: Path, changed: dict[str, Any], code: str) -> None:
    with acts_of(ATTENDANT, site, tmp_path) as acts:
        found = acts.perform({**OPEN, **changed})
    assert (found["state"], found["code"], found["n"]) == ("unsent", code, 0)


def test_a_broker_that_is_gone_is_said(tmp_path: Path, site: Site) -> None:
    clock = SystemClock()
    board = Board(CITY, lambda: clock.moment().wall_ms)
    for said in (told.meta("gw-1", "lot-1"), told.state("gw-1")):
        board.hear(*said)
    found = Acts(Profile.load(profile_of(ATTENDANT, site, tmp_path)), board, clock.now_ms).perform(OPEN)
    assert (found["state"], found["code"]) == ("unsent", "broken")


def test_a_gateway_that_does_not_answer_may_have_obeyed(tmp_path: Path, site: Site) -> None:
    board = Board(CITY, lambda: T0_MS)
    for said in (told.meta("gw-1", "lot-1"), told.state("gw-1")):
        board.hear(*said)
    times = itertools.count(0, 1_000)
    acts = Acts(Profile.load(profile_of(ATTENDANT, site, tmp_path)), board, lambda: next(times))
    sent: list[tuple[str, bytes, int]] = []

    def publish(topic: str, payload: bytes, expiry_s: int) -> bool:
        # What is no reply to this command is passed over.
        acts.hear(f"park/v1/hz/_op/{acts.key}/rsp/gw-1", b"{}")
        sent.append((topic, payload, expiry_s))
        return True

    acts.go_by(publish)
    found = acts.perform(OPEN)
    assert (found["state"], found["code"]) == ("unknown", "no-answer")
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_without_a_key_there_are_no_acts(tmp_path: Path, site: Site) -> None:
    path = profile_of(ATTENDANT, site, tmp_path)
    (tmp_path / "operator.pem").unlink()
    with pytest.raises(OperatorKeyError, match="make a key"):
        Acts(Profile.load(path), Board(CITY, lambda: T0_MS), SystemClock().now_ms)
