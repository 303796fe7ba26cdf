"""Documents against the code: record types, the states of a stay, commands, decisions."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.__main__ import main
from gateway.core.city_events import (
    BillCorrected,
    BillVoided,
    BillWrittenOff,
    CashTaken,
    DayTallied,
    DisputeClosed,
    DisputeOpened,
    ExitAttached,
    InvoiceRequested,
    ShiftClosed,
    ShiftOpened,
)
from gateway.core.entitlement import Kind, Policy, Way
from gateway.core.events import (
    BarrierSelfOpened,
    BudgetSpent,
    Commissioned,
    EventsLost,
    HelpCalled,
    Position,
    SelfOpening,
    Woke,
)
from gateway.core.exit import WithoutLease
from gateway.core.lot import HEARTBEAT_MS
from gateway.core.memory import MAX_STAY_MS
from gateway.core.session import DAY_MS, TRANSITIONS, State, Trigger
from gateway.orders import LEAST_ROLE, Code, Role, Verb
from gateway.store.journal import Permit
from gateway.store.restoring import replace_ledger
from gateway.sync.down_forms import KINDS
from sim.hangzhou import Account
from tests import entitled
from tests.lots import CHAIN, HOUR_MS, START_MS, SmallLot, at, plate
from tests.operating import MANAGER, OperatedLot
from tests.platforms import PlatformLot
from tests.records import OTHER_KEY

ROOT = Path(__file__).resolve().parent.parent


def written_types() -> set[str]:
    """First argument of every Draft(...) in the product."""
    types: set[str] = set()
    for path in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Draft":
                types |= {item.value for item in ast.walk(node.args[0]) if isinstance(item, ast.Constant)}
    return types


def written_records(folder: Path) -> list[dict[str, Any]]:
    """The records of a day on which everything happens that a record is written for."""
    lot = OperatedLot(folder, policy=WithoutLease.PAY_HERE)
    lot.list(MANAGER)
    lot.obey(MANAGER, Verb.UNBLOCK, {"plate": plate().identity})
    stays = {name: lot.enter(plate(name)) for name in ("浙A00001", "浙A00002", "浙A00003")}
    lot.step(lot.lease(stays["浙A00001"], 100_000), lot.lease("1.999", 1))
    lot.wait(9 * HOUR_MS)
    for name, session in stays.items():
        lot.step(lot.read("out", plate(name)))
        owed_minor = int(lot.last("exit")["amount_minor"])
        if name == "浙A00002":
            lot.step(lot.lease(session, 100_000))
        lot.step(lot.passed("out"))
        lot.step(lot.payment(session, owed_minor, paid=name != "浙A00001"))
    lot.enter()
    lot.step(lot.read("out"))
    lot.wait(60_000)
    lot.enter()
    lot.step(lot.read("out", plate("浙A00009")))
    lot.step(lot.backed_out("out"), lot.barrier("out-2", Position.OPEN))
    lot.step(lot.read("out", plate("浙A00007")))
    lot.step(lot.read("in", plate("浙A00007")), lot.passed("in", age_ms=60_000))
    lot.step(HelpCalled(lot.source("out"), "out"), EventsLost(lot.source("bays"), 1, 1))
    lot.step(BarrierSelfOpened(lot.source("out"), "out", SelfOpening.UNANSWERED), BudgetSpent("out", 201))
    lot.step(Commissioned("ab" * 32, "fire", "in", 1, "", True, "engineer-7", ""))
    grants_and_their_effects(lot)
    lot.step(Woke(), after_ms=MAX_STAY_MS)
    lot.step(after_ms=HEARTBEAT_MS)
    what_follows_an_exit(lot, stays["浙A00003"])
    lot.enter(plate("浙B11115"))
    lot.wait(60_000)
    lot.step(lot.read("out-2", plate("浙B1111S")), lot.backed_out("out-2"))
    lot.restart(successor=OTHER_KEY)
    lot.engine.step((), replace(at(lot.now_ms), wall_ms=START_MS))
    return [*lot.lines(), *later_epoch(folder / "later"), *platform_records(folder / "platform")]


def later_epoch(folder: Path) -> list[dict[str, Any]]:
    """The records of a ledger that was restored."""
    folder.mkdir()
    replace_ledger(folder / "ledger.db", Permit(CHAIN, 2, 7, "ab" * 32, START_MS, "{}", bytes(64)), instance="i")
    return SmallLot(folder).lines()


def platform_records(folder: Path) -> list[dict[str, Any]]:
    """Those of a lot that speaks a city's own protocol: a difference, a day that was compared."""
    folder.mkdir()
    lot = PlatformLot(folder, {plate().text: Account(5000, discount=100)})
    lot.enter()
    lot.settle()
    lot.wait(HOUR_MS)
    lot.step(lot.read("out"))
    lot.step(lot.passed("out"))
    lot.city.faults.short = 1
    lot.settle()
    lot.wait(30 * HOUR_MS)
    lot.settle()
    return lot.lines()


