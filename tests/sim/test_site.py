"""The site on disk: the gateway reads its configuration, and the city's word on the key is in order."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.config import load_config
from gateway.console.operator_key import OperatorKey, load_city_key
from gateway.console.profile import Profile
from gateway.core.layout import BayNode, LaneNode
from gateway.export import Statement
from gateway.shell.signer import Signer, load_public
from sim.drivers import Casting
from sim.site import NODES_PER_BUS, PORTS, SEEDS, BrokerAccess, Login, LotSpec, Site

SPEC = LotSpec.load(SEEDS / "lots" / "demo" / "lot.toml")
LOGIN = Login("lotgate", "secret")


def built(folder: Path, bays: int, pki: Path | None = None) -> Site:
    casting = Casting(random.Random(4))
    drivers = [casting.driver(casting.car(), 0, 0) for _ in range(8)]
    site = Site(folder, SPEC, bays)
    ports = {name: f"/dev/pts/{n}" for n, name in enumerate(site.bus_names)}
    site.prepare(drivers, BrokerAccess("127.0.0.1", 1883, LOGIN, LOGIN, pki), ports)
    return site


@pytest.mark.parametrize(("bays", "nodes", "buses"), [(1, 1, 2), (16, 1, 2), (17, 2, 2), (256, 16, 2), (1_103, 69, 6)])
def test_the_gateway_reads_its_configuration(tmp_path: Path, bays: int, nodes: int, buses: int) -> None:
    site = built(tmp_path, bays)
    config = load_config(site.config)
    assert list(config.layout.lanes) == ["entry-1", "entry-2", "exit-1", "exit-2"]
    assert len(config.layout.bays) == bays
    bay_nodes = [n for bus in config.buses for n in bus.nodes if isinstance(n, BayNode)]
    assert (len(bay_nodes), len(config.buses)) == (nodes, buses)
    assert all(len(node.bays) <= PORTS for node in bay_nodes)
    assert all(len(bus.nodes) <= NODES_PER_BUS for bus in config.buses)
    assert all(isinstance(node, LaneNode) for node in config.buses[0].nodes)
    assert config.buses[0].site_key.read_text().strip() == site.site_key.hex()
    assert (config.broker.username, config.broker.password_file) == ("lotgate", tmp_path / "broker.password")


def test_with_certificates_no_password_is_named(tmp_path: Path) -> None:
    broker = load_config(built(tmp_path, 4, pki=tmp_path / "pki").config).broker
    assert broker.certificate == tmp_path / "pki" / "gw-demo.crt"
    assert broker.password_file is None
    assert json.loads((tmp_path / "city.json").read_text())["broker"]["certificate"].endswith("city.crt")


def test_the_city_vouches_for_the_record_key(tmp_path: Path) -> None:
    config = load_config(built(tmp_path, 4).config)
    statement = Statement.load(config.gateway.statement)
    city = Ed25519PublicKey.from_public_bytes(load_public(config.city.public_key))
    city.verify(statement.signature, b"lotgate-key-v1\n" + statement.line.encode())
    assert json.loads(statement.line)["key"] == Signer.load(config.gateway.key).key


def test_secrets_are_private(tmp_path: Path) -> None:
    built(tmp_path, 4)
    for name in (
        "site.key",
        "city.key",
        "gateway.key",
        "broker.password",
        "city.json",
        "operator.pem",
        "console.password",
    ):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0, name


def test_the_operator_has_a_key_a_place_in_the_list_and_a_profile(tmp_path: Path) -> None:
    site = built(tmp_path, 4)
    profile = Profile.load(site.console)
    key = OperatorKey.load(profile.key)
    (entry,) = json.loads(site.operators.read_text())["operators"]
    assert (entry["pub"], entry["roles"]) == (key.public_base64, ["admin"])
    assert load_city_key(profile.public_key) == load_public(site.city_public)
    assert json.loads(site.city_config.read_text())["operators"] == str(site.operators)


def test_agreements_are_the_drivers_own(tmp_path: Path) -> None:
    built(tmp_path, 4)
    casting = Casting(random.Random(4))
    drivers = [casting.driver(casting.car(), 0, 0) for _ in range(8)]
    agreed = {d.car.identity: d.agreement for d in drivers if d.agreement is not None}
    found = json.loads((tmp_path / "city.json").read_text())["agreements"]
    assert found == {plate: {"cap_minor": a.cap_minor, "pays": a.pays} for plate, a in agreed.items()}
