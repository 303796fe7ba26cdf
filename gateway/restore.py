"""A new epoch for a chain whose ledger was rolled back, copied or lost: `lotgate restore`.

Owns the reading of the city's permit and the order of the command. Rules: only the city can say where its chain ends, so
without its signature over exactly this chain nothing is touched. Refuses to know how ledgers change places.
"""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from gateway.config import Config
from gateway.core.record import canonical
from gateway.store.journal import LedgerError, Permit
from gateway.store.restoring import replace_ledger
from gateway.sync.signature import CityKey

EPOCH_DOMAIN = b"lotgate-epoch-v1\n"


class PermitError(Exception):
    """The permit can't be used; the text names the file and the remedy."""


def restore(config: Config, path: Path, city_key: bytes) -> str:
    """Begin the permit's epoch in gateway.data; what was done, for a person. Raises PermitError, LedgerError or SchemaError."""
    permit = load_permit(path, chain=config.gateway.id, city_key=city_key)
    config.gateway.data.mkdir(parents=True, exist_ok=True)
    ledger = config.gateway.data / "ledger.db"
    try:
        head, kept = replace_ledger(ledger, permit, instance=secrets.token_hex(8))
    except OSError as error:
        raise LedgerError(f"{ledger}: can't be set aside ({error}); look at the disk, then give it again") from None
    told = f"epoch {permit.epoch} of chain {permit.chain} begins after record {permit.n}"
    return f"{told}; the ledger up to epoch {head.epoch} record {head.n} is kept as {kept}" if kept else told


def load_permit(path: Path, *, chain: str, city_key: bytes) -> Permit:
    """The permit in a JSON file with `line` and `sig` (base64). Raises PermitError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        line, signature = str(found["line"]), base64.b64decode(found["sig"], validate=True)
        content = json.loads(line)
        place = (content["chain"], content["epoch"], content["n"], content["hash"], content["at_ms"])
        whole = canonical(content) == line and content.keys() == {"v", "chain", "epoch", "n", "hash", "at_ms"}
    except OSError as error:
        raise PermitError(f"{path}: no permit; the city gives it for this chain ({error.strerror})") from None
    except (ValueError, KeyError, TypeError) as error:
        raise PermitError(f"{path}: no permit ({error!r}); ask the city for it again") from None
    if not whole or not CityKey(city_key).signed(EPOCH_DOMAIN, line, signature):
        raise PermitError(f"{path}: not under the city's key; ask the city for it again")
    if content["chain"] != chain or content["n"] < 1 or content["epoch"] < 2:
        remedy = "ask for this chain's" if content["chain"] != chain else "begin with an empty gateway.data instead"
        raise PermitError(f"{path}: for chain {content['chain']!r} after record {content['n']}; {remedy}")
    return Permit(*place, line, signature)
