"""The uplink's window, its way back, and how records become bodies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.forms import BODY_BYTES_MAX, LINES_MAX
from gateway.messages import Records
from gateway.sync.uplink import RESEND_MAX_S, RESEND_S, WINDOW, Uplink
from tests.records import Chain


def make(committed, receipted=0, *, connected=True):
    chain = Chain().fill(committed)
    uplink = Uplink("c-1", 1)
    uplink.start(committed, receipted)
    if connected:
        uplink.connected(0)
    return chain, uplink


def send(chain, uplink, **room):
    """Sends all that is wanted; returns (first, count) of each body."""
    sent = []
    while wanted := uplink.wanted():
        for body in uplink.batch(chain.read(wanted), **room):
            message = Records.from_json(body)
            sent.append((message.first, len(message.signed)))
    return sent


def test_nothing_before_the_link_is_up():
    chain, uplink = make(5, connected=False)
    assert uplink.wanted() is None
    assert uplink.wake_ms() is None
    uplink.connected(0)
    assert send(chain, uplink) == [(1, 5)]


def test_window_is_full_until_a_receipt():
    chain, uplink = make(1000)
    assert send(chain, uplink) == [(1 + 100 * i, 100) for i in range(WINDOW)]
    assert uplink.wanted() is None
    uplink.receipted(99, 10)
    assert uplink.wanted() is None
    uplink.receipted(100, 20)
    assert send(chain, uplink) == [(801, 100)]
    assert uplink.backlog == 900


def test_room_of_the_link_limits_a_batch():
    chain, uplink = make(30)
    odd = [replace(r, key="other") if r.n % 2 else r for r in chain.records]
    wanted = uplink.wanted()
    assert wanted == (1, 30)
    assert len(uplink.batch(odd, room=3)) == 3
    assert uplink.wanted() == (4, 27)
    assert uplink.batch(chain.read((4, 27)), room=0) == []
    assert uplink.wanted() == (4, 27)


def test_live_records_go_at_once():
    chain, uplink = make(3, receipted=3)
    assert uplink.wanted() is None
    chain.fill(4)
    uplink.committed(4)
    assert send(chain, uplink) == [(4, 1)]
    assert uplink.wanted() is None


def test_back_to_the_receipt_without_progress():
    chain, uplink = make(10)
    send(chain, uplink)
    assert uplink.wake_ms() == 0
    uplink.run(1000)
    due_ms = 1000 + RESEND_S * 1000
    assert uplink.wake_ms() == due_ms
    uplink.run(due_ms - 1)
    assert uplink.wanted() is None
    uplink.run(due_ms)
    assert uplink.resends == 1
    assert send(chain, uplink) == [(1, 10)]


def test_progress_restarts_the_timer():
    chain, uplink = make(200)
    send(chain, uplink)
    uplink.run(0)
    uplink.receipted(100, 4000)
    assert uplink.wake_ms() == 4000 + RESEND_S * 1000
    uplink.receipted(200, 4500)
    assert uplink.wake_ms() is None


def test_a_silent_city_is_asked_ever_more_seldom():
    chain, uplink = make(10)
    now_ms, waits = 0, []
    for _ in range(7):
        send(chain, uplink)
        uplink.run(now_ms)
        waits.append((uplink.wake_ms() - now_ms) // 1000)
        now_ms = uplink.wake_ms()
        uplink.run(now_ms)
    assert waits == [5, 10, 20, 40, RESEND_MAX_S, RESEND_MAX_S, RESEND_MAX_S]
    uplink.receipted(5, now_ms)
    send(chain, uplink)
    uplink.run(now_ms)
    assert uplink.wake_ms() == now_ms + RESEND_S * 1000


def test_a_cut_forgets_what_was_in_flight():
    chain, uplink = make(10)
    send(chain, uplink)
    uplink.receipted(4, 0)
    uplink.disconnected()
    assert uplink.wanted() is None
    uplink.connected(50)
    assert send(chain, uplink) == [(5, 6)]


def test_a_late_receipt_takes_nothing_back():
    chain, uplink = make(10)
    send(chain, uplink)
    uplink.receipted(10, 0)
    uplink.receipted(3, 0)
    assert uplink.backlog == 0
    assert uplink.wanted() is None
    uplink.receipted(10, 0)
    assert uplink.wake_ms() is None


def test_a_city_that_lost_records_gets_them_again():
    chain, uplink = make(10)
    send(chain, uplink)
    uplink.receipted(10, 0)
    uplink.receipted(3, 0)
    uplink.run(0)
    uplink.run(RESEND_S * 1000)
    assert send(chain, uplink) == [(4, 7)]
    assert uplink.backlog == 0


def test_records_beyond_the_retention_are_given_up():
    _, uplink = make(10, receipted=10)
    uplink.receipted(3, 0)
    uplink.run(0)
    uplink.run(RESEND_S * 1000)
    assert uplink.wanted() == (4, 7)
    assert uplink.batch([]) == []
    assert uplink.wanted() is None


def test_a_city_ahead_of_us_stops_the_sending():
    chain, uplink = make(10)
    uplink.receipted(11, 0)
    assert uplink.city_ahead
    assert uplink.wanted() is None
    chain.fill(12)
    uplink.committed(12)
    assert uplink.wanted() is None


def test_bodies_have_a_limit_in_bytes():
    chain = Chain().fill(1)
    for _ in range(99):
        chain.add("exit", {"text": 'a"\\浙' * 350}, "blue 浙A12345")
    uplink = Uplink("c-1", 1)
    uplink.start(100, 0)
    uplink.connected(0)
    bodies = uplink.batch(chain.read(uplink.wanted()))
    assert max(map(len, bodies)) <= BODY_BYTES_MAX
    assert max(map(len, bodies)) > BODY_BYTES_MAX - 8000
    assert not any(hasattr(Records.from_json(body), "reason") for body in bodies)


def test_a_body_has_one_epoch_and_one_key():
    chain, uplink = make(6)
    records = [replace(r, epoch=2) if r.n > 4 else replace(r, key="old") if r.n < 3 else r for r in chain.records]
    firsts = [Records.from_json(body).first for body in uplink.batch(records)]
    assert firsts == [1, 3, 5]


def test_disclosures_stand_beside_the_lines():
    chain = Chain().fill(1)
    chain.add("entry", {"lane": "entry-1"}, "blue 浙A12345")
    uplink = Uplink("c-1", 1)
    uplink.start(2, 0)
    uplink.connected(0)
    (body,) = uplink.batch(chain.records)
    message = Records.from_json(body)
    assert [(o.n, o.plate) for o in message.disclose] == [(2, "blue 浙A12345")]
    assert not any("浙A12345" in signed.line for signed in message.signed)


def test_our_own_mistakes_raise():
    chain, uplink = make(10)
    with pytest.raises(ValueError, match="begins at 2"):
        uplink.batch(chain.records[1:])
    with pytest.raises(ValueError, match="only 3"):
        Uplink("c-1", 1).start(3, 4)


def test_limit_is_the_message_limit():
    _, uplink = make(LINES_MAX + 50)
    assert uplink.wanted() == (1, LINES_MAX)
