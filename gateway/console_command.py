"""`lotgate console`: the operators' window on a city, in a terminal, or as a page for browsers.

Owns the options, the address that the page listens on, and what is printed at the start. Rules: loopback unless told otherwise,
and elsewhere only with TLS and a name; the broker's password stays here; without the printed token nobody sees anything. Knows
no message and no route.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gateway.console.acts import Acts
    from gateway.console.board import Board
    from gateway.console.profile import Access, Profile
    from gateway.shell.clock import SystemClock

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BROKER_OPTIONS = (
    click.option(
        "--host", default="", help="The broker; with it nothing of a profile is used, and nothing can be sent."
    ),
    click.option("--port", type=click.IntRange(1, 65535), default=1883, show_default=True),
    click.option("--city", default="", help="The city's part of the topics."),
    click.option("--username", default="", help="User at the broker."),
    click.option("--password-file", type=FILE, help="File with the user's password."),
    click.option("--ca", type=FILE, help="CA of the broker's certificate; turns TLS on."),
    click.option("--certificate", type=FILE, help="This console's certificate."),
    click.option("--key", type=FILE, help="The key of the certificate."),
)


def broker_options(command: Callable[..., None]) -> Callable[..., None]:
    """How to reach the broker, as options of a command."""
    return reduce(lambda inner, option: option(inner), reversed(BROKER_OPTIONS), command)


@dataclass(frozen=True, slots=True)
class _Way:
    """How this console reaches its city; `profile` is there if an operator's key is, so that commands can be sent."""

    access: Access
    city: str
    profile: Profile | None = None


@click.command(epilog="Example: lotgate console --profile console.toml --web")
@click.option(
    "--profile", envvar="LOTGATE_CONSOLE", default=lambda: str(Path(click.get_app_dir("lotgate")) / "console.toml"),
    show_envvar=True, help="TOML file with broker, city and the operator's key, as for `lotgate ctl`.",
)  # fmt: skip
@broker_options
@click.option("--web", is_flag=True, help="Serve a page for browsers instead of filling the terminal.")
@click.option(
    "--listen", "address", default="127.0.0.1:8080", show_default=True, help="Where the page is; port 0: any."
)
@click.option("--name", "names", multiple=True, metavar="HOST[:PORT]", help="Name under which browsers reach the page.")
@click.option("--page-certificate", type=FILE, help="TLS for the page; needed beyond loopback.")
@click.option("--page-key", type=FILE, help="The key of that certificate.")
def console(
    profile: str,
    web: bool,
    address: str,
    names: tuple[str, ...],
    page_certificate: Path | None,
    page_key: Path | None,
    **broker: Any,
) -> None:
    """See every lot of a city live, in this terminal or in a browser."""
    from gateway.console.board import Board
    from gateway.shell.clock import SystemClock

    way = _way(profile, broker)
    clock = SystemClock()
    board = Board(way.city, lambda: clock.moment().wall_ms, acts=way.profile is not None)
    if web:
        _serve(board, way, clock, address=address, names=names, certificate=page_certificate, key=page_key)
    else:
        _fill_terminal(board, way, clock)


def _way(profile: str, broker: dict[str, Any]) -> _Way:
    from gateway.console.profile import Access, Profile, ProfileError

    if broker["host"]:
        if not broker["city"]:
            raise click.UsageError("--city is needed with --host")
        file = broker.pop("password_file")
        password = file.read_text(encoding="utf-8").strip() if file else ""
        city = broker.pop("city")
        return _Way(Access(**broker, password=password), city)
    try:
        found = Profile.load(Path(profile))
    except ProfileError as error:
        raise click.UsageError(f"{error}; or give --host and --city") from None
    return _Way(found.access, found.city, found)


