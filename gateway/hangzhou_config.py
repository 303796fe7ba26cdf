"""The part of the configuration for Hangzhou's own protocol: what the city hands out, and what nobody wrote down.

Owns the keys and the one assumption that has a name: profile "stand-in", for the simulator alone. Rules: towards a real city
nothing is assumed; what is missing is listed whole, in one error; a call whose form is not known is described or switched off
by name. Refuses to know how the protocol works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from gateway.config_table import ConfigError, Table
from gateway.core.layout import LaneRole
from gateway.core.platform_state import PlatformTerms
from gateway.sync.hangzhou import tables
from gateway.sync.hangzhou.cipher import CipherKey, DataForm, KeyTextError, Seal, SignHash, read_private, read_public
from gateway.sync.hangzhou.terms import Photos, Refusal, Terms

Word = TypeVar("Word", bound=StrEnum)

OFF = "off"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEARTBEAT_S = 600
DAY_S = 86_400
MQTT_PORT = 1883


class Profile(StrEnum):
    """Towards whom: a real city, of which nothing is assumed, or our own stand-in."""

    CITY = "city"
    STAND_IN = "stand-in"


class Secrecy(StrEnum):
    """Who reads plates on the way: nobody outside the operator's tunnel, or everybody on it."""

    TUNNEL = "tunnel"
    NONE = "none"


MISSING: Mapping[str, str] = {
    "authorization_life_s": "how long an authorization lives",
    "failed_statuses": "which values of payStatus mean that a debit failed",
    "refusal": "how a push that can't be used is answered",
    "unlicensed": "what plateNo holds for a vehicle without a plate, or 'withhold'",
    "unknown_colour": "which plateColor stands for none of the five",
    "heartbeat_s": "the interval of the heartbeat",
    "daily_plates": "whether checkDailyBill needs plateNo",
    "clean_session": "whether the broker keeps pushes while the lot is offline (false) or not (true)",
    "secrecy": "'tunnel' if the line runs in the operator's tunnel, else 'none'",
    **{f"calls.{call}": "fields of the call, or 'off'" for call in tables.UNKNOWN},
    "day": "where the answer to checkDailyBill holds the bills, or 'off'",
}
"""What only the city's document can tell, and in which words to ask for it."""


@dataclass(frozen=True, slots=True)
class Unwritten:
    """What nobody wrote down; the defaults are the assumption of profile "stand-in"."""

    authorization_life_s: int = DAY_S
    failed_statuses: frozenset[int] = frozenset({2})
    refusal: Refusal = Refusal.SUCCESS_FALSE
    unlicensed: str = ""
    unknown_colour: int = 1
    heartbeat_s: int = HEARTBEAT_S
    daily_plates: bool = False
    clean_session: bool = False
    secrecy: Secrecy = Secrecy.NONE
    calls: Mapping[str, tables.Table] = field(default_factory=lambda: tables.STAND_IN)
    day: tables.DayForm | None = tables.STAND_IN_DAY


@dataclass(frozen=True, slots=True)
class HangzhouPart:
    """The whole part. Keys, secret and photos lie in files."""

    profile: Profile
    base_url: str
    access_id: str
    parking_code: str
    private_key: Path
    city_key: Path
    mqtt_host: str
    mqtt_port: int
    mqtt_client_id: str
    mqtt_secret_file: Path
    cipher_key: CipherKey
    sign_hash: SignHash
    data_form: DataForm
    total_bays: int
    open_bays: int
    lanes: Mapping[str, str]
    photos: Photos
    photo_folder: Path | None
    unwritten: Unwritten

    def check_lanes(self, path: Path, lanes: Mapping[str, LaneRole]) -> None:
        """Raise ConfigError unless every lane of the lot has its own number at the city."""
        if self.lanes.keys() != lanes.keys():
            apart = sorted(self.lanes.keys() ^ lanes.keys())
            raise ConfigError(f"{path}: hangzhou.lanes: {apart}: give each lane of the lot its number, and no other")
        if len(set(self.lanes.values())) != len(self.lanes):
            raise ConfigError(f"{path}: hangzhou.lanes: a number is used twice; a uid is made of it")

    def lot(self) -> PlatformTerms:
        """What the core needs."""
        return PlatformTerms(self.parking_code, self.lanes, self.total_bays)

    def check_files(self) -> None:
        """Raise ConfigError for a key or secret that can't be used."""
        self.terms()
        self.secret()

    def secret(self) -> str:
        """The password at the city's broker. Raises ConfigError."""
        return _file("mqtt_secret_file", self.mqtt_secret_file)

    def terms(self) -> Terms:
        """What the adapter needs; reads the keys. Raises ConfigError."""
        try:
            own = read_private(_file("private_key", self.private_key))
            city = read_public(_file("city_key", self.city_key))
        except KeyTextError as error:
            raise ConfigError(
                f"hangzhou.private_key, hangzhou.city_key: {error}; ask the city for the key again"
            ) from None
        more = self.unwritten
        known = {name: table for name, table in tables.KNOWN.items() if name not in more.calls}
        return Terms(
            access_id=self.access_id,
            lot=self.lot(),
            open_bays=self.open_bays,
            seal=Seal(own, city, self.cipher_key, self.sign_hash),
            data_form=self.data_form,
            authorization_life_s=more.authorization_life_s,
            failed_statuses=more.failed_statuses,
            refusal=more.refusal,
            photos=self.photos,
            unlicensed=more.unlicensed,
            unknown_colour=more.unknown_colour,
            heartbeat_s=more.heartbeat_s,
            daily_plates=more.daily_plates,
            calls={**known, **{name: table for name, table in more.calls.items() if table}},
            day_form=more.day,
        )

    def warnings(self) -> tuple[str, ...]:
        """What an operator must know before switching it on."""
        found = ["plates leave signed but not secret: whoever has a public key of this line can read them"]
        if self.unwritten.secrecy is Secrecy.NONE:
            found.append("the line is plain HTTP and plain MQTT outside a tunnel (hangzhou.secrecy = 'none')")
        if self.photos is not Photos.NEVER:
            found.append("photos of vehicles leave the lot (hangzhou.photos)")
        if self.profile is Profile.STAND_IN:
            found.append("profile 'stand-in' rests on assumptions; it is not for a city")
        return tuple(found)


