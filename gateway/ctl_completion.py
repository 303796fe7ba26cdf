"""What the shell completes of `lotgate ctl`: gateways and lanes as the last command saw them.

Owns the arguments that complete, and where a profile is looked for. Never waits for a broker and never fails.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from click.shell_completion import CompletionItem


def _complete_gateway(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in _names(context) if name.startswith(begun)]


def _complete_lane(context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    lanes = _names(context).get(context.params.get("gateway", ""), [])
    return [CompletionItem(lane) for lane in lanes if lane.startswith(begun)]


def _names(context: click.Context) -> dict[str, list[str]]:
    """Gateways and lanes as the last command saw them; completion must not wait for a broker."""
    from gateway.console.profile import Profile, ProfileError

    above = context.parent.params.get("profile") if context.parent is not None else None
    try:
        found: dict[str, list[str]] = json.loads(
            Profile.load(Path(above or default_profile())).seen.read_text(encoding="utf-8")
        )
    except (ProfileError, OSError, ValueError):
        return {}
    return found


def default_profile() -> str:
    """The profile that is read if none is named."""
    return str(Path(click.get_app_dir("lotgate")) / "console.toml")


GATEWAY = click.argument("gateway", metavar="GW", shell_complete=_complete_gateway)
LANE = click.argument("lane", metavar="LANE", shell_complete=_complete_lane)
