"""A gateway's configuration on disk, for tests of the command line."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.lots import KEY
from tests.test_config import GOOD
from tests.test_export import CITY, statement


def prepared(folder: Path) -> Path:
    """The path of a good configuration in this folder, with every file that it names."""
    config = folder / "gateway.toml"
    config.write_text(GOOD.replace('ca = "ca.pem"\n', ""), encoding="utf-8")
    (folder / "record.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "city.pub").write_bytes(CITY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (folder / "site.key").write_text("00" * 16, encoding="ascii")
    told = statement()
    signature = base64.b64encode(told.signature).decode()
    (folder / "statement.json").write_text(json.dumps({"line": told.line, "sig": signature}), encoding="utf-8")
    return config
