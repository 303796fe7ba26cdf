"""The city's tree over the records that it gave receipts for, and the proof of one bill as text for a QR code.

Rules: one tree a chain, leaf i is the hash of record i+1 (RFC 6962 section 2.1); a head is signed under its own domain; a
bill's text shows one record, its plate and salt, and hashes, nothing of other drivers (docs/VERIFY.md describes it).
`python -m sim.city_tree --config city.json CHAIN SESSION` prints one. Written apart from whoever checks it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import time
import zlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from sim.city_store import CityStore
from sim.city_verifier import commits, leaf_hash, write

QR_BYTES_MAX = 2_900
"""Bytes that a bill may take in a QR code: below the 2,953 of the largest one at its lowest correction."""

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


class NoBillError(Exception):
    """There is no such bill, or it is too long for a QR code; the text says which."""


def root(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash of leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    left = _left(len(leaves))
    return hashlib.sha256(b"\x01" + root(leaves[:left]) + root(leaves[left:])).digest()


def path(leaves: list[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from leaf `index` up to the root."""
    if len(leaves) == 1:
        return []
    left = _left(len(leaves))
    if index < left:
        return [*path(leaves[:left], index), root(leaves[left:])]
    return [*path(leaves[left:], index - left), root(leaves[:left])]


def head(key: Ed25519PrivateKey, chain: str, leaves: list[bytes], at_ms: int) -> tuple[str, bytes]:
    """Line and signature by which the city vouches for a tree."""
    line = write({"v": 1, "chain": chain, "size": len(leaves), "root": root(leaves).hex(), "at_ms": at_ms})
    return line, key.sign(b"lotgate-tree-v1\n" + line.encode("utf-8"))


def bill_text(store: CityStore, key: Ed25519PrivateKey, chain: str, session: str, at_ms: int) -> str:
    """What the QR code of a session's bill says. Raises NoBillError."""
    found = store.bill(chain, session)
    if found is None:
        raise NoBillError(f"chain {chain} has no bill of session {session}")
    n, line = found
    leaves = [bytes.fromhex(leaf_hash(each)) for each in store.lines(chain)]
    return packed(head(key, chain, leaves, at_ms), key, line, path(leaves, n - 1), _opening(store, chain, line))


def _opening(store: CityStore, chain: str, line: str) -> tuple[str, str] | None:
    """Plate and salt of a bill: those of its stay's entry, or of the exit in review whose plate owes."""
    body = json.loads(line)["body"]
    for name in ("session", "pairs", "stray"):
        read = store.disclosure(chain, int(body[name].split(".")[1])) if name in body else None
        if read is not None and commits(body, *read):
            return read
    return None


def packed(
    signed: tuple[str, bytes], key: Ed25519PrivateKey, line: str, hashes: list[bytes], opened: tuple[str, str] | None
) -> str:
    """The parts of a bill's proof as one text in the signs of a QR code's alphanumeric mode. Raises NoBillError if too long."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    rows = [
        ("lotgate-bill-v1", signed[0], _base64(signed[1]), hashlib.sha256(public).hexdigest()[:16]),
        ("record", line, _base64(b"".join(hashes)), ""),
    ]
    if opened is not None:
        rows.append(("disclosure", write({"plate": opened[0], "salt": opened[1]}), "", ""))
    text = "".join("\t".join(row) + "\n" for row in rows)
    spelled = "LOTGATE1:" + _base45(zlib.compress(text.encode("utf-8"), 9)) + "."
    if qr_bytes(spelled) > QR_BYTES_MAX:
        raise NoBillError(f"the bill takes {qr_bytes(spelled)} bytes of a QR code, {QR_BYTES_MAX} are there; export it")
    return spelled


def qr_bytes(text: str) -> int:
    """Bytes that a text takes in a QR code: 17 bits of header, 11 bits for two signs, 6 for a last one."""
    return -(-(17 + 11 * (len(text) // 2) + 6 * (len(text) % 2)) // 8)


def main() -> None:
    """Print the text of a bill from a city's books."""
    parser = argparse.ArgumentParser(prog="python -m sim.city_tree", description="Print a bill's proof for a QR code.")
    parser.add_argument("--config", type=Path, required=True, help="the city's JSON file")
    parser.add_argument("chain")
    parser.add_argument("session")
    options = parser.parse_args()
    config = json.loads(options.config.read_text())
    key = load_pem_private_key(Path(config["key"]).read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        sys.exit(f"{config['key']} holds no Ed25519 key")
    store = CityStore(config["store"])
    try:
        print(bill_text(store, key, options.chain, options.session, time.time_ns() // 1_000_000))
    except NoBillError as error:
        sys.exit(str(error))
    finally:
        store.close()


def _left(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _base45(raw: bytes) -> str:
    """RFC 9285."""
    spelled = ""
    for at in range(0, len(raw), 2):
        pair = raw[at : at + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            value, digit = divmod(value, 45)
            spelled += SIGNS[digit]
    return spelled


if __name__ == "__main__":
    main()
