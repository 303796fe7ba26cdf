"""Documents against the code: record types, the states of a stay, commands, decisions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.__main__ import main
from gateway.core.session import TRANSITIONS, State, Trigger

ROOT = Path(__file__).resolve().parent.parent


def written_types() -> set[str]:
    """First argument of every Draft(...) in the product."""
    types: set[str] = set()
    for path in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Draft":
                types |= {item.value for item in ast.walk(node.args[0]) if isinstance(item, ast.Constant)}
    return types


def table_rows(text: str, heading: str) -> Iterator[list[str]]:
    """Cells of the first table below a heading."""
    below = text.split(f"## {heading}\n", 1)[1]
    for line in below.splitlines():
        if line.startswith("## "):
            return
        if line.startswith("| ") and not set(line) <= set("|- "):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def drawn_states() -> str:
    """The diagram of docs/SESSION.md, from the table in the code."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.INSIDE}"]
    for state, moves in TRANSITIONS.items():
        lines += [f"    {state} --> {to}: {trigger}" for trigger, to in moves.items()]
        if not moves:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines)


def test_every_record_type_is_documented_and_no_other() -> None:
    text = (ROOT / "docs/RECORDS.md").read_text(encoding="utf-8")
    documented = {row[0].strip("`") for row in table_rows(text, "Types")} - {"type"}
    assert documented == written_types()


def test_the_diagram_is_drawn_from_the_table() -> None:
    text = (ROOT / "docs/SESSION.md").read_text(encoding="utf-8")
    found = re.search(r"```mermaid\n(.*?)\n```", text, re.DOTALL)
    assert found is not None
    assert found[1] == drawn_states(), f"docs/SESSION.md should hold:\n{drawn_states()}"


@pytest.mark.parametrize("word", [str(word) for word in [*State, *Trigger]])
def test_every_state_and_trigger_is_explained(word: str) -> None:
    text = (ROOT / "docs/SESSION.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{word}` +\| \S", text, re.MULTILINE), word


def test_every_command_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in main.commands if f"lotgate {name}" not in text]
    assert missing == []


def test_every_link_in_the_documents_leads_somewhere() -> None:
    for path in [ROOT / "README.md", ROOT / "DECISIONS.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"
