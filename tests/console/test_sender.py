"""Commands out: signed, numbered without a gap in time, and which replies count."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.console.operator_key import OperatorKey
from gateway.console.sender import CountersError, Sender
from gateway.core.operator_events import CommandArrived
from gateway.orders import REPLY_DOMAIN, Reply, Signed, Verb
from gateway.sync.orders import Orders
from gateway.topics import Topic, parse_topic
from tests.records import CITY_KEY, GATEWAY_KEY, OTHER_KEY, public

NOW_MS = 1_793_577_600_000
OUT = {"lane": "out"}


class Post:
    """A sender and what it sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sent: list[tuple[str, bytes, int]] = []
        self.path = folder / "operator.pem"
        self.key = OperatorKey.load(self.path) if self.path.exists() else OperatorKey.create(self.path)
        self.sender = Sender(self.path, "hz", lambda *message: self.sent.append(message), folder / "state" / "n.json")

    def send(self, gw: str = "gw-1", now_ms: int = NOW_MS) -> int:
        return self.sender.send(gw, "small", Verb.BARRIER_OPEN, OUT, "test", now_ms)

    def reply(self, **changed: object) -> Reply:
        fields = {"gw": "gw-1", "key": self.key.id, "n": 5, "state": "done", "code": "", "detail": "", "record": 3}
        return Reply(**(fields | {"at_ms": NOW_MS} | changed))  # type: ignore[arg-type]


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


def test_a_gateway_takes_what_was_sent(post: Post) -> None:
    n = post.send()
    ((topic, body, expiry_s),) = post.sent
    desk = Orders("gw-1", public(CITY_KEY))
    desk.start({post.key.id: post.key.public_base64})
    found = parse_topic(topic)
    assert isinstance(found, Topic)
    event = desk.receive(found, body, 0)
    assert isinstance(event, CommandArrived)
    assert (event.command.n, event.command.reason, event.command.args, expiry_s) == (n, "test", OUT, 10)
    assert event.command.expires_ms - event.command.issued_ms == 10_000


def test_numbers_rise_for_each_gateway_and_over_restarts_and_lost_files(post: Post) -> None:
    first = [post.send(), post.send(), post.send("gw-2"), post.send(now_ms=NOW_MS - 5000)]
    assert first == [NOW_MS, NOW_MS + 1, NOW_MS, NOW_MS + 2]
    again = Post(post.folder)
    assert again.send() == NOW_MS + 3
    (post.folder / "state" / "n.json").unlink()
    assert again.send(now_ms=NOW_MS + 1000) == NOW_MS + 1000


def test_a_number_is_on_disk_before_its_command_leaves(tmp_path: Path) -> None:
    OperatorKey.create(tmp_path / "key")
    counters = tmp_path / "n.json"
    seen: list[dict[str, int]] = []
    sender = Sender(tmp_path / "key", "hz", lambda *_: seen.append(json.loads(counters.read_text())), counters)
    n = sender.send("gw-1", "small", Verb.BARRIER_OPEN, OUT, "test", NOW_MS)
    assert seen == [{"gw-1": n}]


def test_two_processes_never_use_one_number(tmp_path: Path) -> None:
    OperatorKey.create(tmp_path / "key")
    program = (
        "import sys, pathlib; from gateway.console.sender import Sender; p = pathlib.Path(sys.argv[1]);"
        " s = Sender(p / 'key', 'hz', lambda *_: None, p / 'n.json');"
        f" print([s.send('gw-1', 'small', 'barrier-open', {{}}, '', {NOW_MS}) for _ in range(100)])"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    numbers = [n for one in both for n in json.loads(one.communicate()[0])]
    assert sorted(numbers) == list(range(NOW_MS, NOW_MS + 200))


@pytest.mark.parametrize("text", ["nothing", "[]", '{"gw-1": "x"}'])
def test_a_broken_file_is_named_and_not_overwritten(post: Post, text: str) -> None:
    path = post.folder / "state" / "n.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CountersError, match=r"n\.json: .*may be deleted"):
        post.send()
    assert (path.read_text(encoding="utf-8"), post.sent) == (text, [])


def test_which_replies_count(post: Post) -> None:
    def got(reply: Reply, topic: str = "", key: bytes | None = public(GATEWAY_KEY)) -> Reply | None:
        line = reply.line()
        body = Signed(line, GATEWAY_KEY.sign(REPLY_DOMAIN + line.encode())).to_json()
        return post.sender.answered(topic or f"park/v1/hz/_op/{post.key.id}/rsp/gw-1", body, key)

    good = post.reply()
    assert got(good) == good
    assert got(good, key=None) == good
    assert got(good, key=public(OTHER_KEY)) is None
    assert got(good, f"park/v1/hz/_op/{post.key.id}/rsp/gw-2") is None
    assert got(good, f"park/v1/hz/_op/{'0' * 16}/rsp/gw-1") is None
    assert got(good, "park/v1/hz/gw-1/state") is None
    assert got(post.reply(key="0" * 16)) is None
    assert got(post.reply(gw="gw-2")) is None
    assert post.sender.answered(f"park/v1/hz/_op/{post.key.id}/rsp/gw-1", b"{}", None) is None
    assert post.sender.reply_filter == f"park/v1/hz/_op/{post.key.id}/rsp/+"
    assert base64.b64decode(post.key.public_base64) != public(GATEWAY_KEY)
