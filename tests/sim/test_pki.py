"""Certificates of the stand-in authority hold for their purpose only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from sim.pki import issue_client, issue_server, make_authority

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    make_authority(tmp_path, NOW)
    issue_server(tmp_path, NOW)
    issue_client(tmp_path, "gw-1", NOW)
    return tmp_path


def read(folder, name):
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def test_common_name_is_the_gateway(folder):
    assert read(folder, "gw-1").subject.rfc4514_string() == "CN=gw-1"


def test_keys_are_private(folder):
    for name in ("ca", "server", "gw-1"):
        assert (folder / f"{name}.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "days", "outcome"), [("server", 0, True), ("server", 366, False), ("gw-1", 0, False)])
def test_server(folder, name, days, outcome):
    builder = PolicyBuilder().store(Store([read(folder, "ca")])).time(NOW + timedelta(days=days))
    verifier = builder.build_server_verifier(x509.DNSName("localhost"))
    if outcome:
        verifier.verify(read(folder, name), [])
    else:
        with pytest.raises(VerificationError):
            verifier.verify(read(folder, name), [])