def what_follows_an_exit(lot: SmallLot, paid: str) -> None:
    """Everything that happens to money afterwards and that leaves a record."""
    lot.step(Woke(), after_ms=8 * DAY_MS)
    lot.step(replace(lot.payment(paid, 100), place="lot-2"))
    lot.step(lot.refund(paid, 50))
    lot.step(lot.line(DisputeOpened, "d-1", paid, "not me"), lot.line(DisputeClosed, "d-1", paid, False))
    set_by, amount_minor = lot.rows(f"SELECT priced_n, amount_minor FROM session WHERE id = '{paid}'")[0]
    lot.step(lot.line(BillCorrected, "c-1", paid, set_by, amount_minor + 500, "wrong class"))
    lot.step(Woke(), after_ms=2 * DAY_MS)
    lot.step(lot.line(BillWrittenOff, "w-1", paid, "no address"), lot.payment(paid, 1))
    session = lot.enter(plate("浙A00007"))
    lot.step(lot.lease(session, 100_000))
    lot.wait(HOUR_MS)
    lot.step(lot.read("out", plate("浙A00077")))
    lot.step(lot.line(ExitAttached, "a-1", session, str(lot.last("exit")["session"]), "entry", "seen on the picture"))
    lot.step(lot.line(BillVoided, "v-1", session, "an ambulance"))
    lot.step(lot.line(ShiftOpened, "s-1", "wang", 500), lot.line(CashTaken, "k-1", paid, "", 10, "wang", "s-1"))
    lot.step(lot.line(ShiftClosed, "s-1", "wang", 500))
    lot.step(lot.payment(paid, 10_000), lot.line(InvoiceRequested, "i-1", paid, 900))
    lot.step(Woke(), after_ms=DAY_MS)
    lot.step(lot.line(DayTallied, "t-1", lot.last("day")["day"], (("entries", 99),)))


def grants_and_their_effects(lot: SmallLot) -> None:
    """Everything that the city grants beforehand and that leaves a record."""
    blocked = plate("浙A00004")
    lot.step(lot.grant(entitled.block(Policy.NOTIFY, Policy.ATTENDANT, plate=blocked.identity)))
    lot.step(
        lot.grant(entitled.standing(plate=blocked.identity)), lot.grant(entitled.suspension(plate=blocked.identity))
    )
    lot.step(lot.grant(entitled.benefit(Way.PERCENT, 10)))
    session = lot.enter(blocked)
    lot.wait(9 * HOUR_MS)
    lot.step(lot.read("out", blocked))
    lot.step(lot.passed("out"))
    lot.step(lot.lease(session, 100_000), lot.withdraw(Kind.BENEFIT, "b1"), lot.recount(1))
    lot.step(lot.grant(entitled.validation(Way.FREE, plate=blocked.identity)), lot.grant(entitled.house(1)))
    lot.step(lot.read("in", plate("浙A00005")))


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


