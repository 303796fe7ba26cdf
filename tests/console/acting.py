"""An operator's profile for tests: the key, the broker's login and the city's public key, as files that a console reads."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.brokers import Site
from tests.lots import KEY
from tests.operating import Console


def profile_of(console: Console, site: Site, folder: Path) -> Path:
    """The profile's file; the city's key is the tests' own."""
    folder.mkdir(parents=True, exist_ok=True)
    pem = console.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "operator.pem").write_bytes(pem)
    (folder / "operator.pem").chmod(0o600)
    (folder / "city.pub").write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    login = site.login("console")
    lines = ["[broker]", f'host = "{login.host}"', f"port = {login.port}", f'ca = "{login.ca}"']
    lines += [f'certificate = "{login.certificate}"', f'key = "{login.key}"']
    lines += ["[city]", 'name = "hz"', 'public_key = "city.pub"', "[operator]", 'key = "operator.pem"']
    path = folder / "console.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
