"""The command line of operators: `lotgate ctl` and `lotgate operator-key`.

Owns their arguments, questions, output and exit codes: 0 done, 1 refused or failed, 2 wrong usage, 4 no answer in time.
Rules: what moves a barrier asks for the lot's name in full and everything else for a yes, unless --yes; each command says
why. Knows no rule of a lot.
Longer than others, since each verb is a command with options of its own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.ctl_completion import GATEWAY, LANE, default_profile

if TYPE_CHECKING:
    from gateway.console.desk import Answered, Desk
    from gateway.console.profile import Profile

EXIT_NO_ANSWER = 4
WAYS = ("free", "minutes", "percent", "cap", "money", "window")
POLICIES = ("block", "attendant", "notify")
DAY_MS = 86_400_000
CODES = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 4 no answer in time."


class NoAnswer(click.ClickException):
    """The gateway did not answer in time."""

    exit_code = EXIT_NO_ANSWER


SHIFT = click.argument("shift", metavar="SHIFT")
SESSION = click.argument("session", metavar="SESSION")
PLATE = click.argument("plate", metavar="PLATE")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
ASKED = (
    click.option("--reason", required=True, help="Why; it stands in the lot's ledger."),
    click.option("--yes", is_flag=True, help="Ask nothing; for scripts."),
    click.option("--timeout", type=click.FloatRange(0.1, 60), default=5.0, show_default=True, help="Seconds to wait."),
    JSON,
)


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """The options of everything that asks a gateway for something."""
    return reduce(lambda inner, option: option(inner), reversed(ASKED), command)


@click.group(epilog=f"Example: lotgate ctl open gw-7 exit-1 --reason 'phone lost'\n\n{CODES}")
@click.option(
    "--profile",
    envvar="LOTGATE_CONSOLE",
    default=default_profile,
    help="TOML file with broker, city and key.",
    show_envvar=True,
)
@click.pass_context
def ctl(context: click.Context, profile: str) -> None:
    """See a city's lots, and act on one under your key."""
    context.obj = Path(profile)


@ctl.command(epilog="Example: lotgate ctl lots --json")
@JSON
@click.pass_obj
def lots(profile: Path, /, as_json: bool) -> None:
    """All gateways, the worst first: state, bays, vehicles inside, alarms."""
    with failures():
        found = desk_of(profile).look()
    if as_json:
        click.echo(json.dumps(found.rows(), ensure_ascii=False))
        return
    from gateway.console.lots import table

    columns = ("gateway", "lot", "state", "free", "bays", "inside", "alarms", "lanes", "release")
    click.echo(table(found.rows(), columns))


@ctl.command(epilog="Example: lotgate ctl alarms")
@JSON
@click.pass_obj
def alarms(profile: Path, /, as_json: bool) -> None:
    """Open alarms of all gateways, urgent ones first."""
    with failures():
        found = desk_of(profile).look().alarms()
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    from gateway.console.lots import table

    click.echo(table(found, ("severity", "gateway", "alarm", "cause", "remedy")) if found else "No alarm is open.")


