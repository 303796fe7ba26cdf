"""The block cipher that stands in for the board's."""

from __future__ import annotations

import pytest

from sim.aes import Aes

KEY = bytes(range(16))


def test_fips_197_example():
    assert (
        Aes(KEY, 1).encrypt(bytes.fromhex("00112233445566778899aabbccddeeff")).hex()
        == "69c4e0d86a7b0430d8cdb78070b4c55a"
    )


def test_blocks_are_independent():
    aes = Aes(KEY, 1)
    assert aes.encrypt(bytes(32)) == aes.encrypt(bytes(16)) * 2


def test_misuse_is_refused_as_on_the_board():
    with pytest.raises(ValueError, match="ECB"):
        Aes(KEY, 2)
    with pytest.raises(ValueError, match="whole blocks"):
        Aes(KEY, 1).encrypt(b"x")
