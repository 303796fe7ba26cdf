"""The second serial line: plates from the camera, texts to its display.

Owns the line profile: `$P,<confidence>,<colour>,<vehicle>,<energy>,<plate>*<crc>` comes in and `$T,<voice>,<text>*<crc>` goes
out, each ended by CR LF; plate and text are the hex of UTF-8, numbers are decimal as on the bus, the CRC-32 (eight hex digits)
covers what stands between `$` and `*`. Rules: a line that is not exactly this is counted and forgotten, and none can be longer
than LINE_BYTES_MAX. Refuses to know lanes.
"""

import binascii

from firmware import wire

LINE_BYTES_MAX = 160  # a display's text of 60 bytes is 120 digits
PLATE = b"P"
TEXT = b"T"


class Reader:
    """Cuts the camera's bytes into plates; `rejected` counts what was none."""

    def __init__(self) -> None:
        self.rejected = 0
        self._tail = b""

    def feed(self, data: bytes) -> "list[tuple[str, int, int, int, int]]":
        """Take any piece; returns (text, colour, vehicle, energy, confidence) of each plate that it completes."""
        lines = (self._tail + data).split(b"\n")
        self._tail = lines.pop()[: LINE_BYTES_MAX + 1]
        plates = []
        for line in lines:
            plate = read_plate(line.strip())
            if plate is not None:
                plates.append(plate)
            elif line.strip():
                self.rejected += 1
        return plates


def read_plate(line: bytes) -> "tuple[str, int, int, int, int] | None":
    """(text, colour, vehicle, energy, confidence) of one line without its end, or None."""
    fields = _fields(line)
    if fields is None or len(fields) != 6 or fields[0] != PLATE:
        return None
    try:
        confidence, colour, vehicle, energy = [int(field) for field in fields[1:5]]
        text = binascii.unhexlify(fields[5]).decode()
    except (ValueError, UnicodeError):
        return None
    if not 0 <= confidence <= 100 or not 0 <= colour <= 255 or not 0 <= vehicle <= 255 or not 0 <= energy <= 255:
        return None
    if len(text.encode()) > wire.PLATE_BYTES_MAX:
        return None
    return text, colour, vehicle, energy, confidence


def plate_line(text: str, colour: int, vehicle: int, energy: int, confidence: int) -> bytes:
    """The line that a camera sends; the commissioning tool and the tests send it too."""
    numbers = b",".join([b"%d" % number for number in (confidence, colour, vehicle, energy)])
    return _line(PLATE + b"," + numbers + b"," + binascii.hexlify(text.encode()))


def text_line(text: str, voice: int) -> bytes:
    """The line for the display."""
    return _line(TEXT + b",%d," % voice + binascii.hexlify(text.encode()))


def _line(body: bytes) -> bytes:
    return b"$" + body + b"*%08X\r\n" % binascii.crc32(body)


def _fields(line: bytes) -> "list[bytes] | None":
    if len(line) > LINE_BYTES_MAX or line[:1] != b"$" or line[-9:-8] != b"*":
        return None
    body = line[1:-9]
    if line[-8:].upper() != b"%08X" % binascii.crc32(body):
        return None
    return body.split(b",")
