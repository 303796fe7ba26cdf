"""Exports of a ledger, signed by code of its own after docs/VERIFY.md, right and wrong, for the checks in both languages."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CITY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
GATEWAY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
SALT = base64.b64encode(b"0123456789abcdef").decode()
PLATE = "blue 浙A12345"
COMMITMENT = hashlib.sha256(b"lotgate-plate-v1\n0123456789abcdef" + PLATE.encode()).hexdigest()
OTHER_COMMITMENT = hashlib.sha256(b"lotgate-plate-v1\n0123456789abcdef" + "blue 浙A12346".encode()).hexdigest()
CHAIN = "gw-1"


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def name(key: Ed25519PrivateKey) -> str:
    return hashlib.sha256(raw(key)).hexdigest()[:16]


def dump(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def signed(kind: str, payload: str, key: Ed25519PrivateKey) -> str:
    signature = key.sign(f"lotgate-{kind}-v1\n{payload}".encode())
    return "\t".join((kind, payload, base64.b64encode(signature).decode(), name(key)))


class Book:
    """An export being written; every part can be written wrongly on purpose."""

    def __init__(self, city: Ed25519PrivateKey = CITY, gateway: Ed25519PrivateKey = GATEWAY) -> None:
        self.city, self.gateway = city, gateway
        self.lines: list[str] = []
        self.n = 0
        self.prev = "0" * 64

    def key(self, **change: Any) -> Book:
        pub = base64.b64encode(raw(self.gateway)).decode()
        content = {
            "v": 1,
            "chain": CHAIN,
            "key": name(self.gateway),
            "alg": "Ed25519",
            "pub": pub,
            "from_n": 1,
            "lot": "l1",
        }
        return self.add(signed("key", dump(content | change), self.city))

    def record(self, type: str, body: dict[str, Any], **change: Any) -> Book:
        self.n += 1
        clock = {"boot": "b1", "mono": 1000 * self.n, "wall": 1772413200000 + self.n, "clock": "S"}
        links = {"v": 1, "chain": CHAIN, "epoch": 1, "n": self.n, "prev": self.prev, "key": name(self.gateway), "dn": 0}
        content = links | clock | {"type": type, "body": body} | change
        self.n, payload = content["n"], dump(content)
        self.prev = hashlib.sha256(b"\x00" + payload.encode()).hexdigest()
        return self.add(signed("record", payload, self.gateway))

    def genesis(self, **change: Any) -> Book:
        pub = base64.b64encode(raw(self.gateway)).decode()
        return self.record("genesis", {"lot": "l1", "currency": "CNY", "pub": pub, "instance": "i1"}, **change)

    def entry(self, session: str = "1.2") -> Book:
        return self.record("entry", {"session": session, "lane": "in", "plate": COMMITMENT})

    def exit(self, session: str = "1.2", **change: Any) -> Book:
        lines = [{"text_zh": "首小时", "units": 2, "unit_minor": 500, "amount_minor": 1000}]
        body = {"session": session, "currency": "CNY", "lines": lines, "amount_minor": 1000, "outcome": "lease"}
        return self.record("exit", body | {"plate": COMMITMENT} | change)

    def rotate(self, to: Ed25519PrivateKey, **change: Any) -> Book:
        """The gateway goes over to another key; `proven` signs in its place."""
        proof = change.pop("proven", to).sign(b"lotgate-rotate-v1\n" + self.prev.encode())
        body = {"key": name(to), "pub": encoded(raw(to)), "proof": encoded(proof)} | change
        self.record("rotate", body)
        self.gateway = to
        return self

    def restored(self, *, permit: dict[str, Any] | None = None, **change: Any) -> Book:
        """A new epoch after the last record."""
        content = {"v": 1, "chain": CHAIN, "epoch": 2, "n": self.n, "hash": self.prev, "at_ms": 1772413300000}
        line = dump(content | (permit or {}))
        body = {"lot": "l1", "currency": "CNY", "permit": line, "permit_sig": ""}
        body["permit_sig"] = encoded(self.city.sign(b"lotgate-epoch-v1\n" + line.encode()))
        return self.record("restored", body, **{"epoch": 2} | change)

    def reversed(self, session: str = "1.2", amount_minor: int = 1000) -> Book:
        return self.record("reversed", {"session": session, "amount_minor": amount_minor})

    def paid(self, payment: str = "p1") -> Book:
        return self.record("paid", {"session": "1.2", "payment": payment, "amount_minor": 1000, "dn": 1}, dn=1)

    def money(self, kind: str, **members: Any) -> Book:
        return self.record(kind, {"session": "1.2", "amount_minor": 500} | members, dn=1)

    def cash(self) -> Book:
        return self.money("cash", cash="k1", shift="s1")

    def day(self, *, first: int = 1, last: int = 3, **change: int) -> Book:
        figures = dict.fromkeys(DAY, 0) | {"entries": 1, "exits": 1, "billed_minor": 1000} | change
        return self.record("day", {"day": "2026-03-02", "first": first, "last": last, "figures": figures}, dn=1)

    def stray(self, session: str = "1.9", **change: Any) -> Book:
        """An exit in review: a read that fitted no stay."""
        body = {"lines": [], "amount_minor": 0, "outcome": "review", "plate": OTHER_COMMITMENT}
        return self.exit(session, **body | change)

    def attached(self, **change: Any) -> Book:
        body = {"session": "1.2", "currency": "CNY", "lines": [], "amount_minor": 0, "corrects": 9, "stray": "1.9"}
        return self.record("attached", body | {"whose": "entry", "plate": COMMITMENT} | change, dn=1)

    def disclosure(self, **change: Any) -> Book:
        return self.add(f"disclosure\t{dump({'n': self.n, 'plate': PLATE, 'salt': SALT} | change)}\t\t")

    def receipt(self, **change: Any) -> Book:
        content = {"v": 1, "chain": CHAIN, "epoch": 1, "n": self.n, "hash": self.prev, "at_ms": 1772413300000}
        return self.add(signed("receipt", dump(content | change), self.city))

    def by(self, city: Ed25519PrivateKey) -> Book:
        """What the city signs from here on, somebody else signs."""
        self.city = city
        return self

    def add(self, line: str) -> Book:
        self.lines.append(line)
        return self

    def export(self, **change: Any) -> bytes:
        records = [json.loads(line.split("\t")[1])["n"] for line in self.lines if line.startswith("record")]
        content = {"chain": CHAIN, "first": records[0], "last": records[-1], "lines": len(self.lines)}
        return "".join(
            f"{line}\n" for line in (f"lotgate-export-v1\t{dump(content | change)}\t\t", *self.lines)
        ).encode()


def opened() -> Book:
    return Book().key().genesis().entry().disclosure()


GOOD = opened().exit().receipt().export()

DAY = ("entries", "exits", "billed_minor", "paid_minor", "cash_minor", "refunded_minor")
BILL = {"session": "1.2", "currency": "CNY", "lines": [], "amount_minor": 0, "outcome": "free", "plate": COMMITMENT}
LINES = [{"units": 2, "unit_minor": 500, "amount_minor": 1000}]
PAID = {"session": "1.2", "payment": "p1", "amount_minor": 1000, "dn": 1}
INVOICE = {"session": "1.2", "invoice": "i1", "total_minor": 109, "net_minor": 100, "tax_minor": 9}


def closed(expected: int, **change: int) -> dict[str, Any]:
    return {"shift": "s1", "expected_minor": expected, "counted_minor": expected, "difference_minor": 0} | change


def shift() -> Book:
    return opened().record("shift-opened", {"shift": "s1", "float_minor": 200})


def corrected() -> Book:
    return opened().exit().money("corrected", corrects=3, before_minor=1000)


def refunded() -> Book:
    return opened().exit().paid().money("refunded", refund="r1", due_minor=0)


def overpaid() -> Book:
    """500 are due back."""
    return opened().exit().paid().money("lowered")


def given_up() -> Book:
    return opened().exit().money("written-off", amount_minor=700)


def void() -> Book:
    return opened().stray().money("voided", session="1.9", corrects=3, amount_minor=0)


def later() -> Book:
    """A stretch that does not begin with the ledger."""
    book = Book().key()
    book.n, book.prev = 41, "ab" * 32
    return book


def a_shift_and_a_day() -> Book:
    book = shift().exit().cash()
    book.record("shift-closed", closed(700, counted_minor=690, difference_minor=-10), dn=1)
    return book.day(last=6, cash_minor=500)


def what_follows_an_exit() -> Book:
    book = opened().exit("1.9", lines=[], amount_minor=0, outcome="review").record("entry", {"session": "1.8"}).exit()
    book.money("corrected", corrects=5, before_minor=1000, amount_minor=900).paid()
    book.money("refunded", refund="r1", amount_minor=150, due_minor=100)
    return book.attached(session="1.8", corrects=3)


def from_before() -> Book:
    """Money that rests on what lies before the export's first record."""
    book = later().money("refunded", refund="r1", due_minor=0).money("lowered")
    book.money("corrected", corrects=3, before_minor=7).money("voided", corrects=44, amount_minor=9)
    book.money("cash", cash="k1", shift="s0", recovered_minor=500).record("shift-closed", closed(900), dn=1)
    book.record("exit", BILL | {"session": "1.30", "pairs": "1.20", "plate": OTHER_COMMITMENT}, dn=1)
    return book.attached(session="1.31", whose="exit", stray="1.21").day(first=7)


