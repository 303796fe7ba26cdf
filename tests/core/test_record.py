"""Canonical lines, hashes, commitments, and what a record refuses to hold."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.record import (
    INTEGER_MAX,
    LINE_BYTES_MAX,
    Draft,
    canonical,
    key_id,
    plate_commitment,
    record_hash,
    record_line,
    signed_bytes,
)
from tests.lots import at

ASCII = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
VALUES = st.recursive(
    st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ASCII, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
@settings(derandomize=True, max_examples=200)
def test_canonical_text_reads_back_and_is_one(value: object) -> None:
    text = canonical(value)  # type: ignore[arg-type]
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@pytest.mark.parametrize("value", [1.0, None, INTEGER_MAX + 1, b"x", {"ключ": 1}, {1: 2}, [0.5], {"a": {"b": None}}])
def test_what_a_record_refuses(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)  # type: ignore[arg-type]


def line(body: str) -> str:
    draft = Draft("alarm", {"cause": body})
    return record_line(draft, chain="c", epoch=1, n=1, prev="0" * 64, key="k" * 16, dn=0, now=at(5))


def test_a_line_has_its_limit() -> None:
    room = LINE_BYTES_MAX - len(line("").encode())
    assert len(line("x" * room).encode()) == LINE_BYTES_MAX
    with pytest.raises(ValueError, match="more than 4096 bytes"):
        line("x" * (room + 1))


def test_hash_signature_and_ids() -> None:
    text = line("浙")
    assert record_hash(text) == hashlib.sha256(b"\x00" + text.encode()).digest()
    assert signed_bytes(text) == b"lotgate-record-v1\n" + text.encode()
    assert key_id(bytes(32)) == hashlib.sha256(bytes(32)).hexdigest()[:16]
    salted = hashlib.sha256(b"lotgate-plate-v1\n" + bytes(16) + "blue 浙A12345".encode()).hexdigest()
    assert plate_commitment("blue 浙A12345", "AAAAAAAAAAAAAAAAAAAAAA==") == salted
