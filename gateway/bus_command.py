"""The command line of the bus: `lotgate bus scan`, `test`, `watch`, `capture`.

Owns their arguments, output and exit codes: 0 all well, 1 a node missing, a limit passed or no port, 2 wrong usage, 78
configuration. Knows no frame.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from gateway.bus_tool import Report
    from gateway.config import BusPart, Config
    from gateway.link.tap import Heard

SCAN_ROUNDS = 3
TEST_ROUNDS = 200
EXIT_CONFIG = 78


class _ConfigFailure(click.ClickException):
    """The configuration, or a file that it names, can't be used."""

    exit_code = EXIT_CONFIG


def _complete_bus(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    from gateway.config import ConfigError, load_config

    try:
        config = load_config(Path(context.params.get("config_path") or ""))
    except (ConfigError, OSError):
        return []
    return [CompletionItem(bus.name) for bus in config.buses if bus.name.startswith(begun)]


def _bus_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every one of these commands has."""
    for option in (
        click.option("--port", help="The serial port, if not the configuration's: a laptop's own adapter."),
        click.option("--bus", "bus_name", shell_complete=_complete_bus, help="The bus, if the lot has several."),
        click.option(
            "--config", "config_path", type=click.Path(path_type=Path), required=True, help="The gateway's TOML file."
        ),
    ):
        command = option(command)
    return command


HELLO = click.option("--hello", type=click.IntRange(1), help="Hello number, where the ledger is not at hand.")
SECONDS = click.option("--seconds", type=click.FloatRange(0.1), help="Stop after so long; until Ctrl-C if not given.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group(
    epilog="Example: lotgate bus scan --config gateway.toml. Exit codes: 0 all well, 1 a node missing, a limit passed or no"
    " port, 2 usage, 78 configuration."
)
def bus() -> None:
    """Look at a serial bus: who is there, how well it carries, what is said. `scan` and `test` need the gateway stopped."""


@bus.command(epilog="Example: lotgate bus scan --config gateway.toml --bus lanes")
@_bus_options
@HELLO
@JSON
def scan(config_path: Path, bus_name: str | None, port: str | None, hello: int | None, as_json: bool) -> None:
    """Say of each configured node whether it is there, and who else answers. Takes no event from anybody."""
    report = _asked(config_path, bus_name, port, hello, SCAN_ROUNDS)
    _show(report, as_json=as_json)
    sys.exit(0 if all(one.state == "present" for one in report.nodes) and not report.strangers else 1)


@bus.command(epilog="Example: lotgate bus test --config gateway.toml --bus lanes --rounds 1000 --lost-max 0.5")
@_bus_options
@HELLO
@click.option("--rounds", type=click.IntRange(1), default=TEST_ROUNDS, show_default=True, help="Polls of each node.")
@click.option("--lost-max", type=float, default=1.0, show_default=True, help="Percent of polls that may go unanswered.")
@JSON
def test(
    config_path: Path,
    bus_name: str | None,
    port: str | None,
    hello: int | None,
    rounds: int,
    lost_max: float,
    as_json: bool,
) -> None:
    """Measure error rate and round trip of each node. Takes no event from anybody."""
    report = _asked(config_path, bus_name, port, hello, rounds)
    _show(report, as_json=as_json)
    well = all(
        one.state == "present" and 100 * (one.asked - len(one.trips_us)) <= lost_max * one.asked for one in report.nodes
    )
    sys.exit(0 if well else 1)


@bus.command(epilog="Example: lotgate bus watch --config gateway.toml --port /dev/serial/by-id/my-adapter --json")
@_bus_options
@SECONDS
@click.option("--idle", is_flag=True, help="Show also polls and replies that bring nothing.")
@JSON
def watch(
    config_path: Path, bus_name: str | None, port: str | None, seconds: float | None, idle: bool, as_json: bool
) -> None:
    """Show live what is said, decoded from each node's next hello on. Listens only; plates are masked."""
    from gateway.bus_tool import listen, tracer
    from gateway.heard import heard_json, heard_lines

    def show(heard: Heard) -> None:
        lines = [json.dumps(heard_json(heard))] if as_json else heard_lines(heard, idle=idle)
        for line in lines:
            click.echo(line)

    with _errors():
        _, part = _part(config_path, bus_name, port)
        with contextlib.suppress(KeyboardInterrupt):
            listen(part, seconds=seconds, heard=tracer(part, show))


@bus.command(epilog="Example: lotgate bus capture bus.capture --config gateway.toml --seconds 60, then lotgate replay")
@click.argument("out", type=click.Path(path_type=Path))
@_bus_options
@SECONDS
def capture(out: Path, config_path: Path, bus_name: str | None, port: str | None, seconds: float | None) -> None:
    """Write everything that is said to OUT, for `lotgate replay`. Listens only; keys never enter the file."""
    from gateway.bus_line import Capture
    from gateway.bus_tool import listen, recorder

    with _errors():
        _, part = _part(config_path, bus_name, port)
        try:
            with out.open("a", encoding="utf-8") as file, contextlib.suppress(KeyboardInterrupt):
                listen(part, seconds=seconds, heard=recorder(part, Capture(file)))
        except OSError as error:
            raise click.ClickException(f"{out}: {error.strerror}; name a file in a folder that is there") from None


def _asked(config_path: Path, bus_name: str | None, port: str | None, hello: int | None, rounds: int) -> Report:
    from gateway.bus_tool import ask, next_hello

    with _errors():
        config, part = _part(config_path, bus_name, port)
        return ask(part, hello=next_hello(config, hello), rounds=rounds)


def _show(report: Report, *, as_json: bool) -> None:
    from gateway.bus_tool import HEADING, found_json, found_line

    if as_json:
        nodes = [found_json(one) for one in report.nodes]
        click.echo(json.dumps({"nodes": nodes, "strangers": report.strangers, "rejected": report.rejected}))
        return
    click.echo(HEADING)
    for one in report.nodes:
        click.echo(found_line(one))
    for address in report.strangers:
        click.echo(f"{address:>4}  answers, but is not in the configuration")
    if report.rejected:
        click.echo("not read: " + ", ".join(f"{count} {reason}" for reason, count in sorted(report.rejected.items())))


def _part(config_path: Path, bus_name: str | None, port: str | None) -> tuple[Config, BusPart]:
    from gateway.bus_tool import find_bus
    from gateway.config import load_config

    config = load_config(config_path)
    return config, find_bus(config, bus_name, port)


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    from gateway.bus_tool import BusToolError
    from gateway.config import ConfigError
    from gateway.store.journal import LedgerError
    from gateway.store.schema import SchemaError

    try:
        yield
    except BusToolError as error:
        raise click.ClickException(str(error)) from None
    except (ConfigError, LedgerError, SchemaError) as error:
        raise _ConfigFailure(str(error)) from None
