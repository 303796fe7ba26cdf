"""What a lane shows and says for each outcome of an exit, and at the entry.

Owns the sentences that drivers read. Rules: at most 60 UTF-8 bytes (20 Chinese characters), the amount always with its
unit, nothing that blames the driver for our doubt.
"""

from __future__ import annotations

from gateway.core.commands import ShowText, Voice
from gateway.core.exit import Outcome

TEXT_BYTES_MAX = 60
"""One line of the common four-line lane displays holds 20 Chinese characters."""

EXIT_SENTENCES: dict[Outcome, tuple[str, Voice]] = {
    Outcome.LEASE: ("先离场后付费 {money}", Voice.PAY_LATER),
    Outcome.STANDING: ("先离场后付费 {money}", Voice.PAY_LATER),
    Outcome.FREE: ("免费停车 一路平安", Voice.FREE),
    Outcome.ARREARS: ("请离场后补缴 {money}", Voice.PAY_LATER),
    Outcome.PAY_HERE: ("请扫码付费 {money}", Voice.PAY_HERE),
    Outcome.ATTENDANT: ("请联系管理员 {money}", Voice.ASK_ATTENDANT),
    Outcome.REVIEW: ("请通行 稍后核对", Voice.GO),
}

BARRED_SENTENCES: dict[str, tuple[str, Voice]] = {
    "full": ("车位已满 请稍候", Voice.FULL),
    "blocked": ("暂不能入场 请联系管理员", Voice.ASK_ATTENDANT),
    "attendant": ("请联系管理员", Voice.ASK_ATTENDANT),
}


def welcome(lane: str, sign: str = "") -> ShowText:
    """At the entry, when the barrier opens; the house may have a text of its own."""
    return ShowText(lane, sign or "欢迎光临", Voice.WELCOME)


def barred_text(lane: str, bar: str) -> ShowText:
    """At the entry, when the barrier stays down; `bar` is one of BARRED_SENTENCES."""
    return ShowText(lane, *BARRED_SENTENCES[bar])


def exit_text(lane: str, outcome: Outcome, amount_minor: int, currency: str) -> ShowText:
    """At the exit, one sentence per outcome."""
    sentence, voice = EXIT_SENTENCES[outcome]
    return ShowText(lane, sentence.format(money=money(amount_minor, currency)), voice)


def paid_text(lane: str) -> ShowText:
    """At the exit, when a payment asked for in the lane has arrived."""
    return ShowText(lane, "付费成功 一路平安", Voice.PAID)


def money(amount_minor: int, currency: str) -> str:
    """Minor units as drivers read them, e.g. 12.50元; a currency without its own word keeps its code."""
    amount = f"{amount_minor // 100}.{amount_minor % 100:02d}"
    return f"{amount}元" if currency == "CNY" else f"{amount} {currency}"


def masked(plate: str) -> str:
    """A plate for live views: province and last two characters stay, e.g. 浙A***45; shorter texts are hidden whole."""
    return f"{plate[:2]}{'*' * (len(plate) - 4)}{plate[-2:]}" if len(plate) >= 6 else "*" * len(plate)