def new_epoch() -> Book:
    """A ledger that was restored has days of its own."""
    book = shift().exit().restored().record("entry", {"session": "2.5"}, epoch=2)
    figures = dict.fromkeys(DAY, 0) | {"entries": 1}
    return book.record("day", {"day": "2026-03-02", "first": 5, "last": 6, "figures": figures}, epoch=2)


SOUND = [
    # the export                                                              owed  paid  back
    (opened().exit().reversed(),                                                 0,    0,    0),
    (opened().exit().reversed().exit(amount_minor=0, lines=[]),                  0,    0,    0),
    (later().record("heartbeat", {}).reversed(),                                 0,    0,    0),
    (opened().exit().reversed().day(last=4, exits=0, billed_minor=0),            0,    0,    0),
    (a_shift_and_a_day(),                                                     1000,  500,    0),
    (what_follows_an_exit(),                                                   850, 1000,  150),
    (from_before(),                                                            -16,  500,  500),
    (new_epoch(),                                                             1000,    0,    0),
    (opened().exit().money("written-off").money("cash", cash="k", shift="", recovered_minor=500), 1000, 500, 0),
    (opened().stray().exit(pairs="1.9", plate=OTHER_COMMITMENT),              1000,    0,    0),
    (opened().stray().exit(pairs="1.9"),                                      1000,    0,    0),
    (opened().stray().attached(corrects=3),                                      0,    0,    0),
    (opened().stray().attached(corrects=3, whose="exit", plate=OTHER_COMMITMENT), 0,    0,    0),
    (void(),                                                                     0,    0,    0),
    (opened().exit().record("invoice", INVOICE),                              1000,    0,    0),
    (opened().exit().money("dispute-closed"),                                  500,    0,    0),
    (opened().exit().money("dispute-closed", amount_minor=0, verdict="rejected"), 1000,    0,    0),
    (overpaid().money("refunded", refund="r1", due_minor=500),                 500, 1000,  500),
    (overpaid().money("refunded", refund="r1", amount_minor=600, due_minor=500), 400, 1000,  600),
    (given_up().money("paid", payment="p1", amount_minor=900, recovered_minor=700), 1000,  900,    0),
    (opened().paid().record("exit", BILL | {"lines": LINES, "amount_minor": 1000}, dn=1), 1000, 1000,    0),
]  # fmt: skip
"""Exports of money that hold, with their sums."""

