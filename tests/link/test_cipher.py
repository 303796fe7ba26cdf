"""The gateway's cipher against the published vectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.link.cipher import HostCipher

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "seeds" / "wire" / "aes.json").read_text())
KEY = bytes.fromhex(VECTORS["key"])


@pytest.mark.parametrize("case", VECTORS["cmac"])
def test_cmac(case):
    assert HostCipher().cmac(KEY, bytes.fromhex(case["message"])).hex() == case["tag"]


@pytest.mark.parametrize("size", [0, 1, 16, 17, 64])
def test_ctr(size):
    iv, clear, sent = (bytes.fromhex(VECTORS["ctr"][name]) for name in ("iv", "clear", "sent"))
    assert HostCipher().ctr(KEY, iv, clear[:size]) == sent[:size]
