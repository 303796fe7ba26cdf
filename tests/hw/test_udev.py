"""The rules file for the USB adapters: its form, and what it promises. Checks no kernel."""

from __future__ import annotations

import re

from hw.pins import ROOT

TEXT = (ROOT / "hw" / "udev" / "70-lotgate.rules").read_text(encoding="utf-8")
KEY = r"(SUBSYSTEM|ACTION|DRIVER|GOTO|LABEL|TAG|SYMLINK|(ENV|ATTR|IMPORT)\{\w+\})"
WORD = re.compile(KEY + r'(==|!=|\+=|=)"[^"]*"')
RULES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]


def test_every_word_has_a_key_an_operator_and_a_value() -> None:
    for rule in RULES:
        assert all(WORD.fullmatch(word) for word in rule.split(", ")), rule
    assert re.findall('GOTO="(.*?)"', TEXT) == re.findall('LABEL="(.*?)"', TEXT)


def test_each_name_hangs_on_one_socket_and_the_timer_is_short() -> None:
    named = [(re.search('ID_PATH}=="(.+?)"', rule), re.search(r'SYMLINK\+="(.+?)"', rule)) for rule in RULES]
    pairs = [(socket[1], name[1]) for socket, name in named if socket and name]
    assert [name for _, name in pairs] == ["lotgate/lanes", "lotgate/bays"]
    assert len({socket for socket, _ in pairs}) == len(pairs)
    assert 'DRIVER=="ftdi_sio", ATTR{latency_timer}="1"' in TEXT
