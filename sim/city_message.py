"""The outer form of what a gateway sends: a batch of record lines, their signatures and what they disclose.

Rule: a body of any other form is no message, and says nothing. Refuses to know chains and keys.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from sim.city_verifier import load

MESSAGE_BYTES = 65_536
LINES = 100


@dataclass(frozen=True, slots=True)
class Message:
    """A rec body whose outer form holds: (line, signature) in order, and (plate, salt) by number."""

    epoch: int
    first: int
    lines: tuple[tuple[str, bytes], ...]
    disclose: dict[int, tuple[str, str]]


def read_message(payload: bytes) -> Message | None:
    """The message that a body is, None if its outer form does not hold."""
    if len(payload) > MESSAGE_BYTES:
        return None
    try:
        body = load(payload.decode("utf-8"))
        lines, sigs = body["lines"], body["sigs"]
        raw = tuple(base64.b64decode(text, validate=True) for text in sigs)
        disclose = {item["n"]: (item["plate"], item["salt"]) for item in body["disclose"]}
        numbers = (body["v"], body["epoch"], body["first"])
    except (ValueError, KeyError, TypeError):
        return None
    texts = [*lines, *(text for pair in disclose.values() for text in pair)]
    if not all(type(number) is int for number in (*numbers, *disclose)) or not all(isinstance(t, str) for t in texts):
        return None
    if numbers[0] != 1 or len(raw) != len(lines) or not 0 < len(raw) <= LINES or {len(r) for r in raw} != {64}:
        return None
    return Message(numbers[1], numbers[2], tuple(zip(lines, raw, strict=True)), disclose)
