"""The throw-away key pair and the known answers of seeds/hangzhou/vectors.json; the pair plays both ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gateway.sync.hangzhou.cipher import CipherKey, Seal, SignHash, read_private, read_public
from sim.hangzhou_cipher import private_numbers, public_numbers

FOUND = json.loads((Path(__file__).resolve().parents[1] / "seeds/hangzhou/vectors.json").read_text(encoding="utf-8"))
VECTORS: dict[str, dict[str, Any]] = {vector["name"]: vector for vector in FOUND["vectors"]}
PRIVATE: str = FOUND["private_pkcs8"]
PUBLIC: str = FOUND["public_spki"]
NUMBERS = private_numbers(PRIVATE)
PUBLIC_NUMBERS = public_numbers(PUBLIC)


def seal(cipher_key: CipherKey = CipherKey.OWN_PRIVATE, sign_hash: SignHash = SignHash.MD5) -> Seal:
    """A seal whose two ends hold the same pair."""
    return Seal(read_private(PRIVATE), read_public(PUBLIC), cipher_key, sign_hash)