@ctl.command(epilog="Example: lotgate ctl watch --json")
@JSON
@click.pass_obj
def watch(profile: Path, /, as_json: bool) -> None:
    """Show live what the gateways say, until Ctrl-C."""
    from gateway.console.listener import BrokerRefusedError, listen
    from gateway.console.watch import filters, shown

    with failures():
        mine = _profile(profile)
    access = mine.access
    try:
        listen(
            host=access.host,
            port=access.port,
            filters=filters(mine.city),
            on_message=lambda topic, payload: click.echo(shown(topic, payload, as_json=as_json)),
            username=access.username,
            password=access.password,
            ca=access.ca,
            certificate=access.certificate,
            key=access.key,
        )
    except (BrokerRefusedError, OSError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        return


@ctl.command("open", epilog="Example: lotgate ctl open gw-7 exit-1 --reason 'the reader is dirty'")
@GATEWAY
@LANE
@_asked
@click.pass_obj
def open_lane(profile: Path, /, gateway: str, lane: str, **asked: Any) -> None:
    """Raise a barrier for one vehicle; whoever leaves still owes."""
    _act(profile, gateway, "barrier-open", {"lane": lane}, f"Raise the barrier of {lane}.", **asked)


@ctl.command(epilog="Example: lotgate ctl hold gw-7 exit-1 --reason 'a lorry is stuck'")
@GATEWAY
@LANE
@_asked
@click.pass_obj
def hold(profile: Path, /, gateway: str, lane: str, **asked: Any) -> None:
    """Keep a barrier up until it is released."""
    _act(profile, gateway, "barrier-hold", {"lane": lane}, f"Keep the barrier of {lane} up.", **asked)


@ctl.command(epilog="Example: lotgate ctl release gw-7 exit-1 --reason 'the lorry is gone'")
@GATEWAY
@LANE
@_asked
@click.pass_obj
def release(profile: Path, /, gateway: str, lane: str, **asked: Any) -> None:
    """End the holding of a barrier; it falls once nobody is under it."""
    _act(profile, gateway, "barrier-release", {"lane": lane}, f"Let the barrier of {lane} fall.", **asked)


@ctl.command(
    epilog="Example: lotgate ctl validate gw-7 浙A12345 --way minutes --value 120 --reason 'guest of the hotel'"
)
@GATEWAY
@PLATE
@click.option("--way", type=click.Choice(WAYS), default="free", show_default=True, help="How the bill is lowered.")
@click.option("--value", type=click.IntRange(0), default=0, help="Minutes, percent, or minor units.")
@click.option("--days", type=click.IntRange(1, 366), default=1, show_default=True, help="From now on, for so long.")
@click.option("--single", is_flag=True, help="Used up by the first exit.")
@_asked
@click.pass_obj
def validate(
    profile: Path, /, gateway: str, plate: str, way: str, value: int, days: int, single: bool, **asked: Any
) -> None:
    """Lower a plate's bill, also one that was made today."""
    from gateway.shell.clock import SystemClock

    now_ms = SystemClock().moment().wall_ms
    span = {"from_ms": now_ms - DAY_MS, "to_ms": now_ms + days * DAY_MS}
    args = {"plate": _identity(plate), "way": way, "value": value, "single": single, **span}
    _act(profile, gateway, "validate", args, f"Lower the bill of {plate}: {way} {value or ''}.", **asked)


@ctl.command(epilog="Example: lotgate ctl block gw-7 浙A12345 --exit attendant --reason 'damaged the barrier'")
@GATEWAY
@PLATE
@click.option("--entry", type=click.Choice(POLICIES), default="notify", show_default=True, help="What an entry does.")
@click.option("--exit", type=click.Choice(POLICIES), default="notify", show_default=True, help="What an exit does.")
@_asked
@click.pass_obj
def block(profile: Path, /, gateway: str, plate: str, entry: str, exit: str, **asked: Any) -> None:
    """Say what the lanes do about a plate."""
    args = {"plate": _identity(plate), "entry": entry, "exit": exit}
    _act(profile, gateway, "block", args, f"Block {plate}: entry {entry}, exit {exit}.", **asked)


@ctl.command(epilog="Example: lotgate ctl unblock gw-7 浙A12345 --reason 'has paid'")
@GATEWAY
@PLATE
@_asked
@click.pass_obj
def unblock(profile: Path, /, gateway: str, plate: str, **asked: Any) -> None:
    """End the blocks that operators put on a plate."""
    _act(profile, gateway, "unblock", {"plate": _identity(plate)}, f"Unblock {plate}.", **asked)


@ctl.command(epilog="Example: lotgate ctl recount gw-7 41 --reason 'counted by hand at noon'")
@GATEWAY
@click.argument("inside", type=click.IntRange(0, 100_000))
@_asked
@click.pass_obj
def recount(profile: Path, /, gateway: str, inside: int, **asked: Any) -> None:
    """Tell a lot how many vehicles are inside."""
    _act(profile, gateway, "recount", {"inside": inside}, f"Believe that {inside} vehicles are inside.", **asked)


@ctl.command(epilog="Example: lotgate ctl refund gw-7 1.42 500 --reason 'the lift was broken'")
@GATEWAY
@SESSION
@click.argument("amount_minor", metavar="AMOUNT", type=click.IntRange(1))
@_asked
@click.pass_obj
def refund(profile: Path, /, gateway: str, session: str, amount_minor: int, **asked: Any) -> None:
    """Give back AMOUNT (minor units) of what was paid for a stay."""
    args = {"session": session, "amount_minor": amount_minor}
    _act(profile, gateway, "refund", args, f"Give back {amount_minor} minor units of stay {session}.", **asked)


@ctl.command(epilog="Example: lotgate ctl void gw-7 1.42 --reason 'the reader took him for another'")
@GATEWAY
@SESSION
@_asked
@click.pass_obj
def void(profile: Path, /, gateway: str, session: str, **asked: Any) -> None:
    """Bring a stay's bill to nothing; what was paid is due back."""
    _act(profile, gateway, "void", {"session": session}, f"Void the bill of stay {session}.", **asked)


@ctl.command(epilog="Example: lotgate ctl attach gw-7 1.42 1.57 --whose entry --reason 'seen on the camera'")
@GATEWAY
@SESSION
@click.argument("stray", metavar="EXIT")
@click.option("--whose", type=click.Choice(["entry", "exit"]), required=True, help="Whose reader had the plate right.")
@_asked
@click.pass_obj
def attach(profile: Path, /, gateway: str, session: str, stray: str, whose: str, **asked: Any) -> None:
    """End a stay by the exit in review of session EXIT, and bill it."""
    args = {"session": session, "stray": stray, "whose": whose}
    _act(profile, gateway, "attach", args, f"End stay {session} by exit {stray}; the {whose}'s plate owes.", **asked)


@ctl.command("shift-open", epilog="Example: lotgate ctl shift-open gw-7 s-41 --float 50000 --reason 'early shift'")
@GATEWAY
@SHIFT
@click.option("--float", "float_minor", type=click.IntRange(0), required=True, help="Change in the till, minor units.")
@_asked
@click.pass_obj
def shift_open(profile: Path, /, gateway: str, shift: str, float_minor: int, **asked: Any) -> None:
    """Begin a shift of yours, in which cash is taken."""
    args = {"shift": shift, "float_minor": float_minor}
    _act(profile, gateway, "shift-open", args, f"Open shift {shift} with {float_minor} minor units.", **asked)


@ctl.command(epilog="Example: lotgate ctl cash gw-7 s-41 700 --lane exit-1 --reason 'no phone'")
@GATEWAY
@SHIFT
@click.argument("amount_minor", metavar="AMOUNT", type=click.IntRange(1))
@click.option("--session", default="", help="The stay that is paid.")
@click.option("--lane", default="", help="Or the lane where its vehicle is held.")
@_asked
@click.pass_obj
def cash(profile: Path, /, gateway: str, shift: str, amount_minor: int, session: str, lane: str, **asked: Any) -> None:
    """Book AMOUNT (minor units) that you took in your shift."""
    if bool(session) == bool(lane):
        raise click.UsageError("name either --session or --lane")
    args = {"session": session, "lane": lane, "amount_minor": amount_minor, "shift": shift}
    _act(profile, gateway, "cash", args, f"Book {amount_minor} minor units for {session or lane}.", **asked)


@ctl.command("shift-close", epilog="Example: lotgate ctl shift-close gw-7 s-41 --counted 81500 --reason 'end of day'")
@GATEWAY
@SHIFT
@click.option("--counted", "counted_minor", type=click.IntRange(0), required=True, help="All in the till, minor units.")
@_asked
@click.pass_obj
def shift_close(profile: Path, /, gateway: str, shift: str, counted_minor: int, **asked: Any) -> None:
    """End a shift of yours by what you counted, the change with it."""
    args = {"shift": shift, "counted_minor": counted_minor}
    _act(profile, gateway, "shift-close", args, f"Close shift {shift} with {counted_minor} minor units.", **asked)


@click.command("operator-key", epilog="Example: lotgate operator-key ~/.config/lotgate/operator.pem")
@click.argument("path", type=click.Path(path_type=Path))
def operator_key(path: Path) -> None:
    """Make an operator's key; print what the city needs to list it."""
    from gateway.console.operator_key import OperatorKey

    with failures():
        made = OperatorKey.create(path)
    click.echo(f"key {made.id}\npublic {made.public_base64}")


def _act(
    profile: Path,
    gateway: str,
    verb: str,
    args: dict[str, Any],
    says: str,
    *,
    reason: str,
    yes: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Ask the person, then the gateway, and say what came of it."""
    from gateway.console.desk import UnknownGatewayError

    with failures():
        desk = desk_of(profile)
        try:
            lot = desk.meet(gateway)
        except UnknownGatewayError as error:
            raise NoAnswer(str(error)) from None
        if args.get("lane") and args["lane"] not in lot.lanes:
            raise click.BadParameter(f"{args['lane']}: {gateway} has {', '.join(lot.lanes)}", param_hint="LANE")
        if not yes:
            _confirm(says, gateway, lot.lot, moves_barrier=bool(args.get("lane")))
        found = desk.ask(gateway, verb, args, reason, timeout)
    tell(found, gateway, as_json, timeout)


def _confirm(says: str, gateway: str, lot: str, *, moves_barrier: bool) -> None:
    """Default is no."""
    if not moves_barrier:
        click.confirm(f"{says} Lot {lot} ({gateway})?", default=False, abort=True, err=True)
    elif click.prompt(f"{says} Type the lot's name ({lot}) to go on", default="", show_default=False, err=True) != lot:
        raise click.ClickException("not the lot's name: nothing was sent")


def tell(found: Answered | None, gateway: str, as_json: bool, timeout: float) -> None:
    """Say what a gateway answered, and end as its answer asks for."""
    if found is None:
        raise NoAnswer(
            f"{gateway}: no answer within {timeout:g} s; it may still obey until the command expires. See `ctl watch`."
        )
    reply = found.reply
    if as_json:
        names = ("gw", "key", "n", "state", "code", "detail", "record", "at_ms")
        said = {name: getattr(reply, name) for name in names}
        click.echo(json.dumps({**said, "verified": found.verified}, ensure_ascii=False))
    else:
        proof = "" if found.verified else " (signature not checked: no city.public_key, or no statement of the city's)"
        detail = f": {reply.detail}" if reply.detail else ""
        why = f" {reply.code}" if reply.code else ""
        record = f", record {reply.record}" if reply.record else ""
        click.echo(f"{gateway}: {reply.state}{why}{detail}{record}{proof}")
    if reply.state != "done":
        raise click.exceptions.Exit(1)


def _identity(plate: str) -> str:
    """A plate's identity: 'green 浙AD12345' as it is; without a colour eight characters are green, others blue."""
    if " " in plate:
        return plate
    return f"{'green' if len(plate) == 8 else 'blue'} {plate}"


def _profile(path: Path) -> Profile:
    from gateway.console.profile import Profile

    return Profile.load(path)


def desk_of(path: Path) -> Desk:
    """The operator of a profile before its broker."""
    from gateway.console.desk import Desk
    from gateway.shell.clock import SystemClock

    clock = SystemClock()
    return Desk(_profile(path), clock.now_ms, lambda: clock.moment().wall_ms)


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """What can be wrong around a command, as click's errors."""
    from gateway.console.line import LineError
    from gateway.console.operator_key import OperatorKeyError
    from gateway.console.profile import ProfileError
    from gateway.console.sender import CountersError

    try:
        yield
    except (LineError, OperatorKeyError, ProfileError, CountersError) as error:
        raise click.ClickException(str(error)) from None
