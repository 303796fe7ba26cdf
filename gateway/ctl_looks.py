"""`lotgate ctl sessions` and `lotgate ctl bill`: what an operator asks to see of a lot's stays.

Owns their arguments and output. Rules: as for every command, but nothing is confirmed, since nothing changes; the gateway still
writes down who looked. Knows no rule of a lot.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from gateway.ctl_command import JSON, SESSION, NoAnswer, desk_of, failures, tell
from gateway.ctl_completion import GATEWAY

WHICH = ("inside", "owing", "review", "recent")
LANGUAGE = click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
REASON = click.option("--reason", default="", help="Why; it stands in the lot's ledger.")
TIMEOUT = click.option(
    "--timeout", type=click.FloatRange(0.1, 60), default=5.0, show_default=True, help="Seconds to wait."
)


@click.command(epilog="Example: lotgate ctl sessions gw-7 浙A12345")
@GATEWAY
@click.argument("plate", default="")
@click.option("--which", type=click.Choice(WHICH), default="inside", show_default=True, help="If no plate is named.")
@REASON
@TIMEOUT
@JSON
@click.pass_obj
def sessions(
    profile: Path, /, gateway: str, plate: str, which: str, reason: str, timeout: float, as_json: bool
) -> None:
    """Find stays by PLATE, or a part of it for a vehicle that is inside; without one the newest of a kind."""
    from gateway.console.lots import table
    from gateway.console.stay_lines import SESSION_COLUMNS, session_row

    args = {"which": "plate" if plate else which, "plate": plate}
    found = _ask(profile, gateway, "sessions", args, reason, timeout, as_json)
    if found is None:
        return
    rows = [dict(zip(SESSION_COLUMNS, session_row(stay, found["at_ms"]), strict=True)) for stay in found["stays"]]
    click.echo(table(rows, SESSION_COLUMNS) if rows else "No such stay.")
    if found["detail"]:
        click.echo(found["detail"])


@click.command(epilog="Example: lotgate ctl bill gw-7 1.42 --language zh")
@GATEWAY
@SESSION
@LANGUAGE
@REASON
@TIMEOUT
@JSON
@click.pass_obj
def bill(
    profile: Path, /, gateway: str, session: str, language: str, reason: str, timeout: float, as_json: bool
) -> None:
    """Explain a stay's bill line by line, with all that happened to it."""
    from gateway.console.stay_lines import bill_lines

    found = _ask(profile, gateway, "bill", {"session": session}, reason, timeout, as_json)
    if found is not None:
        click.echo("\n".join(bill_lines(found, language, found["currency"])))


def _ask(
    profile: Path, gateway: str, verb: str, args: dict[str, Any], reason: str, timeout: float, as_json: bool
) -> dict[str, Any] | None:
    """The reply's members with the lot's currency; None if they were printed as JSON. Ends as `ctl` does if it was refused."""
    from gateway.console.desk import UnknownGatewayError

    with failures():
        desk = desk_of(profile)
        try:
            met = desk.meet(gateway)
        except UnknownGatewayError as error:
            raise NoAnswer(str(error)) from None
        answered = desk.ask(gateway, verb, args, reason, timeout)
    if answered is None or answered.reply.state != "done":
        tell(answered, gateway, as_json, timeout)
        return None
    found = {**asdict(answered.reply), "verified": answered.verified, "currency": met.currency}
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return None
    return found
