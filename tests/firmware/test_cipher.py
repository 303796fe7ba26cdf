"""The node's cipher against the published vectors, and against the gateway's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.cipher import KEYS_MAX, Cipher
from gateway.link.cipher import HostCipher
from sim.aes import Aes

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "seeds" / "wire" / "aes.json").read_text())
KEY = bytes.fromhex(VECTORS["key"])


@pytest.mark.parametrize("case", VECTORS["cmac"])
def test_cmac(case):
    assert Cipher(Aes).cmac(KEY, bytes.fromhex(case["message"])).hex() == case["tag"]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 40, 64])
def test_ctr(size):
    iv, clear, sent = (bytes.fromhex(VECTORS["ctr"][name]) for name in ("iv", "clear", "sent"))
    assert Cipher(Aes).ctr(KEY, iv, clear[:size]) == sent[:size]
    assert Cipher(Aes).ctr(KEY, iv, sent[:size]) == clear[:size]


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), st.binary(max_size=250))
def test_both_ends_agree(key, iv, data):
    node, gateway = Cipher(Aes), HostCipher()
    assert node.cmac(key, data) == gateway.cmac(key, data)
    assert node.ctr(key, iv, data) == gateway.ctr(key, iv, data)


def test_more_keys_than_are_kept():
    cipher = Cipher(Aes)
    tags = [cipher.cmac(bytes([i]) * 16, b"x") for i in range(3 * KEYS_MAX)]
    assert [cipher.cmac(bytes([i]) * 16, b"x") for i in range(3 * KEYS_MAX)] == tags
