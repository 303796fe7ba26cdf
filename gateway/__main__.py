"""The command line: `lotgate run`, `bus`, `commission`, `quote`, `tariff`, `ctl`, `console`, `export`, `verify`, `replay`,
`check-config`, `key`, `completion`.

Owns arguments, output and exit codes: 0 done, 1 failed, 2 wrong usage, 3 self-consistent only (verify), 4 no answer (ctl), 75
try later, 78 configuration. Every error names the file, the key, the value and the remedy. Knows no rule of the lot.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from gateway.bus_command import bus
from gateway.commission_command import commission
from gateway.console_command import console
from gateway.ctl_command import ctl, operator_key
from gateway.ctl_looks import bill, sessions
from gateway.tariff_command import quote, tariff

if TYPE_CHECKING:
    from gateway.config import Config

EXIT_CONFIG = 78


class ConfigFailure(click.ClickException):
    """The configuration or a file that it names can't be used; not worth starting again."""

    exit_code = EXIT_CONFIG


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog="Exit codes: 0 done, 1 failed, 2 usage.")
@click.version_option(version("lotgate"), prog_name="lotgate")
def main() -> None:
    """The parking gateway for pay-after-exit: sensors over serial, stays in SQLite, signed records over MQTT."""


main.add_command(bus)
main.add_command(commission)
ctl.add_command(sessions)
ctl.add_command(bill)
main.add_command(ctl)
main.add_command(operator_key)
main.add_command(console)
main.add_command(quote)
main.add_command(tariff)


@main.command(epilog="Example: lotgate run --config /etc/lotgate/gateway.toml")
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), required=True, help="The gateway's TOML file."
)
@click.option("--capture", type=click.Path(path_type=Path), help="Write all serial bytes to this file, for `replay`.")
def run(config_path: Path, capture: Path | None) -> None:
    """Run the gateway until a signal ends it."""
    from gateway import run as running
    from gateway.bus_line import Capture
    from gateway.shell.clock import SystemClock

    _log_to_stderr()
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(capture.open("a", encoding="utf-8")) if capture else None
        except OSError as error:
            raise click.ClickException(f"{capture}: {error.strerror}; name a file in a folder that is there") from None
        with _config_errors():
            config = _config(config_path)
            code = running.run(config, SystemClock(), Capture(file) if file else None)
    sys.exit(code)


@main.command("check-config", epilog="Example: lotgate check-config --config gateway.toml")
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), required=True, help="The gateway's TOML file."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def check_config(config_path: Path, as_json: bool) -> None:
    """Check the configuration and every file that it names, and change nothing."""
    from gateway.bus_line import site_key
    from gateway.core.tariff_check import check
    from gateway.export import Statement
    from gateway.lot_rules import load_rules
    from gateway.shell.signer import Signer, load_public
    from gateway.store.reader import first_key

    with _config_errors():
        config = _config(config_path)
        signer = Signer.load(config.gateway.key)
        rules = load_rules(config, load_public(config.city.public_key))
        tariff = rules.tariff
        check(tariff, rules.calendar)
        first = first_key(config.gateway.data / "ledger.db") or signer.key
        Statement.load(config.gateway.statement).check(chain=config.gateway.id, key=first)
        for bus in config.buses:
            site_key(bus.site_key)
        config.broker.check_files()
        hangzhou = config.hangzhou
        if hangzhou is not None:
            hangzhou.check_files()
    layout = config.layout
    warnings = [f"hangzhou: {warning}" for warning in hangzhou.warnings()] if hangzhou is not None else []
    found = {
        "gateway": config.gateway.id,
        "lot": layout.lot,
        "lanes": {lane: str(role) for lane, role in layout.lanes.items()},
        "bays": len(layout.bays),
        "tariff": tariff.name,
        "currency": tariff.currency,
        "key": signer.key,
        "warnings": warnings,
    }
    if as_json:
        click.echo(json.dumps(found))
        return
    lanes = ", ".join(f"{lane} ({role})" for lane, role in layout.lanes.items())
    click.echo(f"{config_path}: good. Lot {layout.lot}: lanes {lanes}; {len(layout.bays)} bays; tariff {tariff.name}.")
    for warning in warnings:
        click.echo(f"warning: {warning}")


@main.command(epilog="Example: lotgate export --config gateway.toml --out ledger.export")
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), required=True, help="The gateway's TOML file."
)
@click.option(
    "--out", type=click.File("w", encoding="utf-8"), default="-", help="File to write; standard output if not given."
)
def export(config_path: Path, out: TextIO) -> None:
    """Write the whole ledger as lines that `verify`, or anybody, can check."""
    from gateway.core.record import key_id
    from gateway.export import Statement, export_lines
    from gateway.shell.signer import load_public
    from gateway.store.reader import Reader, ReaderError

    with _config_errors():
        config = _config(config_path)
        statement = Statement.load(config.gateway.statement)
        city_key = key_id(load_public(config.city.public_key))
    try:
        reader = Reader(config.gateway.data / "ledger.db")
    except ReaderError as error:
        raise click.ClickException(str(error)) from None
    for line in export_lines(reader, statement, city_key=city_key):
        out.write(line)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def verify(arguments: tuple[str, ...]) -> None:
    """Check an export or a driver's bill: lotgate verify EXPORT --anchor CITY.pub [--json], or --bill FILE for EXPORT."""
    from gateway import bill_verifier, verifier

    of_a_bill = any(argument.split("=")[0] == "--bill" for argument in arguments)
    sys.exit((bill_verifier if of_a_bill else verifier).main(list(arguments)))


