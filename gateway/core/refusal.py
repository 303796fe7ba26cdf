"""A message of the city that fits nothing: written down, so that silence never hides it.

Owns the form of the record. Rules: a refused message moves no money and stops nothing that comes after it.
"""

from __future__ import annotations

from gateway.core.record import Draft


def refused(kind: str, session: str, message: str, reason: str, dn: int) -> Draft:
    """`kind` of message, the session it named, its own id, why it was refused, its number in the stream."""
    return Draft("refused", {"kind": kind, "session": session, "id": message, "reason": reason, "dn": dn})