def _serve(
    board: Board,
    way: _Way,
    clock: SystemClock,
    *,
    address: str,
    names: tuple[str, ...],
    certificate: Path | None,
    key: Path | None,
) -> None:
    from gateway.console.doorman import Doorman, new_token
    from gateway.console.page_server import PageServer

    where = listen_address(address)
    if not ip_address(where[0]).is_loopback and not (certificate and key and names):
        raise click.UsageError(
            f"--listen {address} is reached from other machines, where a token in clear could be read on the way: "
            "give --page-certificate, --page-key and --name, or listen on 127.0.0.1"
        )
    acts = _acts(board, way, clock)
    try:
        server = PageServer(where, board, _tls(certificate, key), acts)
    except (OSError, ssl.SSLError) as error:
        raise click.ClickException(f"--listen {address}: {error}; choose another port, or 0 for any") from None
    token, port = new_token(), server.server_address[1]
    scheme = "https" if certificate else "http"
    server.start(Doorman(token, scheme=scheme, hosts=page_hosts(names or LOOPBACK_NAMES, scheme, port), port=port))
    shown = names[0] if names else f"{address.rpartition(':')[0]}:{port}"
    click.echo(f"Lots of {way.city}: {scheme}://{shown}/#token={token}")
    may = f"sees them, and acts under key {acts.key}," if acts else "sees them"
    click.echo(f"Whoever has this link {may} until this console ends (Ctrl-C).")
    fault = ""
    try:
        fault = _listen(board, way, acts)
    except KeyboardInterrupt:
        return
    finally:
        server.stop()
    if fault:
        raise click.ClickException(fault)


def _acts(board: Board, way: _Way, clock: SystemClock) -> Acts | None:
    from gateway.console.acts import Acts
    from gateway.console.operator_key import OperatorKeyError

    try:
        return Acts(way.profile, board, clock.now_ms) if way.profile else None
    except OperatorKeyError as error:
        raise click.ClickException(str(error)) from None


def _fill_terminal(board: Board, way: _Way, clock: SystemClock) -> None:
    try:
        from gateway.console.terminal import Terminal
    except ImportError:
        raise click.ClickException(
            "the terminal view needs Textual: pip install 'lotgate[console]', or say --web"
        ) from None
    faults: list[str] = []
    acts = _acts(board, way, clock)
    threading.Thread(target=lambda: faults.append(_listen(board, way, acts)), daemon=True).start()
    fault = Terminal(board, lambda: faults[0] if faults else "", acts.perform if acts else None).run()
    if fault:
        raise click.ClickException(fault)


def listen_address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8080` or `[::1]:8080`. Raises click.UsageError."""
    host, _, port = text.rpartition(":")
    try:
        found = str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)
    except ValueError:
        found = "", -1
    if not 0 <= found[1] <= 65535:
        raise click.UsageError(
            f"--listen {text!r}: give an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080"
        )
    return found


def page_hosts(names: tuple[str, ...], scheme: str, port: int) -> list[str]:
    """The Host values that browsers send for these names: without a port only where it is the scheme's own."""
    own = port == {"http": 80, "https": 443}[scheme]
    hosts = [name if re.search(r":\d+$", name) else f"{name}:{port}" for name in names]
    return hosts + ([name for name in names if name not in hosts] if own else [])


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def _listen(board: Board, way: _Way, acts: Acts | None = None) -> str:
    """Fill the board until the broker lets us in no more; why it does not."""
    from gateway.console.listener import BrokerRefusedError, Listener
    from gateway.console.picture import filters

    def hear(topic: str, payload: bytes) -> None:
        if acts is None or not acts.hear(topic, payload):
            board.hear(topic, payload)

    access = way.access
    try:
        listener = Listener(
            host=access.host,
            port=access.port,
            filters=(*filters(way.city), *((acts.reply_filter,) if acts is not None else ())),
            on_message=hear,
            on_link=board.link,
            username=access.username,
            password=access.password,
            ca=access.ca,
            certificate=access.certificate,
            key=access.key,
        )
        if acts is not None:
            acts.go_by(listener.publish)
        listener.run()
    except (BrokerRefusedError, OSError) as error:
        return str(error)
    return ""
