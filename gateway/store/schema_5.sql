-- A city's own lot protocol beside the ledger: how far its uploads are, its names for stays and bills, its pushes.

CREATE TABLE platform_cursor (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    n    INTEGER NOT NULL CHECK (n >= 0),
    call TEXT    NOT NULL
) STRICT;

CREATE TABLE platform_stay (
    session  TEXT    PRIMARY KEY REFERENCES session (id),
    lane     TEXT    NOT NULL,
    stamp_ms INTEGER NOT NULL,
    uid      TEXT    NOT NULL UNIQUE,
    free_in  INTEGER NOT NULL CHECK (free_in >= 0)
) STRICT, WITHOUT ROWID;

-- A stay has one bill for each exit that was written for it; all but the last were reversed.
CREATE TABLE platform_bill (
    bill       TEXT    PRIMARY KEY,
    session    TEXT    NOT NULL REFERENCES platform_stay (session),
    exit_n     INTEGER NOT NULL UNIQUE REFERENCES record (n),
    at_ms      INTEGER NOT NULL,
    free_out   INTEGER NOT NULL CHECK (free_out >= 0),
    owed_minor INTEGER NOT NULL CHECK (owed_minor >= 0),
    paid_minor INTEGER NOT NULL CHECK (paid_minor >= 0),
    applied    INTEGER NOT NULL CHECK (applied IN (0, 1)),
    passed     INTEGER NOT NULL CHECK (passed IN (0, 1)),
    reversed   INTEGER NOT NULL CHECK (reversed IN (0, 1)),
    told       INTEGER NOT NULL CHECK (told IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX platform_bill_by_session ON platform_bill (session, exit_n);

CREATE INDEX platform_bill_by_exit ON platform_bill (at_ms);

-- A push's text holds a plate: erasable, and erased after its time.
CREATE TABLE platform_push (
    request      TEXT    NOT NULL,
    digest       TEXT    NOT NULL CHECK (length(digest) = 64),
    name         TEXT    NOT NULL CHECK (name IN ('departurePayInfo', 'fee', 'payResult')),
    text         TEXT    NOT NULL,
    since_ms     INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'owed', 'refused', 'done')),
    session      TEXT    NOT NULL,
    verdict      TEXT    NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    payment      TEXT    NOT NULL,
    PRIMARY KEY (request, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX platform_push_by_digest ON platform_push (digest);

CREATE INDEX platform_push_by_payment ON platform_push (payment) WHERE payment <> '';

CREATE INDEX platform_push_open ON platform_push (since_ms) WHERE state <> 'done';

CREATE TABLE platform_aside (
    n      INTEGER NOT NULL,
    call   TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    due_ms INTEGER NOT NULL,
    PRIMARY KEY (n, call)
) STRICT, WITHOUT ROWID;

CREATE TABLE platform_day (
    day   TEXT    PRIMARY KEY,
    apart INTEGER NOT NULL CHECK (apart >= 0)
) STRICT, WITHOUT ROWID;