def test_every_member_of_a_record_is_documented_and_no_other(tmp_path: Path) -> None:
    written: dict[str, set[str]] = defaultdict(set)
    around: set[str] = set()
    for line in written_records(tmp_path):
        around |= line.keys()
        written[line["type"]] |= line["body"].keys()
        for part in ("source", "lease", "lines", "figures", "differences", "abandoned"):
            value = line["body"].get(part, {})
            if not isinstance(value, str):
                written[part] |= {member for one in (value if isinstance(value, list) else [value]) for member in one}
    text = (ROOT / "docs/RECORDS.md").read_text(encoding="utf-8")
    documented = {}
    for heading, column in (("Types", 2), ("Parts of bodies", 1)):
        for row in table_rows(text, heading):
            members = re.sub(r" \([^)]*\)", "", row[column]).split(", ")
            documented[row[0].strip("`")] = set(members)
    del documented["type"], documented["part"]
    written["figures"] -= {name for name in written["figures"] if name.startswith("outcome-")} - {"outcome-review"}
    assert documented == written
    named = ", ".join(row[0] for row in table_rows(text, "Around every body"))
    assert set(re.findall("`([a-z]+)`", named)) == around


def test_verbs_roles_and_refusals_of_operators_are_documented_and_no_others() -> None:
    text = (ROOT / "docs/CONSOLE.md").read_text(encoding="utf-8")
    verbs, codes, roles = (
        [row[0].strip("`") for row in table_rows(text, heading)][1:] for heading in ("Verbs", "A reply", "Who may what")
    )
    assert verbs == [str(verb) for verb in Verb]
    assert sorted(codes) == sorted(str(code) for code in Code if code)
    assert roles == [str(role) for role in Role]
    for role, said in ((row[0], row[1]) for row in table_rows(text, "Who may what")):
        named = {verb for verb in Verb if re.search(rf"\b{verb}\b", said)}
        assert named == {verb for verb in Verb if LEAST_ROLE[verb] == role}


def test_the_diagram_is_drawn_from_the_table() -> None:
    text = (ROOT / "docs/SESSION.md").read_text(encoding="utf-8")
    found = re.search(r"```mermaid\n(.*?)\n```", text, re.DOTALL)
    assert found is not None
    assert found[1] == drawn_states(), f"docs/SESSION.md should hold:\n{drawn_states()}"


@pytest.mark.parametrize("word", [str(word) for word in [*State, *Trigger]])
def test_every_state_and_trigger_is_explained(word: str) -> None:
    text = (ROOT / "docs/SESSION.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{word}` +\| \S", text, re.MULTILINE), word


def test_every_line_down_is_documented_with_its_members() -> None:
    rows = list(
        table_rows(
            (ROOT / "docs/MONEY.md").read_text(encoding="utf-8").replace("# Money after the exit", "## Lines"), "Lines"
        )
    )
    documented = {row[0].strip("`"): set(re.sub(r" \([^)]*\)", "", row[1]).split(", ")) for row in rows[1:]}
    assert documented == {kind: set(form) for kind, (form, _) in KINDS.items()}


def test_every_command_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in main.commands if f"lotgate {name}" not in text]
    assert missing == []


def test_every_dependency_is_accounted_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    wanted += [one for extra in project["project"]["optional-dependencies"].values() for one in extra]
    names = {re.split(r"[\[<>=;, ]", one)[0] for one in wanted} - {project["project"]["name"]}
    names |= set(re.findall(r"micropython-[a-z0-9-]+-stubs", (ROOT / "Makefile").read_text(encoding="utf-8")))
    rows = list(table_rows((ROOT / "DECISIONS.md").read_text(encoding="utf-8"), "Dependencies"))[1:]
    assert {name.split(" ")[0] for row in rows for name in row[0].split(", ")} == names
    assert all(all(row) and "MB" in row[3] for row in rows)


def test_every_test_that_the_peers_rows_name_exists() -> None:
    rows = list(table_rows((ROOT / "docs/PEERS.md").read_text(encoding="utf-8"), "Rows"))[1:]
    assert [row[0] for row in rows] == [f"R{number}" for number in range(1, 24)]
    for row in rows:
        named = re.findall(r"`([^`]+)::([^`]+)`", row[2])
        assert named, row[0]
        assert row[3] in ("holds", "in part", "not covered"), row[0]
        for path, test in named:
            assert f"def {test}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), f"{row[0]}: {path}::{test}"


def test_every_link_in_the_documents_leads_somewhere() -> None:
    for path in [ROOT / "README.md", ROOT / "DECISIONS.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"
