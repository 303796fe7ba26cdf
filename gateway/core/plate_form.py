"""What a plate's text says by its form: China's kinds of plates, tickets for vehicles without one, and everything else.

Owns the spelling under which a reading becomes an identity, and the table of forms. Rules: a form never makes a reading
certain, it only takes certainty away; what fits no Chinese form is generic and is believed as it was read. Refuses to know
what follows for prices.
"""

from __future__ import annotations

import re
from enum import StrEnum

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"


class Form(StrEnum):
    """Kind of a plate as far as its text shows it."""

    NONE = "none"
    ORDINARY = "ordinary"
    NEW_ENERGY = "new-energy"
    TRAILER = "trailer"
    DRIVING_SCHOOL = "driving-school"
    POLICE = "police"
    HONG_KONG = "hong-kong"
    MACAO = "macao"
    CONSULATE = "consulate"
    EMBASSY = "embassy"
    EMERGENCY = "emergency"
    ARMED_POLICE = "armed-police"
    MILITARY = "military"
    TEMPORARY = "temporary"
    VIRTUAL = "virtual"
    GENERIC = "generic"


_SERIAL = "[A-HJ-NP-Z0-9]"
"""I and O are never given out: too like 1 and 0."""
_POWER = "[ABCDEFGHJK]"
"""Marks a new-energy plate: D and F by the first rule, the others since the digits behind those ran out."""
_HEAD = f"[{PROVINCES}][A-Z]"

_FORMS: tuple[tuple[Form, str], ...] = (
    (Form.NONE, "|_?(?:无|无牌|无牌车|未识别|未知)_?"),
    (Form.VIRTUAL, "[无临][A-Z0-9]{3,}"),
    (Form.TEMPORARY, f"{_HEAD}(?:临[A-Z0-9]{{4,5}}|[A-Z0-9]{{4,5}}临)"),
    (Form.NEW_ENERGY, f"{_HEAD}(?:{_POWER}{_SERIAL}[0-9]{{4}}|[0-9]{{5}}{_POWER})"),
    (Form.ORDINARY, f"{_HEAD}{_SERIAL}{{5}}"),
    (Form.TRAILER, f"{_HEAD}{_SERIAL}{{4}}挂"),
    (Form.DRIVING_SCHOOL, f"{_HEAD}{_SERIAL}{{4}}学"),
    (Form.POLICE, f"{_HEAD}{_SERIAL}{{4}}警"),
    (Form.HONG_KONG, f"粤Z{_SERIAL}{{4}}港"),
    (Form.MACAO, f"粤Z{_SERIAL}{{4}}澳"),
    (Form.CONSULATE, f"{_HEAD}{_SERIAL}{{4}}领"),
    (Form.EMBASSY, "使[0-9]{6}|[0-9]{6}使"),
    (Form.EMERGENCY, f"{_HEAD}{_SERIAL}{{3,5}}应急"),
    (Form.ARMED_POLICE, f"WJ[{PROVINCES}]?[0-9]{{4,5}}{_SERIAL}?"),
    (Form.MILITARY, "[A-HJ-NP-Z]{2}[0-9]{5}"),
)
_PATTERNS = tuple((form, re.compile(pattern)) for form, pattern in _FORMS)

_DRESSING = str.maketrans("", "", " \t-·•・.")
_NEVER_GIVEN = str.maketrans("OI", "01")


def form_of(text: str) -> Form:
    """The form of a normalised text; the first of the table that fits, else GENERIC."""
    return next((form for form, pattern in _PATTERNS if pattern.fullmatch(text)), Form.GENERIC)


def normalised(text: str) -> str:
    """The one spelling of a plate: capitals, no dots, dashes or blanks; '' for the words by which readers say "no plate".

    Behind a province and its office's letter there is no O and no I (GA 36): they are the reader's spelling of 0 and 1.
    """
    plain = text.upper().translate(_DRESSING)
    if plain[:1] in PROVINCES and plain[1:2].isascii():
        plain = plain[:2] + plain[2:].translate(_NEVER_GIVEN)
    return "" if form_of(plain) is Form.NONE else plain


def is_readable(text: str) -> bool:
    """Whether a text stands on metal that a reader can mistake; a ticket's number is exact, and an absent plate is nothing."""
    return form_of(text) not in (Form.NONE, Form.VIRTUAL)
