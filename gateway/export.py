"""The ledger as a text that a stranger can check: `lotgate export`.

Owns the order of the lines: header, keys, each record with its disclosure, the newest receipt. Rules: what was signed is
handed out as it was stored, never made anew; every line ends with LF. Refuses to judge what it hands out: the verifier does.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.core.record import Body, canonical
from gateway.store.reader import Reader

HEADER = "lotgate-export-v1"


class StatementError(Exception):
    """The key statement can't be read; the text names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The city's signed word that a record key belongs to a chain, from its file."""

    line: str
    signature: bytes

    @classmethod
    def load(cls, path: Path) -> Statement:
        """Read the JSON file with `line` and `sig` (base64). Raises StatementError."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(str(found["line"]), base64.b64decode(found["sig"], validate=True))
        except OSError as error:
            raise StatementError(
                f"{path}: no key statement; the city gives it at enrolment ({error.strerror})"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise StatementError(f"{path}: no key statement ({error!r}); ask the city for it again") from None

    def check(self, *, chain: str, key: str) -> None:
        """Raise StatementError if the statement is about another chain or another key."""
        try:
            found = json.loads(self.line)
            told = (found["chain"], found["key"])
        except (ValueError, KeyError, TypeError) as error:
            raise StatementError(f"the key statement can't be read ({error!r}); ask the city for it again") from None
        if told != (chain, key):
            remedy = "ask the city for the statement of this key"
            raise StatementError(
                f"the key statement is of chain {told[0]!r} and key {told[1]!r}, not {chain!r} and {key!r}; {remedy}"
            )


def export_lines(reader: Reader, statement: Statement, *, city_key: str) -> Iterator[str]:
    """The lines of an export of the whole chain, each with its LF. `city_key` is the id of the city's key."""
    with reader.snapshot():
        first_n, last_n = reader.first_n(), reader.head_n()
        receipt = reader.last_receipt(last_n)
        # The header counts the lines below it: the key's, the records', their disclosures', the receipt's.
        lines = 2 + last_n - first_n + reader.disclosures() + (receipt is not None)
        header: Body = {"chain": reader.chain(), "first": first_n, "last": last_n, "lines": lines}
        yield _line(HEADER, canonical(header), b"", "")
        yield _line("key", statement.line, statement.signature, city_key)
        for record in reader.records():
            yield _line("record", record.line, record.signature, record.key)
            if record.disclosure is not None:
                disclosed: Body = {"n": record.n, "plate": record.disclosure.plate, "salt": record.disclosure.salt}
                yield _line("disclosure", canonical(disclosed), b"", "")
        if receipt is not None:
            yield _line("receipt", receipt.line, receipt.signature, city_key)


def _line(kind: str, payload: str, signature: bytes, key: str) -> str:
    return f"{kind}\t{payload}\t{base64.b64encode(signature).decode()}\t{key}\n"
