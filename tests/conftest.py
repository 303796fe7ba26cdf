"""The one option of the suite: `--hw GATEWAY.TOML` puts real nodes in the place of simulated ones, in the same test files."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add it."""
    parser.addoption("--hw", type=Path, metavar="GATEWAY.TOML", help="real nodes, wired as this configuration says")


def pytest_configure(config: pytest.Config) -> None:
    """Two workers on one bus would be two gateways."""
    if config.getoption("--hw") is not None and config.getoption("numprocesses", None):
        raise pytest.UsageError("--hw wants the bus alone: leave -n out")
