"""What was fetched runs, and a second call fetches nothing."""

from __future__ import annotations

import subprocess

from sim.mosquitto import START, fetch_mosquitto
from tests.brokers import mosquitto_program


def test_the_program_runs():
    shown = subprocess.run([mosquitto_program(), "-h"], capture_output=True, text=True, check=False)
    assert shown.stdout.startswith("mosquitto version 2.")


def test_a_fetched_program_is_kept(tmp_path):
    (tmp_path / START).write_text("")
    assert fetch_mosquitto(tmp_path) == tmp_path / START
    assert [path.name for path in tmp_path.iterdir()] == [START]
