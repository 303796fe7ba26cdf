"""A gateway whose ledger was rolled back goes on in a new epoch: city, gateway and verifier agree, end to end."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from gateway.core.record import canonical, key_id
from gateway.export import export_lines
from gateway.restore import EPOCH_DOMAIN, PermitError, load_permit
from gateway.store.reader import Reader
from gateway.store.restoring import replace_ledger
from gateway.verifier import verify_lines
from sim.city import City
from tests.lots import CHAIN, KEY, SmallLot, plate
from tests.records import CITY_KEY, OTHER_KEY, public
from tests.sim.test_city import body
from tests.test_export import Statement

PERMIT = {"v": 1, "chain": CHAIN, "epoch": 2, "n": 5, "hash": "ab" * 32, "at_ms": 7}


def written(folder: Path, line: str, signature: bytes) -> Path:
    path = folder / "permit.json"
    path.write_text(json.dumps({"line": line, "sig": base64.b64encode(signature).decode()}), encoding="utf-8")
    return path


def test_after_a_roll_back_city_gateway_and_verifier_agree(tmp_path: Path) -> None:
    city = City(CITY_KEY, ":memory:", {CHAIN: public(KEY)}, {})

    def upload(lot: SmallLot, first: int) -> None:
        city.receive(f"park/v1/hz/{CHAIN}/rec/{CHAIN}", body(lot.engine.records(first, 100)), 7)

    lot = SmallLot(tmp_path)
    lot.enter()
    lot.engine.close()
    backup = lot.path.read_bytes()
    lot.restart()
    lot.enter(plate("浙A00002"))
    upload(lot, 1)
    lot.engine.close()
    lot.path.write_bytes(backup)
    lot.restart()
    lot.enter(plate("浙A00003"))
    upload(lot, 4)
    assert (city.head(CHAIN).n, city.head(CHAIN).frozen, city.totals()["forks"]) == (5, True, 1)
    lot.engine.close()
    path = written(tmp_path, *city.permit(CHAIN, 7))
    permit = load_permit(path, chain=CHAIN, city_key=public(CITY_KEY))
    head, _ = replace_ledger(lot.path, permit, instance="new")
    lot.restart()
    lot.enter(plate("浙A00003"))
    upload(lot, 6)
    assert (head.n, city.head(CHAIN).n, city.head(CHAIN).epoch, city.head(CHAIN).frozen) == (5, 8, 2, False)
    lot.engine.close()
    line, signature = city.key_statement(CHAIN, "small")
    statement = Statement(line, signature)
    export = "".join(export_lines(Reader(lot.path), statement, city_key=key_id(public(CITY_KEY)))).encode()
    report = verify_lines(export, public(CITY_KEY))
    assert (report.exit_code, report.reason, report.epoch, report.first, report.last) == (0, "", 2, 6, 8)


@pytest.mark.parametrize(
    ("content", "key", "domain", "told"),
    [
        (PERMIT,                       CITY_KEY,  EPOCH_DOMAIN,            ""),
        (PERMIT,                       OTHER_KEY, EPOCH_DOMAIN,            "not under the city's key"),
        (PERMIT,                       CITY_KEY,  b"lotgate-receipt-v1\n", "not under the city's key"),
        (PERMIT | {"x": 1},            CITY_KEY,  EPOCH_DOMAIN,            "not under the city's key"),
        (PERMIT | {"chain": "gw-2"},   CITY_KEY,  EPOCH_DOMAIN,            "ask for this chain's"),
        (PERMIT | {"n": 0},            CITY_KEY,  EPOCH_DOMAIN,            "begin with an empty"),
        (PERMIT | {"epoch": 1},        CITY_KEY,  EPOCH_DOMAIN,            "begin with an empty"),
        ({"chain": CHAIN},             CITY_KEY,  EPOCH_DOMAIN,            "no permit"),
    ],
)  # fmt: skip
def test_a_permit_is_the_citys_and_of_this_chain(tmp_path, content, key, domain, told) -> None:
    line = canonical(content)
    path = written(tmp_path, line, key.sign(domain + line.encode()))
    if not told:
        assert load_permit(path, chain=CHAIN, city_key=public(CITY_KEY)).n == 5
        return
    with pytest.raises(PermitError, match=told):
        load_permit(path, chain=CHAIN, city_key=public(CITY_KEY))


@pytest.mark.parametrize("text", [None, "{", '{"line": "x"}', '{"line": "[]", "sig": ""}'])
def test_a_file_that_is_no_permit_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "permit.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(PermitError, match=r"permit\.json: no permit"):
        load_permit(path, chain=CHAIN, city_key=public(CITY_KEY))
