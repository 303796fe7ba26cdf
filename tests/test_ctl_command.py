"""`lotgate ctl` against a real gateway over Mosquitto: what it prints, what it asks, and its exit codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.__main__ import main
from gateway.console.line import Line
from gateway.ctl_command import EXIT_NO_ANSWER, ctl
from gateway.messages import Meta, Presence, State
from gateway.shell.mqtt import Acked, Connected, Link
from gateway.topics import Kind, Topic
from tests.brokers import Site
from tests.lots import KEY
from tests.operating import ATTENDANT, MANAGER, Console
from tests.test_commanding import access, heard, operated
from tests.test_messages import MESSAGES


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site("mosquitto", tmp_path_factory.mktemp("site"))
    found.broker.start()
    yield found
    found.broker.stop()


def profile(site: Site, folder: Path, console: Console) -> Path:
    """A profile of this operator, with the city's key."""
    login = site.login("console")
    pem = console.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{console.key}.pem").write_bytes(pem)
    (folder / "city.pub").write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    path = folder / f"{console.key}.toml"
    path.write_text(
        f'[broker]\nhost = "{login.host}"\nport = {login.port}\nca = "{login.ca}"\n'
        f'certificate = "{login.certificate}"\nkey = "{login.key}"\n'
        f'[city]\nname = "hz"\npublic_key = "city.pub"\n[operator]\nkey = "{console.key}.pem"\n',
        encoding="utf-8",
    )
    return path


