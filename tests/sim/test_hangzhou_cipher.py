"""The stand-in's cryptography refuses what is not whole; its known answers are in tests/sync/hangzhou/test_cipher.py."""

from __future__ import annotations

import base64

from sim.hangzhou_cipher import lock_private, sign, signed, unlock_private, unlock_public
from tests.hangzhou_keys import NUMBERS, PUBLIC_NUMBERS


def test_what_was_locked_is_unlocked() -> None:
    for size in (1, 117, 118, 234, 300):
        plain = bytes(range(1, 256))[: size % 255 + 1] * 2
        assert unlock_public(lock_private(plain, NUMBERS), PUBLIC_NUMBERS) == plain


def test_broken_blocks_are_none() -> None:
    whole = base64.b64decode(lock_private(b"x", NUMBERS))
    for wrong in (b"", whole[:-1], bytes([whole[0] ^ 1]) + whole[1:]):
        assert unlock_public(base64.b64encode(wrong).decode(), PUBLIC_NUMBERS) is None
    assert unlock_private(base64.b64encode(whole).decode(), NUMBERS) is None


def test_a_signature_covers_its_text_and_digest() -> None:
    mark = sign("text", NUMBERS, "md5")
    assert signed("text", mark, PUBLIC_NUMBERS, "md5")
    assert not signed("texts", mark, PUBLIC_NUMBERS, "md5")
    assert not signed("text", mark, PUBLIC_NUMBERS, "sha1")