# fmt: off
WRONG = [
    # the export                                                  bad line  a part of the reason
    (Book().key().genesis(prev="1" * 64),                          3, "no beginning"),
    (Book().key().record("start", {}),                             3, "no beginning"),
    (opened().record("left", {}, n=4),                             6, "record 4 where record 3 must follow"),
    (opened().record("left", {}, prev="0" * 64),                   6, "does not continue"),
    (opened().record("left", {}, epoch=2),                         6, "epoch 2"),
    (opened().record("left", {}, chain="gw-2"),                    6, "of chain 'gw-2'"),
    (opened().record("left", {}, clock="X"),                       6, "out of form"),
    (opened().record("left", {}, dn=3).record("left", {}, dn=2),   7, "takes back"),
    (opened().record("left", {}, extra=1),                         6, "not the members"),
    (opened().record("left", {}, v=2),                             6, "version 2"),
    (opened().record("left", {}, mono=True),                       6, "not the members"),
    (opened().record("left", {"x": 1.5}),                          6, "the number 1.5"),
    (opened().record("left", {"x": None}),                         6, "not canonical"),
    (opened().record("left", {"x": 2**53}),                        6, "not canonical"),
    (opened().record("left", {"x": "a" * 4096}),                   6, "more than 4096 bytes"),
    (opened().record("left", {"é": 1}),                            6, "not ASCII"),
    (opened().exit(amount_minor=1001),                             6, "make 1000, the bill says 1001"),
    (opened().reversed(),                                          6, "has no exit of 1000 that could be reversed"),
    (opened().exit().reversed(amount_minor=900),                   7, "has no exit of 900"),
    (opened().exit().reversed().reversed(),                        8, "has no exit of 1000"),
    (opened().exit(lines=[]),                                      6, "make 0, the bill says 1000"),
    (opened().exit(lines=[{"units": 3, "unit_minor": 5, "amount_minor": 1000}]), 6, "not its units"),
    (opened().exit(lines=[7]),                                     6, "is no object"),
    (opened().exit(currency="EUR"),                                6, "EUR in a ledger of CNY"),
    (opened().exit(plate="0" * 64),                                6, "under another plate"),
    (opened().exit().exit(),                                       7, "charged a second time"),
    (opened().exit().paid().paid(),                                8, "counted a second time"),
    (opened().exit().attached(),                                   7, "charged a second time"),
    (opened().attached(),                                          6, "record 9 is no exit in review"),
    (opened().exit().money("corrected", corrects=2, before_minor=1000), 7, "record 2 did not set the bill"),
    (opened().money("corrected", corrects=3, before_minor=1000),   6, "record 3 did not set the bill"),
    (opened().exit().money("corrected", corrects=3, before_minor=9), 7, "was 1000, not 9"),
    (corrected().money("corrected", corrects=3, before_minor=500), 8, "record 3 did not"),
    (opened().exit().money("voided", corrects=3),                  7, "is 1000, and 500 of it"),
    (opened().exit().money("lowered").money("lowered").money("lowered"), 9, "more is taken off"),
    (opened().exit().money("written-off", amount_minor=1001),      7, "more is taken off"),
    (opened().exit().money("written-off", amount_minor=-1),        7, "an amount of -1"),
    (opened().exit().paid().money("refunded", refund="r1", amount_minor=1001, due_minor=0), 8, "had paid 1000"),
    (refunded().money("refunded", refund="r1", due_minor=0),       9, "refund r1 is counted"),
    (refunded().money("refunded", refund="r2", amount_minor=501, due_minor=0), 9, "which had paid 500"),
    (opened().exit().cash().cash(),                                8, "cash k1 is counted a second time"),
    (shift().cash().record("shift-closed", closed(600), dn=1),     8, "should have held 700: it says 600"),
    (shift().record("shift-closed", closed(200, difference_minor=1)), 7, "should have held 200"),
    (opened().record("shift-closed", closed(0)),                   6, "should have held None"),
    (opened().exit().record("invoice", INVOICE | {"tax_minor": 1}), 7, "do not make its total"),
    (opened().exit().record("invoice", INVOICE).record("invoice", INVOICE), 8, "invoice i1 is counted"),
    (opened().exit().day(last=2),                                  7, "is not of records 1 to 3"),
    (opened().exit().day(billed_minor=1),                          7, "says billed_minor 1, its records 1000"),
    (opened().exit().day(exits=2),                                 7, "says exits 2, its records 1"),
    (opened().exit().day().day(),                                  8, "is not of records 5 to 4"),
    (opened().stray().attached(corrects=3, stray="1.8"),           7, "of session 1.8"),
    (opened().stray().attached(corrects=3, plate=OTHER_COMMITMENT), 7, "under another plate"),
    (opened().stray().attached(corrects=3, whose="exit"),          7, "under another plate"),
    (opened().stray().attached(corrects=3, whose=1),               7, "whose is missing"),
    (opened().stray().exit(pairs="1.9", plate="0" * 64),           7, "under another plate"),
    (opened().exit(pairs="1.9", plate=OTHER_COMMITMENT),           6, "which is not there"),
    (opened().exit(pairs=9),                                       6, "pairs is missing"),
    (void().attached(corrects=3),                                  8, "record 3 is no exit in review"),
    (Book().key().genesis().exit("1.9"),                           4, "session 1.9 has no entry"),
    (opened().stray().attached(session="1.8", corrects=3, amount_minor=1000, lines=LINES), 7, "session 1.8 has no entry"),
    (opened().money("paid", session="1.77", payment="p1"),         6, "session 1.77 has no entry"),
    (opened().money("cash", session="1.77", cash="k", shift=""),   6, "session 1.77 has no entry"),
    (opened().money("lowered", session="1.77"),                    6, "session 1.77 has no entry"),
    (opened().entry(),                                             6, "session 1.2 is counted a second time"),
    (opened().record("entry", {"session": "1.2", "plate": OTHER_COMMITMENT}), 6, "session 1.2 is counted a second time"),
    (opened().genesis(),                                           6, "record 3 is a second genesis"),
    (opened().stray(amount_minor=1000, lines=LINES),               6, "an exit in review bills 1000"),
    (opened().exit().money("dispute-closed", verdict="rejected"),  7, "rejected takes 500 off"),
    (opened().exit().paid().money("refunded", refund="r1", amount_minor=100, due_minor=900), 8, "is 900, and can be 0 at most"),
    (opened().exit().paid().money("refunded", refund="r1", amount_minor=100, due_minor=-400), 8, "is -400, and can be 0"),
    (overpaid().money("refunded", refund="r1", amount_minor=600, due_minor=501), 9, "is 501, and can be 500 at most"),
    (overpaid().money("refunded", refund="r1", amount_minor=400, due_minor=401), 9, "is 401, and can be 400 at most"),
    (later().money("refunded", refund="r1", due_minor=501),        3, "is 501, and can be 500 at most"),
    (later().money("cash", cash="k", shift="", recovered_minor=-1), 3, "is -1, and can be 500 at most"),
    (given_up().money("paid", payment="p1", recovered_minor=-300), 8, "is -300, and can be 500 at most"),
    (given_up().money("paid", payment="p1", recovered_minor=501),  8, "is 501, and can be 500 at most"),
    (given_up().money("paid", payment="p1", amount_minor=900, recovered_minor=701), 8, "is 701, and can be 700 at most"),
    (opened().stray().reversed("1.9", 0).attached(corrects=3),     8, "record 3 is no exit in review"),
    (opened().exit().money("lowered").money("corrected", corrects=3, before_minor=1000, amount_minor=400), 8, "more is taken"),
    (opened().exit().money("cash", cash="k", shift="", recovered_minor=1), 7, "is 1, and can be 0 at most"),
    (opened().exit().paid().money("refunded", refund="r1", amount_minor="500", due_minor=0), 8, "amount_minor is missing"),
    (opened().exit().money("written-off", amount_minor=True),      7, "amount_minor is missing"),
    (opened().exit().day(first=2),                                 7, "is not of records 1 to 3"),
    (opened().exit().day(entries=True),                            7, "entries is missing"),
    (opened().exit().restored().day(first=4, last=4),              8, "epoch 1"),
    (opened().exit().restored().record("day", {"day": "d", "first": 1, "last": 4, "figures": {}}, epoch=2), 8, "4 to 4"),
    (opened().restored().record("exit", BILL, epoch=2),            7, "stays do not cross epochs"),
    (opened().restored().record("paid", PAID, epoch=2),            7, "stays do not cross epochs"),
    (shift().restored().record("shift-closed", closed(200), epoch=2), 8, "should have held None"),
    (opened().disclosure(),                                        6, "does not follow its record"),
    (opened().exit().disclosure(plate="blue 浙A12346"),             7, "do not open"),
    (opened().exit().disclosure(n=2),                              7, "does not follow its record"),
    (opened().receipt(hash="0" * 64),                              6, "forked"),
    (opened().receipt(n=3),                                        6, "not among the records before it"),
    (opened().receipt(epoch=2),                                    6, "not among the records before it"),
    (opened().receipt().receipt(n=0, hash="0" * 64),               7, "not among the records before it"),
    (opened().receipt(chain="gw-2"),                               6, "of chain 'gw-2'"),
    (opened().rotate(STRANGER, proven=GATEWAY),                    6, "did not sign for itself"),
    (opened().rotate(STRANGER, key=name(CITY)),                    6, "under its own id"),
    (opened().rotate(STRANGER, pub="AA=="),                        6, "under its own id"),
    (opened().rotate(STRANGER, proof=7),                           6, "proof is missing"),
    (opened().restored(epoch=3),                                   6, "epoch 3"),
    (opened().restored(epoch=1),                                   6, "epoch 1"),
    (opened().restored(permit={"epoch": 3}),                       6, "not for this place"),
    (opened().restored(permit={"n": 1}),                           6, "not for this place"),
    (opened().restored(permit={"hash": "0" * 64}),                 6, "not for this place"),
    (opened().restored(permit={"chain": "gw-2"}),                  6, "not for this place"),
    (Book(STRANGER).key().genesis().restored(),                    2, "the city's is"),
    (opened().by(STRANGER).restored(),                             6, "the city's signature of this epoch"),
    (opened().record("left", {"x": [[[[[[[1]]]]]]]}),              6, "not canonical"),
    (opened().add('disclosure\t{"n":2,"plate":"\\ud800","salt":""}\t\t'), 6, "not JSON"),
    (Book().key(alg="ES256").genesis(),                            2, "not an Ed25519 key"),
    (Book().key(from_n=0).genesis(),                               2, "too late"),
    (Book().key(from_n=2).genesis(),                               3, "key that holds for it"),
    (opened().add('disclosure\t{"n":2}\t\t'),                      6, "not the members"),
    (opened().add("note\t{}\t\t"),                                 6, "unexpected kind 'note'"),
    (opened().add("lotgate-export-v1\t{}\t\t"),                    6, "unexpected kind"),
    (opened().add('disclosure\t{"n":2,"n":2}\t\t'),                6, "comes twice"),
    (opened().add(f"disclosure\t{'[' * 4000}\t\t"),                6, "not JSON"),
    (opened().add("disclosure\t{ }\t\t"),                          6, "not canonical"),
    (opened().add("disclosure\t{}\tAA==\t"),                       6, "not empty"),
    (opened().add(f"receipt\t{{}}\t{'A' * 85}B==\t{name(CITY)}"), 6, "not the canonical base64"),
] + [
    (junk, 1, "") for junk in (b"", b"\n", b"\n\n", b"\x00", b"\xff\t\xff\t\t\n", b"lotgate-export-v1\t{}\t\t\n", GOOD[::-1])
]
# fmt: on
"""Validly signed, or whole, and still not right: the line that both checkers must name."""