@main.command(epilog="Example: lotgate replay bus.capture --config gateway.toml")
@click.argument("capture", type=click.Path(path_type=Path))
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), required=True, help="The gateway's TOML file."
)
def replay(capture: Path, config_path: Path) -> None:
    """Send a serial capture through the real engine and print what it saw and decided."""
    from gateway.replay import CaptureError, replay_lines

    with _config_errors():
        config = _config(config_path)
        try:
            for line in replay_lines(config, capture):
                click.echo(line)
        except CaptureError as error:
            raise click.ClickException(str(error)) from None


@main.command(epilog="Example: lotgate watch --host broker.example --port 8883 --city hangzhou --ca ca.pem --json")
@click.option("--host", required=True, help="The broker.")
@click.option("--port", type=click.IntRange(1, 65535), default=1883, show_default=True)
@click.option("--city", required=True, help="The city's part of the topics.")
@click.option("--username", default="", help="User at the broker.")
@click.option("--password-file", type=click.Path(exists=True, path_type=Path), help="File with the user's password.")
@click.option(
    "--ca", type=click.Path(exists=True, path_type=Path), help="CA of the broker's certificate; turns TLS on."
)
@click.option("--certificate", type=click.Path(exists=True, path_type=Path), help="This console's certificate.")
@click.option("--key", type=click.Path(exists=True, path_type=Path), help="The key of the certificate.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a message.")
def watch(
    host: str,
    port: int,
    city: str,
    username: str,
    password_file: Path | None,
    ca: Path | None,
    certificate: Path | None,
    key: Path | None,
    as_json: bool,
) -> None:
    """Show live what the gateways of a city say: presence, occupancy, cars in and out, alarms."""
    from gateway.console.listener import BrokerRefusedError, listen
    from gateway.console.watch import filters, shown

    try:
        listen(
            host=host,
            port=port,
            filters=filters(city),
            on_message=lambda topic, payload: click.echo(shown(topic, payload, as_json=as_json)),
            username=username,
            password=password_file.read_text(encoding="utf-8").strip() if password_file else "",
            ca=ca,
            certificate=certificate,
            key=key,
        )
    except (BrokerRefusedError, OSError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        return


@main.command(epilog="Example: lotgate key /etc/lotgate/record.pem")
@click.argument("path", type=click.Path(path_type=Path))
def key(path: Path) -> None:
    """Make this gateway's record key; print its public half, which the city signs at enrolment."""
    from gateway.shell.signer import KeyFileError, Signer

    try:
        signer = Signer.create(path)
    except (KeyFileError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"key {signer.key}\npublic {signer.public_base64}")


@main.command(epilog="Example: lotgate restore --config gateway.toml --permit permit.json")
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), required=True, help="The gateway's TOML file."
)
@click.option("--permit", type=click.Path(path_type=Path), required=True, help="The city's permit for a new epoch.")
def restore(config_path: Path, permit: Path) -> None:
    """Begin a new epoch where the city's chain ends, and set the ledger aside. The gateway must not run."""
    from gateway.restore import restore as begin_epoch
    from gateway.shell.signer import load_public

    with _config_errors():
        config = _config(config_path)
        click.echo(begin_epoch(config, permit, load_public(config.city.public_key)))


@main.command(epilog="Example: lotgate completion bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the completion script for a shell."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"no completion for {shell}")
    click.echo(found(main, {}, "lotgate", "_LOTGATE_COMPLETE").source())


def _config(path: Path) -> Config:
    from gateway.config import load_config

    return load_config(path)


@contextlib.contextmanager
def _config_errors() -> Iterator[None]:
    from gateway.config import ConfigError
    from gateway.core.calendar import CalendarError
    from gateway.core.tariff import TariffError
    from gateway.export import StatementError
    from gateway.quote import UnknownTariffError
    from gateway.restore import PermitError
    from gateway.shell.signer import KeyFileError
    from gateway.store.journal import LedgerError
    from gateway.store.reader import ReaderError
    from gateway.store.schema import SchemaError

    files = (StatementError, PermitError, KeyFileError, LedgerError, ReaderError, SchemaError)
    try:
        yield
    except (ConfigError, CalendarError, TariffError, *files) as error:
        raise ConfigFailure(str(error)) from None
    except UnknownTariffError as error:
        raise ConfigFailure(f"lot.tariff: {error}") from None


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")


if __name__ == "__main__":
    main()