def run(path: Path, *words: str, typed: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(main, ["ctl", "--profile", str(path), *words], prog_name="lotgate", input=typed)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.output


WHY = ("--reason", "test")
OPEN = ("open", "gw-1", "out", *WHY)
TABLE = [
    # who       words                                          typed    code  told
    (ATTENDANT, ("lots",),                                     "",      0,    "gw-1     lot-1  online"),
    (ATTENDANT, ("alarms",),                                   "",      0,    "No alarm is open."),
    (ATTENDANT, OPEN,                                          "lot-1", 0,    "gw-1: done, record "),
    (ATTENDANT, OPEN,                                          "lot-2", 1,    "not the lot's name: nothing was sent"),
    (ATTENDANT, OPEN,                                          "\n",    1,    "not the lot's name: nothing was sent"),
    (ATTENDANT, (*OPEN, "--yes"),                              "",      0,    "gw-1: done, record "),
    (ATTENDANT, ("open", "gw-1", "roof", *WHY, "--yes"),       "",      2,    "roof: gw-1 has out"),
    (ATTENDANT, ("open", "gw-1", "out", "--yes"),              "",      2,    "Missing option '--reason'"),
    (ATTENDANT, ("open", "gw-9", "out", *WHY, "--yes"),        "",      4,    "gw-9: no such gateway has been heard of"),
    (ATTENDANT, ("recount", "gw-1", "5", *WHY, "--yes"),       "",      1,    "refused forbidden: recount is not for"),
    (MANAGER,   ("hold", "gw-1", "out", *WHY),                 "lot-1", 0,    "gw-1: done, record "),
    (MANAGER,   ("release", "gw-1", "out", *WHY, "--yes"),     "",      1,    "refused not-possible: out is not held open"),
    (MANAGER,   ("recount", "gw-1", "5", *WHY),                "y",     0,    "gw-1: done, record "),
    (MANAGER,   ("recount", "gw-1", "5", *WHY),                "",      1,    "Aborted"),
    (MANAGER,   ("recount", "gw-1", "-5", *WHY),               "",      2,    "No such option"),
    (MANAGER,   ("block", "gw-1", "浙A12345", *WHY, "--yes"),   "",      0,    "gw-1: done: op/"),
    (MANAGER,   ("unblock", "gw-1", "浙A12345", *WHY, "--yes"), "",      1,    "not blocked"),
    (ATTENDANT, ("sessions", "gw-1"),                          "",      0,    "No such stay."),
    (ATTENDANT, ("sessions", "gw-1", "浙"),                     "",      1,    "refused bad-args: plate: at least 3 letters"),
    (ATTENDANT, ("bill", "gw-1", "9.9"),                       "",      1,    "refused not-possible: unknown session"),
    (MANAGER,   ("refund", "gw-1", "1.3", "5", *WHY, "--yes"),  "",      1,    "refused not-possible: unknown session"),
    (MANAGER,   ("validate", "gw-1", "浙A12345", *WHY, "--yes"), "",     0,    "gw-1: done: op/"),
    (MANAGER,   ("validate", "gw-1", "浙A12345", "--way", "percent", "--value", "101", *WHY, "--yes"), "", 1,
     "refused bad-args: 101 is no value of percent"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "words", "typed", "code", "told"), TABLE)
def test_what_is_asked_sent_and_told(
    site: Site, tmp_path: Path, who: Console, words: tuple[str, ...], typed: str, code: int, told: str
) -> None:
    async def story() -> tuple[int, str]:
        async with operated(site, tmp_path):
            return await asyncio.to_thread(run, profile(site, tmp_path, who), *words, typed=typed)

    got, text = asyncio.run(story())
    assert told in text, text
    assert got == code
    assert "not checked" not in text


def test_json_for_scripts(site: Site, tmp_path: Path) -> None:
    async def story() -> tuple[list[dict[str, Any]], dict[str, Any], str, int]:
        async with operated(site, tmp_path) as lot:
            path = profile(site, tmp_path, ATTENDANT)
            rows = json.loads((await asyncio.to_thread(run, path, "lots", "--json"))[1])
            done = json.loads((await asyncio.to_thread(run, path, *OPEN, "--yes", "--json"))[1])
            await lot.lane.until(lambda: lot.lane.node.opened == 1)
            path.write_text(path.read_text(encoding="utf-8").replace('public_key = "city.pub"\n', ""), encoding="utf-8")
            return rows, done, (await asyncio.to_thread(run, path, *OPEN, "--yes"))[1], lot.records("command")[0]["n"]

    rows, done, unchecked, n = asyncio.run(story())
    assert [(row["gateway"], row["lot"], row["lanes"]) for row in rows if row["gateway"] == "gw-1"] == [
        ("gw-1", "lot-1", "out")
    ]
    assert (done["state"], done["code"], done["n"], done["verified"]) == ("done", "", n, True)
    assert "signature not checked" in unchecked


def test_a_gateway_that_is_away_or_silent_is_code_4(site: Site, tmp_path: Path) -> None:
    meta = next(message for message in MESSAGES if isinstance(message, Meta))

    async def tell(presence: Presence) -> None:
        state = str(Topic("hz", "gw-2", Kind.STATE))
        link = Link(site.login("gw-2"), subscriptions=(), state_topic=state, will=lambda _n: b"lost")
        link.start()
        await heard(link, Connected)
        bodies = {Kind.META: meta.to_json(), Kind.STATE: State(presence, 1, 1, "0", 5).to_json()}
        for kind, body in bodies.items():
            link.publish(str(Topic("hz", "gw-2", kind)), body, 1, True)
            await heard(link, Acked)
        await link.stop()

    path = profile(site, tmp_path, ATTENDANT)
    words = ("open", "gw-2", "entry-1", *WHY, "--yes", "--timeout", "0.5")
    asyncio.run(tell(Presence.LOST))
    code, text = run(path, *words)
    assert (code, "gw-2 is lost since 5 ms UTC: nothing was sent" in text) == (EXIT_NO_ANSWER, True)
    asyncio.run(tell(Presence.ONLINE))
    with Line(access(site, "gw-2"), [("park/v1/hz/gw-2/cmd/+", 1)]) as line:
        code, text = run(path, *words)
        assert (code, "no answer within 0.5 s" in text) == (EXIT_NO_ANSWER, True)
        first, again = line.next(5), line.next(5)
    assert first is not None
    assert first == again


def test_a_profile_that_is_not_there_is_said(tmp_path: Path) -> None:
    code, text = run(tmp_path / "none.toml", "lots")
    assert (code, "none.toml: No such file" in text) == (1, True)


@pytest.mark.parametrize("command", sorted(ctl.commands))
def test_help_has_an_example(command: str, tmp_path: Path) -> None:
    code, text = run(tmp_path / "none.toml", command, "--help")
    assert code == 0
    assert f"Example: lotgate ctl {command}" in text


def test_completion_knows_what_was_seen_last(site: Site, tmp_path: Path) -> None:
    path = profile(site, tmp_path, ATTENDANT)
    (tmp_path / "counters.seen.json").write_text(json.dumps({"gw-1": ["in", "out"], "lot": []}), encoding="utf-8")

    def completed(*words: str) -> list[str]:
        found = ShellComplete(main, {}, "lotgate", "_LOTGATE_COMPLETE").get_completions(
            ["ctl", "--profile", str(path), *words[:-1]], words[-1]
        )
        return [item.value for item in found]

    assert completed("open", "g") == ["gw-1"]
    assert completed("open", "gw-1", "") == ["in", "out"]
    assert completed("open", "gw-1", "o") == ["out"]
    assert "release" in completed("re")
    path.unlink()
    assert completed("open", "g") == []


def test_an_operators_key_is_made(tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["operator-key", str(tmp_path / "me.pem")])
    assert made.exit_code == 0
    assert made.output.startswith("key ")
    again = CliRunner().invoke(main, ["operator-key", str(tmp_path / "me.pem")])
    assert (again.exit_code, "never overwritten" in again.output) == (1, True)
    assert isinstance(main.commands["ctl"], click.Group)
