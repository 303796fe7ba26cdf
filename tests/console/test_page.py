"""The page's files against the code: both languages say all, every alarm and notice has words, nothing comes from afar."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.console.page_server import FILES
from gateway.core.exit import Outcome
from gateway.core.session import Trigger
from gateway.orders import LOOKS, Code, Verb

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "gateway" / "console" / "page"
SCRIPTS = sorted(PAGE.glob("*.js"))

ACT_CODES = set(
    re.findall(r'_ended\("\w+", "([a-z-]+)"', (ROOT / "gateway/console/acts.py").read_text(encoding="utf-8"))
)
ALARMS = re.compile(r'(?:alarm = |RaiseAlarm\(\s*|_raise\(\s*answer,\s*)f?"([a-z-]+)/')


def names(language: str) -> set[str]:
    """The names at the top of a language's table in words.js."""
    text = (PAGE / "words.js").read_text(encoding="utf-8")
    body = re.search(rf"const {language} = \{{(.*?)\n  codes: ", text, re.DOTALL)
    assert body is not None
    return set(re.findall(r"(?:^ *|, )([A-Za-z_]+): (?=[\"(])", body[1], re.MULTILINE))


def test_both_languages_say_everything() -> None:
    assert len(names("EN")) > 80
    assert names("EN") == names("ZH")


def test_every_word_that_is_asked_for_is_there() -> None:
    asked = set()
    for path in (*SCRIPTS, PAGE / "index.html"):
        text = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r"\bword\(\"(\w+)\"|data-word=\"(\w+)\"", text))
    said = {one or other for one, other in asked}
    assert len(said) > 50
    assert said <= names("EN")


def test_every_alarm_has_words_in_chinese() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "gateway").rglob("*.py")]
    raised = {name for text in sources for name in ALARMS.findall(text)}
    assert {"silent", "fire", "attendant", "fork", "tariff"} <= raised
    text = (PAGE / "words.js").read_text(encoding="utf-8")
    known = set(re.findall(r"^    ([a-z]+): \((?:at)?\) => ", text, re.MULTILINE))
    assert raised <= known


@pytest.mark.parametrize("language", ["EN", "ZH"])
def test_every_notice_has_words(language: str) -> None:
    kinds = {"entry", *(f"exit-{outcome}" for outcome in Outcome)}
    kinds |= {Trigger.PAYMENT_ARRIVED, Trigger.PAYMENT_FAILED, Trigger.LEASED_LATE}
    text = (PAGE / "words.js").read_text(encoding="utf-8").split(f"const {language} = ")[1].split("causes:")[0]
    said = set(re.findall(r"\"?([a-z-]+)\"?: \"", text.split("kinds: {")[1]))
    assert kinds <= said
    codes = set(re.findall(r"\"?([a-z-]+)\"?: \"", text.split("codes: {")[1].split("kinds: {")[0]))
    assert {*Code, *ACT_CODES} - {Code.DONE} <= codes


def test_each_verb_but_those_of_the_command_line_has_a_button() -> None:
    text = (PAGE / "act.js").read_text(encoding="utf-8")
    table = text.split("const VERBS = {")[1].split("\n};")[0]
    typed = {Verb.BENEFIT}
    assert set(re.findall(r"^  \"?([a-z-]+)\"?: \{", table, re.MULTILINE)) == set(Verb) - typed - LOOKS


def test_each_file_is_served_and_nothing_else_is_there() -> None:
    assert {path.name for path in PAGE.iterdir() if path.is_file()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_nothing_comes_from_afar_or_from_data(name: str) -> None:
    text = (PAGE / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?://|//[a-z]+\.|@import|innerHTML|outerHTML|insertAdjacentHTML|\beval\(", text) == []
    assert text.count("\n") <= 400
