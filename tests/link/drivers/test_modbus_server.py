"""Our Modbus driver asks a server that we did not write: pymodbus' own, over a serial line."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.link.drivers.modbus import (
    Inputs,
    Registers,
    Rejection,
    Reply,
    Written,
    decode_reply,
    pulse_coil,
    read_inputs,
    read_registers,
    reply_bytes,
    write_coil,
)

RELAY, SENSOR = 1, 0x50
REPLY_S = 5.0
EXCEPTION_BYTES = 5


def bits(address: int, levels: list[bool]) -> list[SimData]:
    return [SimData(address, values=levels, datatype=DataType.BITS)]


def words(address: int, values: list[int]) -> list[SimData]:
    return [SimData(address, values=values, datatype=DataType.REGISTERS)]


def relay_board() -> SimDevice:
    """Eight relays and eight contacts; a pulse is a coil of its own at 0x200 and above."""
    coils = [*bits(0, [False] * 8), *bits(0x200, [False] * 8)]
    contacts = bits(0, [True, False, True, False, False, True, False, False])
    return SimDevice(RELAY, (coils, contacts, words(0, [0]), words(0, [0])))


def distance_sensor() -> SimDevice:
    """1803 mm in register 0x34, as the sensor's maker shows it."""
    return SimDevice(SENSOR, (bits(0, [False]), bits(0, [False]), words(0x34, [1803, 0xFFFE, 0xFFFD]), words(0, [0])))


@asynccontextmanager
async def server() -> AsyncIterator[int]:
    """The line's other end, with both devices listening."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    found = ModbusSerialServer(
        [relay_board(), distance_sensor()], port=os.ttyname(slave), baudrate=115_200, ignore_missing_devices=True
    )
    await found.listen()
    try:
        yield master
    finally:
        await found.shutdown()
        os.close(master)
        os.close(slave)


async def ask(master: int, request: bytes) -> Reply:
    """Send a request and take what comes, as long as a good reply or an exception is."""
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    heard = bytearray()

    def read() -> None:
        heard.extend(os.read(master, 256))
        if len(heard) >= reply_bytes(request) or (len(heard) == EXCEPTION_BYTES and heard[1] & 0x80):
            came.set()

    loop.add_reader(master, read)
    os.write(master, request)
    try:
        await asyncio.wait_for(came.wait(), REPLY_S)
    finally:
        loop.remove_reader(master)
    return decode_reply(request, bytes(heard))


# fmt: off
ASKED = [
    (read_registers(SENSOR, 0x34, 1),  Registers((1803,))),
    (read_registers(SENSOR, 0x34, 3),  Registers((1803, 0xFFFE, 0xFFFD))),
    (read_registers(SENSOR, 0x90, 1),  Rejection("exception 2")),
    (read_inputs(RELAY, 0, 8),         Inputs((True, False, True, False, False, True, False, False))),
    (read_inputs(RELAY, 2, 4),         Inputs((True, False, False, True))),
    (write_coil(RELAY, 0, True),       Written()),
    (write_coil(RELAY, 7, False),      Written()),
    (write_coil(RELAY, 0x400, True),     Rejection("exception 2")),
]
# fmt: on


@pytest.mark.parametrize(("request_bytes", "reply"), ASKED, ids=[request.hex() for request, _ in ASKED])
def test_the_server_answers_and_we_understand(request_bytes: bytes, reply: Reply) -> None:
    async def run() -> Reply:
        async with server() as master:
            return await ask(master, request_bytes)

    assert asyncio.run(run()) == reply


def test_one_line_two_devices_many_questions() -> None:
    async def run() -> list[Reply]:
        async with server() as master:
            return [await ask(master, request) for request, _ in ASKED * 2]

    assert asyncio.run(run()) == [reply for _, reply in ASKED * 2]


def test_a_device_that_makes_less_of_a_pulse_is_noticed() -> None:
    """The maker's pulse writes a time where the standard has only on and off; this server takes it for off and says so."""

    async def run() -> Reply:
        async with server() as master:
            return await ask(master, pulse_coil(RELAY, 0, 7))

    assert asyncio.run(run()) == Rejection("echo")
