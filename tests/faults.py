"""What can go wrong in the world, as named probabilities, and the mixtures that tests and soaks use.

Owns the names and the rates. Rules: nothing happens unless a rate says so; a rate is far above life's, so that minutes show
what takes years. Does nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Faults:
    """Named probabilities. Bus: per chunk. Kills before and after a commit: per step. Link: per message. Reads: each.

    The others per virtual second: `kill` and `power` strike at one of the next calls that write, `sync_error` at the next sync,
    `disk_full` and `outage` begin, the clock steps. `clock_lost`: per power cut, the clock has forgotten the time.
    """

    flip: float = 0.0
    drop: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    kill_before_commit: float = 0.0
    kill_after_commit: float = 0.0
    node_restart: float = 0.0
    message_lost: float = 0.0
    message_doubled: float = 0.0
    message_late: float = 0.0
    message_old: float = 0.0
    outage: float = 0.0
    misread: float = 0.0
    kill: float = 0.0
    power: float = 0.0
    disk_full: float = 0.0
    sync_error: float = 0.0
    clock_drift_ppm: int = 0
    clock_step: float = 0.0
    clock_lost: float = 0.0
    lie: float = 0.0


QUIET = Faults()
STORMY = Faults(
    flip=0.01,
    drop=0.02,
    repeat=0.02,
    delay=0.02,
    kill_before_commit=0.01,
    kill_after_commit=0.01,
    node_restart=0.02,
    message_lost=0.05,
    message_doubled=0.05,
    outage=0.02,
)
EVERYTHING = replace(
    STORMY,
    kill_before_commit=0.005,
    kill_after_commit=0.005,
    message_late=0.05,
    message_old=0.02,
    kill=0.04,
    power=0.04,
    disk_full=0.02,
    sync_error=0.03,
    clock_drift_ppm=40,
    clock_step=0.01,
    clock_lost=0.2,
    lie=0.08,
)
