"""Reads every vector under seeds/wire with the board's own files; one printed line per vector. Runs on both interpreters.

The first argument is the folder of the vectors. An AssertionError, or a line that the other interpreter does not print, fails.
"""

import json
import sys

from firmware import wire
from firmware.cipher import Cipher

try:
    from cryptolib import aes
except ImportError:
    from sim.aes import Aes as aes

cipher = Cipher(aes)


def load(name):
    with open(sys.argv[1] + "/" + name + ".json") as file:
        return json.load(file)


def unhex(text):
    return bytes.fromhex(text)


def hexed(data):
    return "".join([f"{byte:02x}" for byte in data])


def meaning(kind, payload):
    if kind == "HELLO":
        epoch, nonce = wire.unpack_hello(payload)
        return {"epoch": epoch, "gateway_nonce": hexed(nonce)}
    if kind == "HELLO_R":
        w = wire.unpack_welcome(payload)
        numbers = {
            "boot": w.boot,
            "log": w.log,
            "kind": w.kind,
            "ports": w.ports,
            "version": w.version,
            "build": w.build,
        }
        numbers.update({"nonces": hexed(w.nonces), "uid": hexed(w.uid)})
        return numbers
    if kind == "POLL":
        return dict(zip(("log", "ack", "credit"), wire.unpack_poll(payload)))  # noqa: B905 - no such keyword there
    if kind == "CMD":
        number, op, port, expires_ms, rest = wire.unpack_command(payload)
        return {"id": number, "op": op, "port": port, "expires_ms": expires_ms, "rest": hexed(rest)}
    if kind == "CMD_R":
        return dict(zip(("id", "result"), wire.unpack_result(payload)))  # noqa: B905 - no such keyword there
    pending, status, uptime_ms, events = wire.unpack_data(payload)
    told = [
        {"seq": e.seq, "age_ms": e.age_ms, "kind": e.kind, "port": e.port, "value": e.value, "extra": hexed(e.extra)}
        for e in events
    ]
    return {"pending": pending, "status": status, "uptime_ms": uptime_ms, "events": told}


def check_frame(vector):
    mac_key, enc_key = unhex(vector["mac_key"]), unhex(vector["enc_key"])
    head = (wire.TYPE_NAMES.index(vector["type"]), vector["address"], vector["session"], vector["counter"])
    payload = unhex(vector["payload"])
    assert hexed(wire.seal(cipher, mac_key, enc_key, head, payload)) == vector["hex"], vector["name"]
    pieces = wire.Splitter().feed(unhex(vector["hex"]))
    assert len(pieces) == 1
    frame = wire.parse(pieces[0])
    assert (frame.type, frame.address, frame.session, frame.counter) == head
    assert frame.version == wire.VERSION
    assert wire.unseal(cipher, mac_key, enc_key, frame) == payload
    assert meaning(vector["type"], payload) == vector["meaning"], meaning(vector["type"], payload)
    print("frame", vector["name"], len(pieces[0]))


def check_rejected(case, mac_key, enc_key):
    frame = wire.parse(unhex(case["hex"]))
    reason = frame
    if isinstance(frame, wire.Frame):
        reason = "version" if frame.version != wire.VERSION else ""
        if not reason and wire.unseal(cipher, mac_key, enc_key, frame) is None:
            reason = "mac"
    assert reason == case["reason"], (case["name"], reason)
    print("rejected", case["name"], reason)


def check_keys(doc):
    for node in doc["nodes"]:
        key = wire.node_key(cipher, unhex(doc["site_key"]), unhex(node["uid"]))
        assert hexed(key) == node["key"]
        for session in doc["sessions"]:
            if session["node"] == node["kind"]:
                keys = wire.session_keys(
                    cipher, key, unhex(session["nonces"]), node["boot"], node["address"], session["session"]
                )
                assert [hexed(one) for one in keys] == [session["mac_key"], session["enc_key"]]
        print("keys", node["kind"])


def check_aes(doc):
    key = unhex(doc["key"])
    for case in doc["cmac"]:
        assert hexed(cipher.cmac(key, unhex(case["message"]))) == case["tag"]
        print("cmac", len(case["message"]) // 2)
    for size in (0, 1, 16, 17, 64):
        sent = cipher.ctr(key, unhex(doc["ctr"]["iv"]), unhex(doc["ctr"]["clear"])[:size])
        assert sent == unhex(doc["ctr"]["sent"])[:size]
        print("ctr", size)


def main():
    check_aes(load("aes"))
    frames = load("frames")
    check_keys(frames)
    for vector in frames["frames"]:
        check_frame(vector)
    rejected = load("rejected")
    for case in rejected["cases"]:
        check_rejected(case, unhex(rejected["mac_key"]), unhex(rejected["enc_key"]))
    print("all read")


main()
