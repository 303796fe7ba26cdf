"""`lotgate commission` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.__main__ import main
from tests.sites import prepared
from tests.test_export import CITY


def run(*arguments: object, said: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(main, list(map(str, arguments)), input=said, prog_name="lotgate")
    return done.exit_code, done.stdout


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration with every file that it names; its path."""
    return prepared(tmp_path)


def shown(site: Path) -> dict[str, dict[str, object]]:
    _, text = run("commission", "--config", site, "--list", "--json")
    return {f"{one['item']}@{one['of']}": one for one in map(json.loads, text.splitlines())}


def good(one: dict[str, object]) -> str:
    return f"{one['low']}" if "unit" in one else "yes"


def test_answers_given_are_written_and_the_verifier_accepts_them(site: Path) -> None:
    names = list(shown(site))
    assert run("commission", "--config", site, "--list")[0] == 1
    given = [word for name, one in shown(site).items() for word in ("--answer", f"{name}={good(one)}")]
    code, text = run("commission", "--config", site, "--by", "engineer-7", *given)
    assert code == 0
    assert text.count("passed ") == len(names)
    assert {one["result"] for one in shown(site).values()} == {"passed"}
    assert {one["by"] for one in shown(site).values()} == {"engineer-7"}
    out, anchor = site.parent / "ledger.export", site.parent / "anchor.pub"
    anchor.write_bytes(CITY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert run("export", "--config", site, "--out", out)[0] == 0
    assert run("verify", out, "--anchor", anchor)[0] == 0


def test_it_asks_what_has_not_passed_and_goes_on_after_a_slip(site: Path) -> None:
    names = list(shown(site))
    code, _ = run("commission", "--config", site, "--by", "e", said="perhaps\nyes\n24000\n" + "\n" * len(names))
    assert code == 1
    first = shown(site)
    assert [first[name]["result"] for name in names[:3]] == ["passed", "passed", "open"]
    run("commission", "--config", site, "--by", "e", said="5\n" + "\n" * len(names))
    assert (shown(site)[names[2]]["result"], shown(site)[names[2]]["value"]) == ("failed", 5)


@pytest.mark.parametrize(("arguments", "code"), [
    (("--list", "--by", "e"),                                   1),
    ((),                                                        2),
    (("--list", "--answer", "x=1"),                             2),
    (("--by", "engineer seven", "--list"),                      2),
    (("--by", "e", "--answer", "nothing@here=1"),               2),
    (("--by", "e", "--answer", "earth"),                        2),
    (("--by", "e", "--answer", "EARTH=perhaps"),                1),
])  # fmt: skip
def test_exit_codes(arguments: tuple[str, ...], code: int, site: Path) -> None:
    earth = next(name for name in shown(site) if name.startswith("earth@"))
    words = [word.replace("EARTH", earth) for word in arguments]
    assert run("commission", "--config", site, *words)[0] == code
    assert not (site.parent / "data" / "ledger.db").exists()


def test_a_configuration_that_is_not_there_is_78(tmp_path: Path) -> None:
    assert run("commission", "--config", tmp_path / "none.toml", "--list")[0] == 78


def test_help_tells_examples_and_codes() -> None:
    text = run("commission", "--help")[1]
    assert "--answer rest@lanes=282 --answer fire@in-1=yes" in text
    assert "0 everything passed, 1 something open" in " ".join(text.split())


def test_completion_knows_the_questions(site: Path) -> None:
    complete = ShellComplete(main, {}, "lotgate", "_LOTGATE_COMPLETE")
    found = complete.get_completions(["commission", "--config", str(site), "--answer"], "earth")
    assert [one.value for one in found] == [f"{name}=" for name in shown(site) if name.startswith("earth")]
