"""Under which key a chain's records stand, place by place, and whether a new epoch was permitted.

Rules: a rotate record is taken only if the key that it names signed for itself, and from the next record on only that key
counts; a restored record is taken only under the city's own permit for exactly this place. Written from docs/VERIFY.md.
"""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sim.city_store import Head
from sim.city_verifier import ChainKey, Line, write

Signed = tuple[str, bytes]


class ChainKeys:
    """The keys of one chain. `first`: 32 bytes at enrolment; `rotated`: (n, line) of the stored rotate records."""

    def __init__(self, first: bytes, rotated: list[tuple[int, str]]) -> None:
        self.first = first
        self._keys = [(1, ChainKey(first))]
        for n, text in rotated:
            self._keys.append((n + 1, ChainKey(base64.b64decode(json.loads(text)["body"]["pub"]))))

    def at(self, n: int) -> ChainKey:
        """The key that signs record n."""
        return next(key for first, key in reversed(self._keys) if first <= max(n, 1))

    def hand_over(self, line: Line) -> bool:
        """Go over to the key that a rotate record names; False if it did not sign for itself."""
        try:
            public, proof = (base64.b64decode(line.body[name], validate=True) for name in ("pub", "proof"))
            key = ChainKey(public)
        except (KeyError, TypeError, ValueError):
            return False
        if line.body.get("key") != key.id or not key.covers(b"lotgate-rotate-v1\n" + line.prev.encode(), proof):
            return False
        self._keys.append((line.n + 1, key))
        return True


def permit(key: Ed25519PrivateKey, head: Head, at_ms: int) -> Signed:
    """The city's word that a chain goes on in a new epoch after its head."""
    content = {"chain": head.chain, "epoch": head.epoch + 1, "n": head.n, "hash": head.leaf, "at_ms": at_ms}
    line = write({"v": 1, **content})
    return line, key.sign(b"lotgate-epoch-v1\n" + line.encode("utf-8"))


def may_follow(head: Head, line: Line, key: Ed25519PrivateKey) -> bool:
    """Whether a record's epoch is the chain's, or the next one under a permit for this place."""
    if line.type != "restored":
        return line.epoch == head.epoch or (line.n == 1 and line.epoch > head.epoch)
    try:
        text = line.body["permit"]
        content, signature = json.loads(text), base64.b64decode(line.body["permit_sig"], validate=True)
        place = (content["chain"], content["epoch"], content["n"], content["hash"])
    except (KeyError, TypeError, ValueError):
        return False
    ours = ChainKey(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    wanted = (head.chain, head.epoch + 1, head.n, head.leaf)
    return place == wanted and line.epoch == wanted[1] and ours.covers(b"lotgate-epoch-v1\n" + text.encode(), signature)
