"""The command line of tariffs: `lotgate quote`, `lotgate tariff check`, `lotgate tariff plot`.

Owns their arguments, output and exit codes: 0 done, 1 a tariff that can't be used, 2 wrong usage. Prices and draws
nothing itself.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

VEHICLES = ("small", "large")
ENERGIES = ("fuel", "ev")


@click.command(epilog="Example: lotgate quote hangzhou-2014-street-core 2026-03-02T09:00 2026-03-02T10:15")
@click.argument("tariff")
@click.argument("entry")
@click.argument("exit")
@click.option("--vehicle", type=click.Choice(VEHICLES), default="small", show_default=True)
@click.option("--energy", type=click.Choice(ENERGIES), default="fuel", show_default=True)
@click.option("--calendar", help="Calendar of holidays: a shipped name such as china-2026, or a file.")
@click.option(
    "--earlier",
    type=(str, str, click.IntRange(0)),
    multiple=True,
    metavar="ENTRY EXIT AMOUNT",
    help="An earlier stay of the same plate and what it owed, in minor units.",
)
@click.option(
    "--discount", type=click.IntRange(0, 100), default=0, help="Percent off, where the tariff's order puts it."
)
@click.option(
    "--coupon", type=click.IntRange(0), default=0, help="Minor units off, where the tariff's order puts them."
)
@click.option("--language", type=click.Choice(("en", "zh")), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print amount_minor, currency and lines as JSON.")
def quote(
    tariff: str,
    entry: str,
    exit: str,
    vehicle: str,
    energy: str,
    calendar: str | None,
    earlier: tuple[tuple[str, str, int], ...],
    discount: int,
    coupon: int,
    language: str,
    as_json: bool,
) -> None:
    """What a stay costs, line by line. TARIFF is a shipped name or a file; ENTRY and EXIT are local times."""
    from gateway import quote as quoting
    from gateway.core.plate import Energy, Vehicle

    with _tariff_errors():
        found = quoting.find_tariff(tariff, Path())
        days = quoting.find_calendar(calendar, Path()) if calendar else None
        extras = quoting.Extras(days, earlier, discount, coupon)
        bill = quoting.quote(found, entry, exit, Vehicle(vehicle), Energy(energy), extras=extras)
    if as_json:
        click.echo(json.dumps(quoting.quote_json(found, bill), ensure_ascii=False))
    else:
        click.echo(quoting.quote_text(found, bill, "zh" if language == "zh" else "en"), nl=False)


@click.group(epilog="Example: lotgate tariff check my-lot.toml")
def tariff() -> None:
    """Check tariff files before a lot charges by them, and see what they charge."""


@tariff.command("check", epilog="Example: lotgate tariff check my-lot.toml --calendar china-2026")
@click.argument("tariffs", nargs=-1, required=True)
@click.option("--calendar", help="Calendar of holidays: a shipped name such as china-2026, or a file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a tariff.")
def tariff_check(tariffs: tuple[str, ...], calendar: str | None, as_json: bool) -> None:
    """Refuse a tariff with a gap, an overlap, or a price that falls as a stay grows. TARIFFS are shipped names or files."""
    from gateway import quote as quoting
    from gateway.core.tariff_check import check

    with _tariff_errors():
        days = quoting.find_calendar(calendar, Path()) if calendar else None
    bad = 0
    for name in tariffs:
        try:
            with _tariff_errors():
                found = check(quoting.find_tariff(name, Path()), days)
        except click.ClickException as error:
            bad += 1
            verdict = {"tariff": name, "good": False, "reason": error.message}
            click.echo(json.dumps(verdict) if as_json else error.message, err=not as_json)
            continue
        open_caps = [cap.en for cap in found.open]
        if as_json:
            click.echo(json.dumps({"tariff": name, "good": True, "stays": found.stays, "open": open_caps}))
        else:
            left_open = f"; its source leaves open: {', '.join(open_caps)}" if open_caps else ""
            tried = f"{found.stays} stays tried" if found.stays else "it says that its price may fall"
            click.echo(f"{name}: good, {tried}{left_open}")
    sys.exit(1 if bad else 0)


@tariff.command(
    "plot", epilog="Example: lotgate tariff plot singapore-hdb --from 2026-03-02T20:00 --hours 24 --out hdb.svg"
)
@click.argument("name")
@click.option(
    "--hours", type=click.IntRange(1, 168), default=24, show_default=True, help="Longest stay on the picture."
)
@click.option("--from", "entry", default="2026-03-02T09:00", show_default=True, help="Local time of entry.")
@click.option("--vehicle", type=click.Choice(VEHICLES), default="small", show_default=True)
@click.option("--energy", type=click.Choice(ENERGIES), default="fuel", show_default=True)
@click.option("--calendar", help="Calendar of holidays: a shipped name such as china-2026, or a file.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write, .svg or .png; a text plot if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the steps of the price as JSON.")
def tariff_plot(
    name: str, hours: int, entry: str, vehicle: str, energy: str, calendar: str | None, out: Path | None, as_json: bool
) -> None:
    """Draw the price of a stay over its length. NAME is a shipped tariff or a file."""
    from gateway import quote as quoting
    from gateway import tariff_plot as plotting
    from gateway.core.plate import Energy, Vehicle
    from gateway.tariff_png import plot_png

    if out is not None and out.suffix not in (".svg", ".png"):
        raise click.BadParameter(f"{out}: write a name that ends in .svg or .png", param_hint="--out")
    with _tariff_errors():
        found = quoting.find_tariff(name, Path())
        days = quoting.find_calendar(calendar, Path()) if calendar else None
        entry_ms = quoting.local_ms(found, entry)
        curve = plotting.curve(found, entry_ms, hours, (Vehicle(vehicle), Energy(energy)), calendar=days)
    if out is not None:
        picture = plotting.plot_svg(curve).encode() if out.suffix == ".svg" else plot_png(plotting.drawing(curve))
        out.write_bytes(picture)
    if as_json:
        click.echo(json.dumps(plotting.plot_json(curve)))
    elif out is None:
        click.echo(plotting.plot_text(curve), nl=False)


@contextlib.contextmanager
def _tariff_errors() -> Iterator[None]:
    from gateway.core.tariff import TariffError

    try:
        yield
    except (TariffError, ValueError) as error:
        raise click.ClickException(str(error)) from None
