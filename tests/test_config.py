"""The configuration: a good file, and for each bad one an error that names file, key, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import ConfigError, load_config
from gateway.core.exit import WithoutLease
from gateway.core.layout import LaneRole

GOOD = """
[gateway]
id = "gw-1"
data = "data"
key = "record.pem"
statement = "statement.json"
[lot]
id = "lot-1"
tariff = "plain-garage"
without_lease = "open-arrears"
[city]
name = "hangzhou"
public_key = "city.pub"
[broker]
host = "broker"
port = 8883
ca = "ca.pem"
[[bus]]
name = "lanes"
port = "/dev/serial/by-id/x"
baud_bps = 115200
site_key = "site.key"
[[bus.lane]]
address = 1
uid = "00000000000000a1"
lane = "in"
role = "entry"
[[bus.bays]]
address = 2
uid = "00000000000000b1"
bays = ["b1", "b2"]
"""


def load(folder: Path, text: str) -> object:
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(GOOD, encoding="utf-8")
    config = load_config(path)
    assert config.gateway.key == tmp_path / "record.pem"
    assert (config.lot.without_lease, config.lot.max_stay_h) == (WithoutLease.OPEN_ARREARS, 720)
    assert (config.broker.ca, config.broker.certificate) == (tmp_path / "ca.pem", None)
    assert (config.layout.lanes, config.layout.bays) == ({"in": LaneRole.ENTRY}, ("b1", "b2"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "gw-1"', "",                                "gateway.id is missing; add it"),
        ('id = "gw-1"', 'id = ""',                         "gateway.id = '': must be a text that is not empty"),
        ('id = "gw-1"', 'id = "gw/1"',                     "gateway.id = 'gw/1': must be 1 to 32 letters"),
        ("port = 8883", "port = 0",                        "broker.port = 0: must be a whole number from 1 to 65535"),
        ("port = 8883", "port = true",                     "broker.port = True: must be a whole number"),
        ("port = 8883", "port = 8883\nretry_s = 3",        "broker.retry_s = 3: unknown key; known here: ca, certificate"),
        ('ca = "ca.pem"', "ca = 1",                        "broker.ca = 1: must be a text"),
        ("[lot]", "[car_park]",                            "lot is missing; add it"),
        ('"open-arrears"', '"open"',                       "lot.without_lease = 'open': must be one of open-arrears, pay-here"),
        ('"open-arrears"', '"open-arrears"\nmax_stay_h = 0', "lot.max_stay_h = 0: must be a whole number from 1 to 8784"),
        ('role = "entry"', 'role = "in"',                  "bus[0].lane[0].role = 'in': must be one of entry, exit"),
        ("00000000000000a1", "A1",                         "bus[0].lane[0].uid = 'A1': must be the 16 hex digits"),
        ("00000000000000b1", "00000000000000a1",           "uid: '00000000000000a1' is used twice; give each its own"),
        ("address = 2", "address = 1",                     "address on lanes: 1 is used twice"),
        ("address = 2", "address = 128",                   "bus[0].bays[0].address = 128: must be a whole number from 1"),
        ('["b1", "b2"]', '["b1", "b1"]',                   "bays: 'b1' is used twice"),
        ('["b1", "b2"]', "[]",                             "bus[0].bays[0].bays = 0: a bay node serves 1 to 16 bays"),
        ('["b1", "b2"]', "[1]",                            "bus[0].bays[0].bays = [1]: must be a list of names"),
        ("[city]", "[city",                                "no TOML"),
        ("[gateway]", "speed = 1\n[gateway]",              "speed = 1: unknown key; known here: broker, bus, city"),
        ("[lot]", "city = 1\n[lot]",                       "gateway.city = 1: unknown key; known here: data, id, key"),
        ('id = "lot-1"', 'id = "lot-1"\nlane = 1',         "lot.lane = 1: unknown key; known here: calendar, id, max_stay_h"),
        ('name = "hangzhou"', 'name = "hangzhou"\nx = 1',  "city.x = 1: unknown key; known here: name, public_key"),
        ('name = "lanes"', 'name = "lanes"\nx = 1',        "bus[0].x = 1: unknown key; known here: baud_bps, bays, lane"),
        ('role = "entry"', 'role = "entry"\nbays = []',    "bus[0].lane[0].bays = []: unknown key; known here: address"),
        ('bays = ["b1", "b2"]', 'bays = ["b1"]\nlane = 1', "bus[0].bays[0].lane = 1: unknown key; known here: address"),
        ('name = "hangzhou"', 'name = "杭州"',              "city.name = '杭州': must be 1 to 32 letters"),
        ('["b1", "b2"]', '["b/1"]',                        "bus[0].bays[0].bays = 'b/1': must be 1 to 32 letters"),
        ('["b1", "b2"]', '"b1"',                           "bus[0].bays[0].bays = 'b1': must be a list of names"),
        ("baud_bps = 115200", "baud_bps = 115200.0",       "bus[0].baud_bps = 115200.0: must be a whole number from 1200"),
        ("baud_bps = 115200", "",                          "bus[0].baud_bps is missing; add it"),
        ('uid = "00000000000000a1"', "uid = 161",          "bus[0].lane[0].uid = 161: must be a text"),
        ("[[bus]]", "[bus]",                               "must be a list of tables, written [[bus]]"),
        ("[[bus.lane]]", "[bus.lane]",                     "must be a list of tables, written [[bus[0].lane]]"),
    ],
)  # fmt: skip
def test_a_bad_file_is_answered(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert str(raised.value).startswith(str(tmp_path / "gateway.toml"))
    assert told in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; name the configuration with --config"):
        load_config(tmp_path / "gateway.toml")


def test_a_bus_without_nodes_is_no_bus(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a bus needs at least one"):
        load(tmp_path, GOOD.split("[[bus.lane]]", maxsplit=1)[0])


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ('certificate = "c.crt"',                    "broker.certificate = 'c.crt': is of no use without key; add it"),
        ('key = "c.key"',                            "broker.key = 'c.key': is of no use without certificate; add it"),
        ('password_file = "pw"',                     "broker.password_file = 'pw': is of no use without username"),
    ],
)  # fmt: skip
def test_half_a_login_is_refused(tmp_path: Path, added: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, GOOD.replace("port = 8883", f"port = 8883\n{added}", 1))
    assert told in str(raised.value)


ANOTHER_BUS = """
[[bus]]
name = "more"
port = "/dev/serial/by-id/y"
baud_bps = 9600
site_key = "site.key"
[[bus.lane]]
address = 1
uid = "00000000000000a2"
lane = "out"
role = "exit"
[[bus.bays]]
address = 2
uid = "00000000000000b2"
bays = ["b3"]
"""
TWO_BUSES = GOOD + ANOTHER_BUS


def test_two_buses_may_use_the_same_addresses(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(TWO_BUSES, encoding="utf-8")
    layout = load_config(path).layout
    assert layout.lanes == {"in": LaneRole.ENTRY, "out": LaneRole.EXIT}
    assert (list(layout.buses), layout.bays) == (["lanes", "more"], ("b1", "b2", "b3"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "more"',    'name = "lanes"',   "bus.name: 'lanes' is used twice; give each its own"),
        ('lane = "out"',     'lane = "in"',      "lane: 'in' is used twice; give each its own"),
        ('bays = ["b3"]',    'bays = ["b2"]',    "bays: 'b2' is used twice; give each its own"),
        ("00000000000000a2", "00000000000000a1", "uid: '00000000000000a1' is used twice; give each its own"),
        ("00000000000000b2", "00000000000000a1", "uid: '00000000000000a1' is used twice; give each its own"),
    ],
)  # fmt: skip
def test_what_names_one_thing_names_it_on_every_bus(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, TWO_BUSES.replace(old, new, 1))
    assert str(raised.value) == f"{tmp_path / 'gateway.toml'}: {told}"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("record.pem",    "{folder}/record.pem"),
        ("../record.pem", "{folder}/../record.pem"),
        ("a b/r.pem",     "{folder}/a b/r.pem"),
        ("/etc/r.pem",    "/etc/r.pem"),
    ],
)  # fmt: skip
def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path, written: str, found: str) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(GOOD.replace('key = "record.pem"', f'key = "{written}"', 1), encoding="utf-8")
    assert str(load_config(path).gateway.key) == found.format(folder=tmp_path)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_bytes(f"# 停车场\n{GOOD}".encode("gb18030"))
    with pytest.raises(ConfigError, match=r"gateway\.toml: no TOML: 'utf-8' codec can't decode"):
        load_config(path)


def test_a_certificate_is_never_sent_over_plain_text(tmp_path: Path) -> None:
    text = GOOD.replace('ca = "ca.pem"', 'certificate = "c.crt"\nkey = "c.key"', 1)
    with pytest.raises(ConfigError, match="is of no use without ca"):
        load(tmp_path, text)


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"can't be read: Is a directory; correct its permissions or --config"):
        load_config(tmp_path)


def test_the_brokers_files_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(GOOD, encoding="utf-8")
    broker = load_config(path).broker
    with pytest.raises(ConfigError, match=r"broker\.ca = '.*ca\.pem': No such file or directory; put the file there"):
        broker.check_files()
    (tmp_path / "ca.pem").touch()
    broker.check_files()
