"""What a node was told at its commissioning, and the count of its starts.

Owns the files `node.json` (written over USB, never over the bus) and `boot.txt`. Rules: a node whose file is missing, odd or
made for another chip does not start; a boot number is never used twice, and after a wiped flash it begins at a random place,
since the gateway knows the old numbers.
"""

import binascii
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NODE = "node.json"
BOOT = "boot.txt"
BOOT_NEW = "boot.new"
BOARDS = ("lane", "bays")
ROLES = ("entry", "exit")
SENSORS = ("echo", "field")


class Settings:
    """The node's file. `key` and `uid` as bytes; `role` of a lane; `sensor`, `ports` and `floor_mm` of bays."""

    def __init__(self, found: "dict[str, object]", uid: bytes) -> None:
        self.board = str(found.get("board"))
        self.address = _number(found, "address", 0)
        self.uid = binascii.unhexlify(str(found.get("uid")))
        self.key = binascii.unhexlify(str(found.get("key")))
        self.role = str(found.get("role", "entry"))
        self.sensor = str(found.get("sensor", "echo"))
        self.ports = _number(found, "ports", 8)
        self.floor_mm = _number(found, "floor_mm", 2500)
        self.update_key = str(found.get("update_key", ""))
        if self.uid != uid:
            raise ValueError(f"{NODE} is for the chip {found.get('uid')}, this is {binascii.hexlify(uid).decode()}")
        if len(self.key) != 16:
            raise ValueError(f"{NODE}: the key has {len(self.key)} bytes, not 16")
        if self.board not in BOARDS or self.role not in ROLES or self.sensor not in SENSORS:
            raise ValueError(f"{NODE}: board {self.board}, role {self.role}, sensor {self.sensor}")


def load(uid: bytes) -> Settings:
    """The settings of the chip `uid`. OSError without a file, ValueError that says what is wrong with it."""
    with open(NODE) as file:
        found = json.load(file)
    if not isinstance(found, dict):
        raise ValueError(f"{NODE} holds no object")
    return Settings(found, uid)


def next_boot(random: "Callable[[int], bytes]", rename: "Callable[[str, str], None]") -> int:
    """Count this start, 1 to 2**32 - 1, and keep it before anybody hears of it."""
    try:
        with open(BOOT) as file:
            boot = int(file.read())
    except (OSError, ValueError):
        boot = int.from_bytes(random(3), "little") << 7
    boot = boot % 0xFFFFFFFF + 1
    with open(BOOT_NEW, "w") as file:
        file.write(str(boot))
    rename(BOOT_NEW, BOOT)
    return boot


def _number(found: "dict[str, object]", name: str, otherwise: int) -> int:
    value = found.get(name, otherwise)
    if not isinstance(value, int):
        raise ValueError(f"{NODE}: {name} is no number")
    return value