def read_hangzhou(table: Table) -> HangzhouPart:
    """The part from its table. Raises ConfigError."""
    profile: Profile = table.choice("profile", {str(p): p for p in Profile})
    photos: Photos = table.choice("photos", {str(p): p for p in Photos})
    lanes = table.table("lanes")
    part = HangzhouPart(
        profile=profile,
        base_url=_base_url(table, profile),
        access_id=table.text("access_id"),
        parking_code=table.text("parking_code"),
        private_key=table.path("private_key"),
        city_key=table.path("city_key"),
        mqtt_host=table.text("mqtt_host"),
        mqtt_port=table.integer("mqtt_port", 1, 65535) if "mqtt_port" in table else MQTT_PORT,
        mqtt_client_id=table.text("mqtt_client_id"),
        mqtt_secret_file=table.path("mqtt_secret_file"),
        cipher_key=_word(table, "cipher_key", CipherKey.OWN_PRIVATE),
        sign_hash=_word(table, "sign_hash", SignHash.MD5),
        data_form=_word(table, "data_form", DataForm.OBJECT),
        total_bays=table.integer("total_bays", 1, 100_000),
        open_bays=table.integer("open_bays", 0, 100_000),
        lanes={lane: lanes.text(lane) for lane in lanes.given()},
        photos=photos,
        photo_folder=table.path("photo_folder") if photos is not Photos.NEVER else None,
        unwritten=Unwritten() if profile is Profile.STAND_IN else _unwritten(table),
    )
    table.finish()
    return part


def _base_url(table: Table, profile: Profile) -> str:
    text = table.text("base_url").rstrip("/")
    try:
        found = urlsplit(text)
        host, _ = found.hostname, found.port
    except ValueError:
        host = None
    if not host or found.scheme not in ("http", "https") or found.query or found.fragment:
        raise table.error("base_url", text, "must be a URL such as http://host:port")
    if profile is Profile.STAND_IN and host not in LOOPBACK:
        raise table.error("base_url", text, "profile 'stand-in' speaks to the simulator on this machine alone")
    return text


def _unwritten(table: Table) -> Unwritten:
    """Every key of MISSING, or one error that names all that are not there."""
    calls = table.table("calls") if "calls" in table else None
    lacking = [key for key in MISSING if "." not in key and key not in table]
    lacking += [f"calls.{call}" for call in tables.UNKNOWN if calls is None or call not in calls]
    if calls is None or lacking:
        told = "; ".join(f"{key} ({MISSING[key]})" for key in lacking)
        raise table.error("profile", "city", f"the city's document must tell, and is missing here: {told}")
    unlicensed = table.text("unlicensed")
    return Unwritten(
        authorization_life_s=table.integer("authorization_life_s", 60, 366 * DAY_S),
        failed_statuses=frozenset(table.integers("failed_statuses")),
        refusal=table.choice("refusal", {str(r): r for r in Refusal}),
        unlicensed="" if unlicensed == "withhold" else unlicensed,
        unknown_colour=table.integer("unknown_colour", 0, 99),
        heartbeat_s=table.integer("heartbeat_s", 10, 3600),
        daily_plates=table.flag("daily_plates"),
        clean_session=table.flag("clean_session"),
        secrecy=table.choice("secrecy", {str(s): s for s in Secrecy}),
        calls=_calls(calls),
        day=_day(table),
    )


def _calls(table: Table) -> dict[str, tables.Table]:
    """Tables of calls: of the unknown ones all, of a known one where the city's document differs. Off is an empty table."""
    found: dict[str, tables.Table] = {}
    for call in table.given():
        if call not in tables.KNOWN and call not in tables.UNKNOWN:
            continue
        if table.is_text(call):
            if table.text(call) != OFF:
                raise table.error(call, table.text(call), f"must be a table of fields, or '{OFF}'")
            found[call] = {}
            continue
        fields = table.table(call)
        found[call] = {name: fields.text(name) for name in fields.given()}
        for name, value in found[call].items():
            if value not in tables.VALUES and not (value[0] == "=" and value[1:].isdecimal()):
                raise fields.error(
                    name, value, f"must be a number as '=1', or one of {', '.join(sorted(tables.VALUES))}"
                )
    table.finish()
    return found


def _day(table: Table) -> tables.DayForm | None:
    if table.is_text("day"):
        if table.text("day") != OFF:
            raise table.error("day", table.text("day"), f"must be a table with list, bill, owed and paid, or '{OFF}'")
        return None
    day = table.table("day")
    form = tables.DayForm(day.text("list"), day.text("bill"), day.text("owed"), day.text("paid"))
    day.finish()
    return form


def _word(table: Table, key: str, default: Word) -> Word:
    chosen: Word = table.choice(key, {str(word): word for word in type(default)}) if key in table else default
    return chosen


def _file(key: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"hangzhou.{key} = {str(path)!r}: can't be read ({error}); put the file there") from None
