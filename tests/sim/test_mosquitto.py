"""What was fetched runs."""

from __future__ import annotations

import subprocess

from tests.brokers import mosquitto_program


def test_the_program_runs():
    shown = subprocess.run([mosquitto_program(), "-h"], capture_output=True, text=True, check=False)
    assert shown.stdout.startswith("mosquitto version 2.")
