"""Certificates for tests and the demo: one authority, the broker's certificate, one for each client.

Files of a folder: ca.crt, ca.key, {name}.crt, {name}.key; keys have mode 0600. Valid for a year from the time handed in. Not
for production: there the keys are made on the devices.
"""

from __future__ import annotations

import ipaddress
import os
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=365)


def make_authority(folder: Path, now: datetime) -> None:
    """Writes ca.crt and ca.key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("lotgate test authority")
    builder = _builder(name, name, key, key, now).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    builder = builder.add_extension(_signs_certificates(), critical=True)
    _write(folder, "ca", builder.sign(key, hashes.SHA256()), key)


def issue_server(folder: Path, now: datetime) -> None:
    """Writes server.crt and server.key for the names localhost and 127.0.0.1, under the folder's authority."""
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    _issue(folder, "server", "localhost", now, ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName(names))


def issue_client(folder: Path, name: str, now: datetime) -> None:
    """Writes {name}.crt and {name}.key; the common name is `name`, for a gateway its id."""
    _issue(folder, name, name, now, ExtendedKeyUsageOID.CLIENT_AUTH, None)


def _issue(
    folder: Path,
    file: str,
    common_name: str,
    now: datetime,
    usage: x509.ObjectIdentifier,
    names: x509.SubjectAlternativeName | None,
) -> None:
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    authority_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise ValueError("ca.key is not a key of this module")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(common_name), authority.subject, key, authority_key, now)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    _write(folder, file, builder.sign(authority_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.CertificateBuilder:
    # Both identifiers are wanted by a strict verifier (RFC 5280 sections 4.2.1.1 and 4.2.1.2), Python's from 3.13 on.
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer_id, critical=False)
    )


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write(folder: Path, file: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    handle = os.open(folder / f"{file}.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as target:
        target.write(pem)
