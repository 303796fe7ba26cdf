"""The part for Hangzhou's own protocol: what a city must hand out, what is missing in one error, what may be switched off."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from gateway.config import Config, ConfigError, load_config
from gateway.hangzhou_config import MISSING, HangzhouPart
from gateway.sync.hangzhou import tables
from gateway.sync.hangzhou.cipher import CipherKey, DataForm, SignHash
from gateway.sync.hangzhou.terms import Photos, Refusal
from tests.hangzhou_keys import PRIVATE, PUBLIC
from tests.test_config import GOOD

STAND_IN = """
[hangzhou]
profile = "stand-in"
base_url = "http://127.0.0.1:8080/"
access_id = "acc"
parking_code = "P1"
private_key = "own.b64"
city_key = "city.b64"
mqtt_host = "127.0.0.1"
mqtt_client_id = "acc"
mqtt_secret_file = "secret"
total_bays = 2
open_bays = 2
photos = "never"
[hangzhou.lanes]
in = "01"
"""
CITY = STAND_IN.replace('"stand-in"', '"city"').replace("127.0.0.1:8080", "platform.example")
WRITTEN = """
authorization_life_s = 3600
failed_statuses = [0, 2]
refusal = "silent"
unlicensed = "withhold"
unknown_colour = 9
heartbeat_s = 600
daily_plates = true
clean_session = true
secrecy = "tunnel"
day = "off"
"""
CALLS = """
[hangzhou.calls]
getDeparturePayInfo = "off"
getPayResult = "off"
uploadAbnormalBill = "off"
uploadFee = { parkingCode = "code", fee = "amount", kind = "=3" }
"""
WHOLE = CITY.replace("[hangzhou.lanes]", WRITTEN + "[hangzhou.lanes]") + CALLS


def load(folder: Path, part: str) -> Config:
    path = folder / "gateway.toml"
    path.write_text(GOOD + part, encoding="utf-8")
    for name, text in (("own.b64", PRIVATE), ("city.b64", PUBLIC), ("secret", "s3\n")):
        (folder / name).write_text(text, encoding="utf-8")
    return load_config(path)


def part_of(folder: Path, part: str) -> HangzhouPart:
    found = load(folder, part).hangzhou
    assert found is not None
    return found


def test_without_the_part_there_is_none(tmp_path: Path) -> None:
    assert load(tmp_path, "").hangzhou is None


def test_the_stand_ins_profile_assumes_what_nobody_wrote_down(tmp_path: Path) -> None:
    part = part_of(tmp_path, STAND_IN)
    terms = part.terms()
    assert (part.secret(), part.mqtt_port, part.base_url) == ("s3", 1883, "http://127.0.0.1:8080")
    assert (part.cipher_key, part.sign_hash, part.data_form) == (CipherKey.OWN_PRIVATE, SignHash.MD5, DataForm.OBJECT)
    assert set(tables.UNKNOWN) <= terms.calls.keys()
    assert (terms.photos, terms.refusal) == (Photos.NEVER, Refusal.SUCCESS_FALSE)
    assert any("assumptions" in warning for warning in part.warnings())


def test_a_real_city_is_told_whole_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, CITY)
    told = str(error.value)
    assert "gateway.toml: hangzhou.profile = 'city': the city's document must tell, and is missing here" in told
    for key, meaning in MISSING.items():
        assert f"{key} ({meaning})" in told


@pytest.mark.parametrize("key", sorted(MISSING))
def test_each_missing_key_is_named_alone(tmp_path: Path, key: str) -> None:
    name = key.removeprefix("calls.")
    lines = [line for line in WHOLE.splitlines() if not line.startswith(f"{name} =")]
    with pytest.raises(ConfigError) as error:
        load(tmp_path, "\n".join(lines))
    assert str(error.value).endswith(f"missing here: {key} ({MISSING[key]})")


def test_a_real_city_is_believed_in_what_it_wrote(tmp_path: Path) -> None:
    part = part_of(tmp_path, WHOLE)
    terms = part.terms()
    assert terms.calls["uploadFee"] == {"parkingCode": "code", "fee": "amount", "kind": "=3"}
    assert not {"getPayResult", "getDeparturePayInfo", "uploadAbnormalBill"} & terms.calls.keys()
    assert (terms.failed_statuses, terms.day_form, terms.unlicensed) == (frozenset({0, 2}), None, "")
    assert part.warnings() == (
        "plates leave signed but not secret: whoever has a public key of this line can read them",
    )


def test_a_known_call_may_differ_and_be_off(tmp_path: Path) -> None:
    more = 'applyPayment = { billID = "bill" }\nuploadHeartbeat = "off"\n'
    terms = part_of(tmp_path, WHOLE + more).terms()
    assert terms.calls["applyPayment"] == {"billID": "bill"}
    assert "uploadHeartbeat" not in terms.calls


@pytest.mark.parametrize(("old", "new", "told"), [
    ("127.0.0.1:8080", "platform.example", "speaks to the simulator on this machine alone"),
    ("http://127.0.0.1:8080/", "ftp://127.0.0.1", "must be a URL such as http://host:port"),
    ("http://127.0.0.1:8080/", "http://127.0.0.1:x", "must be a URL such as http://host:port"),
    ('photos = "never"', 'photos = "in-cipher"', "photo_folder is missing"),
    ('photos = "never"', "", "photos is missing"),
    ('in = "01"', 'out = "01"', "hangzhou.lanes: ['in', 'out']: give each lane of the lot its number"),
    ("total_bays = 2", "total_bays = 0", "must be a whole number from 1"),
    ('access_id = "acc"', "", "access_id is missing"),
    ('photos = "never"', 'photos = "never"\nsign_hash = "sha256"', "must be one of md5, sha1"),
    ('photos = "never"', 'photos = "never"\nheartbeat_s = 5', "unknown key"),
])  # fmt: skip
def test_a_wrong_value_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, STAND_IN.replace(old, new))
    assert told in str(error.value)


@pytest.mark.parametrize(("old", "new", "told"), [
    ('fee = "amount"', 'fee = "sum"', "uploadFee.fee = 'sum': must be a number as '=1', or one of amount"),
    ('getPayResult = "off"', 'getPayResult = "on"', "must be a table of fields, or 'off'"),
    ('day = "off"', 'day = "on"', "must be a table with list, bill, owed and paid"),
    ("daily_plates = true", "daily_plates = 1", "must be true or false"),
    ("[0, 2]", '["0"]', "must be a list of whole numbers"),
    ('uploadFee = {', 'uploadFees = "off"\nuploadFee = {', "uploadFees = 'off': unknown key"),
])  # fmt: skip
def test_a_wrong_value_of_the_citys_own_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, WHOLE.replace(old, new))
    assert told in str(error.value)


@pytest.mark.parametrize(("file", "text", "told"), [
    ("own.b64", None, "hangzhou.private_key"), ("own.b64", "x", "no private key"), ("city.b64", PRIVATE, "no public key"),
])  # fmt: skip
def test_a_wrong_key_file_is_named(tmp_path: Path, file: str, text: str | None, told: str) -> None:
    part = part_of(tmp_path, STAND_IN)
    if text is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        part.terms()


def test_the_documents_example_is_whole_and_names_every_setting(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parent.parent / "docs/HANGZHOU.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    example = (
        example.replace('entry-1 = "01"\nexit-1 = "02"', 'in = "01"')
        .replace("hangzhou/lot.b64", "own.b64")
        .replace("hangzhou/city.b64", "city.b64")
    )
    part = part_of(tmp_path, example)
    assert set(part.terms().calls) == set(tables.KNOWN)
    handed_out = text.split("## What the city must hand out")[1]
    told = set(re.findall(r"`([a-z_]+)`", handed_out))
    wanted = {field.name for field in fields(HangzhouPart)} | {key.split(".")[0] for key in MISSING}
    ours = {"profile", "total_bays", "open_bays", "lanes", "unwritten", "secrecy"}
    assert wanted - ours <= told
