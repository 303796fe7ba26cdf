"""The life of a gateway's process on its machine: what strikes it, and what is left of it on the disk.

Owns kills, power cuts, failures of its own and their counts. Rules: a fault strikes at one of the next calls that write; a
process that was struck, or whose call failed, writes nothing more; only a power cut takes what no sync has kept. Knows no
ledger: the world starts the next process.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable

from sim.disk import Disk
from tests.faults import Faults
from tests.machine import Machine

RELIEF = 0.2
"""Per second: a full disk gets room again, a clock is set right by the network."""
FUSE_CALLS = 60
"""A kill or a power cut strikes within so many calls that write: a step makes about ten, a checkpoint hundreds."""


class Life:
    """One machine's. `struck`: the last call that failed did so by a fault and not by an error that it was told of."""

    def __init__(self, dice: random.Random, disk: Disk, machine: Machine, faults: Faults) -> None:
        self.kills = 0
        self.power_cuts = 0
        self.failures = 0
        self.ran_open = 0
        self.struck = False
        self._cuts_power = False
        self._dice = dice
        self._disk = disk
        self._machine = machine
        self._faults = faults

    def works(self, work: Callable[[], None]) -> bool:
        """Whether the disk let it happen; if not, nothing more is written: what is dropped here must not tidy up."""
        try:
            work()
        except sqlite3.Error:
            self.struck, self._disk.gone = self._disk.gone, True
            return False
        return True

    def end(self, connection: sqlite3.Connection) -> None:
        """Memory is gone, and the connection closes as by SIGKILL: without a last word to the disk."""
        self._disk.gone = True
        connection.close()
        self._disk.again()

    def falls_dark(self, stamp_ms: int) -> bool:
        """What struck: False for a kill; True for a power cut, after which the disk has what it kept."""
        if not self._cuts_power:
            self.kills += 1
            return False
        self.power_cuts += 1
        self._disk.cut_power()
        self._machine.reboot(stamp_ms, forgets=self.chance(self._faults.clock_lost))
        return True

    def hurt(self, stamp_ms: int, *, online: bool) -> None:
        """What befalls the machine in this second, or is put right."""
        faults, disk, machine = self._faults, self._disk, self._machine
        for chance, cuts_power in ((faults.kill, False), (faults.power, True)):
            if disk.fuse is None and self.chance(chance):
                disk.fuse, self._cuts_power = self._dice.randrange(1, FUSE_CALLS), cuts_power
        disk.bad_sync = disk.bad_sync or self.chance(faults.sync_error)
        if self.chance(RELIEF if disk.full else faults.disk_full):
            disk.full = not disk.full
        if self.chance(faults.clock_step):
            machine.step()
        elif not machine.known and online and self.chance(RELIEF):
            machine.set_right(stamp_ms)

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return probability > 0 and self._dice.random() < probability
