"""The command line of commissioning: `lotgate commission`.

Owns its arguments, questions, output and exit codes: 0 everything passed, 1 something is open, failed, or could not be
written, 2 wrong usage, 78 configuration. Judges nothing itself.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from gateway.commissioning import Answered
    from gateway.config import Config
    from gateway.core.commissioning import Question

EXIT_CONFIG = 78
EPILOG = """\b
Example: lotgate commission --config gateway.toml --by engineer-7
         lotgate commission --config gateway.toml --by engineer-7 --answer rest@lanes=282 --answer fire@in-1=yes
         lotgate commission --config gateway.toml --list --json

Exit codes: 0 everything passed, 1 something open, failed or not written, 2 usage, 78 configuration."""


class _ConfigFailure(click.ClickException):
    """The configuration, or a file that it names, can't be used."""

    exit_code = EXIT_CONFIG


def _complete_answer(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    from gateway.commissioning import asked
    from gateway.config import ConfigError, load_config

    try:
        config = load_config(Path(context.params.get("config_path") or ""))
    except (ConfigError, OSError):
        return []
    return [CompletionItem(f"{one.name}=") for one in asked(config) if one.name.startswith(begun)]


def _who(_context: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
    if given is not None and not (given.replace("-", "").isalnum() and given.isascii() and len(given) <= 32):
        raise click.BadParameter("up to 32 letters, digits and hyphens: a staff number, as the city will read it")
    return given


@click.command(epilog=EPILOG)
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), required=True, help="The gateway's TOML file."
)
@click.option("--by", callback=_who, help="Who answers: a staff number; it goes into the ledger and to the city.")
@click.option(
    "--answer",
    "given",
    multiple=True,
    metavar="ITEM@THING=VALUE",
    shell_complete=_complete_answer,
    help="Answer this question and ask nothing: an integer, or yes or no.",
)
@click.option("--note", default="", help="A few words beside the answers; what looks like a plate is struck out.")
@click.option("--list", "only_list", is_flag=True, help="Show what is answered and what is open; works while it runs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a question.")
def commission(
    config_path: Path, by: str | None, given: tuple[str, ...], note: str, only_list: bool, as_json: bool
) -> None:
    """Walk through the checklist of a new lot and sign each answer into the ledger. The gateway must not run.

    Without --answer it asks every question that has not passed yet; an empty line leaves one open. An answer outside its
    limits is written as failed, and can be answered again: the newest one counts.
    """
    from gateway.commissioning import answered, asked
    from gateway.config import load_config

    if not only_list and by is None:
        raise click.UsageError("say who answers with --by, or only look with --list")
    if only_list and given:
        raise click.UsageError("--list only looks; leave --answer out")
    with _errors():
        config = load_config(config_path)
        questions, known = asked(config), answered(config)
        if given:
            _write(config, _parsed(questions, given), by or "", note)
        elif not only_list:
            _walk(
                config,
                [one for one in questions if one.name not in known or not known[one.name].passed],
                by or "",
                note,
            )
        known = answered(config)
    for question in questions:
        click.echo(_shown(question, known.get(question.name), as_json=as_json))
    sys.exit(0 if all(one.name in known and known[one.name].passed for one in questions) else 1)


def _parsed(questions: list[Question], given: tuple[str, ...]) -> list[tuple[Question, int]]:
    from gateway.commissioning import parse

    by_name = {one.name: one for one in questions}
    found = []
    for text in given:
        name, _, value = text.rpartition("=")
        if name not in by_name:
            raise click.UsageError(f"{name or text!r} is no question of this lot; --list shows them")
        found.append((by_name[name], parse(by_name[name], value)))
    return found


def _walk(config: Config, questions: list[Question], by: str, note: str) -> None:
    """Ask each, and write each before the next one is asked, so that a laptop may go flat."""
    from gateway.commissioning import CommissioningError, parse

    for question in questions:
        item = question.item
        wanted = f"{item.low} to {item.high} {item.unit}" if item.unit else "yes or no"
        while True:
            said = click.prompt(
                f"{question.name}: {item.ask} ({wanted})", default="", show_default=False, err=True
            ).strip()
            if not said:
                break
            try:
                value = parse(question, said)
            except CommissioningError as error:
                click.echo(str(error), err=True)
                continue
            _write(config, [(question, value)], by, note)
            break


def _write(config: Config, answers: list[tuple[Question, int]], by: str, note: str) -> None:
    from gateway.commissioning import write
    from gateway.shell.clock import SystemClock

    n = write(config, SystemClock(), answers, by=by, note=note)
    click.echo(f"written up to record {n}", err=True)


def _shown(question: Question, answer: Answered | None, *, as_json: bool) -> str:
    outcome = "open" if answer is None else "passed" if answer.passed else "failed"
    item = question.item
    if as_json:
        found: dict[str, str | int] = {"item": item.item, "of": question.of, "ask": item.ask, "result": outcome}
        if item.unit:
            found |= {"unit": item.unit, "low": item.low, "high": item.high}
        if answer is not None:
            found |= {"value": answer.value, "by": answer.by, "n": answer.n}
        return json.dumps(found)
    value = "" if answer is None or not item.unit else f"{answer.value} {item.unit}"
    return f"{outcome:<7} {question.name:<28} {value:<12} {item.ask}"


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    from gateway.commissioning import CommissioningError
    from gateway.config import ConfigError
    from gateway.core.calendar import CalendarError
    from gateway.core.tariff import TariffError
    from gateway.shell.signer import KeyFileError
    from gateway.store.journal import LedgerError
    from gateway.store.reader import ReaderError
    from gateway.store.schema import SchemaError

    try:
        yield
    except (CommissioningError, OSError) as error:
        raise click.ClickException(str(error)) from None
    except (ConfigError, CalendarError, TariffError, KeyFileError, LedgerError, ReaderError, SchemaError) as error:
        raise _ConfigFailure(str(error)) from None
