"""A hotel's front desk: one signed message at check-in covers the guest's parking.

Owns the message and a small client of its own that publishes it and waits for the city's answers. Knows nothing of gateways and
records: what the guest gets is what the city says.
"""

from __future__ import annotations

import base64
import json
import queue
import time
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from sim.city_desk import ANSWER_DOMAIN, ASK_DOMAIN
from sim.city_verifier import ChainKey, load, write
from sim.site import BrokerAccess

CONNECT_S = 10
RESEND_S = 1.0
"""A message to a city that is just not there is lost at the broker; its repeat gets the same answer."""


@dataclass(frozen=True, slots=True)
class Guest:
    """What the desk grants: free parking for a plate from `from_ms` to `to_ms`, for as many exits as it likes."""

    plate: str
    from_ms: int
    to_ms: int


def ask(key: Ed25519PrivateKey, *, desk: str, id_: str, chain: str, guest: Guest, expires_ms: int) -> bytes:
    """The message for one check-in."""
    line = write(
        {
            "v": 1,
            "desk": desk,
            "id": id_,
            "chain": chain,
            "plate": guest.plate,
            "way": "free",
            "value": 0,
            "from_ms": guest.from_ms,
            "to_ms": guest.to_ms,
            "single": False,
            "expires_ms": expires_ms,
        }
    )
    signature = base64.b64encode(key.sign((ASK_DOMAIN + line).encode("utf-8"))).decode("ascii")
    return write({"v": 1, "line": line, "sig": signature}).encode("utf-8")


def read_answer(payload: bytes, city: ChainKey) -> dict[str, Any] | None:
    """The city's answer, None if it is not the city's."""
    outer = load(payload.decode("utf-8", "replace"))
    if not isinstance(outer, dict) or not isinstance(outer.get("line"), str):
        return None
    line = outer["line"]
    if not city.covers((ANSWER_DOMAIN + line).encode("utf-8"), base64.b64decode(outer["sig"])):
        return None
    return dict(json.loads(line))


class FrontDesk:
    """A desk that is connected to a broker. RuntimeError if that can't be had."""

    def __init__(self, name: str, city: str, city_key: ChainKey, access: BrokerAccess) -> None:
        self._root = f"park/v1/{city}/_desk/{name}"
        self._city_key = city_key
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, f"desk-{name}", protocol=paho.MQTTv5)
        self._client.username_pw_set(access.city.user, access.city.password)
        self._client.on_subscribe = lambda *_: self._answers.put(None)
        self._client.on_message = self._on_message
        self._client.connect(access.host, access.port)
        self._client.loop_start()
        self._client.subscribe(f"{self._root}/rsp", 1)
        try:
            self._answers.get(timeout=CONNECT_S)
        except queue.Empty:
            raise RuntimeError("the broker does not answer the desk") from None

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def settle(self, id_: str, message: bytes, wait_s: float) -> dict[str, Any] | None:
        """Publish a message, again until the city has taken it, and wait until it is done or refused; None if not in time."""
        until_s = time.monotonic() + wait_s
        taken = False
        while (left_s := until_s - time.monotonic()) > 0:
            if not taken:
                self._client.publish(f"{self._root}/validate", message, 1)
            answer = self._next(id_, left_s if taken else min(left_s, RESEND_S))
            if answer is not None and answer["state"] != "taken":
                return answer
            taken = taken or answer is not None
        return None

    def _next(self, id_: str, wait_s: float) -> dict[str, Any] | None:
        """The next answer to a message; answers to others are none of it."""
        until_s = time.monotonic() + wait_s
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                answer = self._answers.get(timeout=left_s)
            except queue.Empty:
                return None
            if answer is not None and answer["id"] == id_:
                return answer
        return None

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        answer = read_answer(bytes(message.payload), self._city_key)
        if answer is not None:
            self._answers.put(answer)
