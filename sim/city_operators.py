"""The city's list of operators: read from a file, signed for each chain, and kept at the broker.

The file is JSON: {"version": 1, "operators": [{"pub": base64 of 32 bytes, "name": ..., "roles": [...], "expires_ms": ...}]}.
Whoever edits it raises the version. Sans-IO but for reading the file; time is an argument.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sim.city import City, Outgoing
from sim.city_verifier import write

DOMAIN = "lotgate-operators-v1\n"


def operator_lists(city: City, name: str, chains: Iterable[str], path: Path, now_ms: int) -> list[Outgoing]:
    """The retained message for each chain of the city called `name` in the topics."""
    asked = json.loads(path.read_text(encoding="utf-8"))
    operators = [_entry(one) for one in asked["operators"]]
    found = []
    for chain in chains:
        content = {"chain": chain, "version": asked["version"], "at_ms": now_ms, "operators": operators}
        line, signature = city.signed(DOMAIN, content)
        body = write({"v": 1, "line": line, "sig": base64.b64encode(signature).decode("ascii")})
        found.append(Outgoing(f"park/v1/{name}/{chain}/cfg/operators", body.encode("utf-8"), 1, True))
    return found


def _entry(one: dict[str, Any]) -> dict[str, Any]:
    key = hashlib.sha256(base64.b64decode(one["pub"])).hexdigest()[:16]
    return {"key": key, **{name: one[name] for name in ("pub", "name", "roles", "expires_ms")}}
