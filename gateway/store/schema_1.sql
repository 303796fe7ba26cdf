-- The ledger. Records and what the city signed are the evidence; every other table is a projection written in the same
-- transaction. STRICT everywhere: an amount that is not an integer must fail, never be stored as something else.

CREATE TABLE chain (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    chain     TEXT    NOT NULL,
    epoch     INTEGER NOT NULL CHECK (epoch >= 1),
    instance  TEXT    NOT NULL,
    dn        INTEGER NOT NULL CHECK (dn >= 0),
    receipted INTEGER NOT NULL CHECK (receipted >= 0),
    hello     INTEGER NOT NULL CHECK (hello >= 0),
    entries   INTEGER NOT NULL CHECK (entries >= 0),
    exits     INTEGER NOT NULL CHECK (exits >= 0),
    billed_minor INTEGER NOT NULL
) STRICT;

CREATE TABLE record (
    n         INTEGER PRIMARY KEY CHECK (n >= 1),
    epoch     INTEGER NOT NULL,
    line      TEXT    NOT NULL,
    signature BLOB    NOT NULL CHECK (length(signature) = 64),
    key       TEXT    NOT NULL CHECK (length(key) = 16)
) STRICT;

-- Erasable: deleting a row is the deletion of the plate; the chain keeps only the commitment.
CREATE TABLE disclosure (
    n         INTEGER PRIMARY KEY REFERENCES record (n),
    plate     TEXT    NOT NULL,
    salt      TEXT    NOT NULL
) STRICT;

CREATE TABLE session (
    id             TEXT    PRIMARY KEY,
    state          TEXT    NOT NULL CHECK (state IN ('inside', 'held', 'free', 'due', 'arrears', 'paid', 'review')),
    lane_in        TEXT    NOT NULL,
    lane_out       TEXT    NOT NULL,
    plate_n        INTEGER NOT NULL REFERENCES record (n),
    vehicle        TEXT    NOT NULL,
    energy         TEXT    NOT NULL,
    confidence     INTEGER NOT NULL,
    entered_boot   TEXT    NOT NULL,
    entered_mono_ms INTEGER NOT NULL,
    entered_ms     INTEGER NOT NULL,
    entered_clock  TEXT    NOT NULL CHECK (entered_clock IN ('S', 'I', 'U')),
    exited_ms      INTEGER NOT NULL,
    amount_minor   INTEGER NOT NULL CHECK (amount_minor >= 0),
    paid_minor     INTEGER NOT NULL CHECK (paid_minor BETWEEN 0 AND amount_minor),
    lease          TEXT    NOT NULL,
    lease_cap_minor INTEGER NOT NULL,
    lease_expires_ms INTEGER NOT NULL,
    lease_dn       INTEGER NOT NULL
) STRICT;

CREATE INDEX session_in_the_lot ON session (id) WHERE state IN ('inside', 'held');

CREATE TABLE posting (
    n            INTEGER NOT NULL REFERENCES record (n),
    account      TEXT    NOT NULL CHECK (account IN ('receivable', 'revenue', 'clearing')),
    session      TEXT    NOT NULL REFERENCES session (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (n, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX posting_by_session ON posting (session);

CREATE TABLE lane (
    lane    TEXT PRIMARY KEY,
    waiting TEXT NOT NULL,
    leaving TEXT NOT NULL
) STRICT;

CREATE TABLE bay (
    bay      TEXT    PRIMARY KEY,
    occupied INTEGER NOT NULL CHECK (occupied IN (0, 1))
) STRICT;

-- The last committed event of each node: what its next ack says, and the guard against counting an event twice.
CREATE TABLE node (
    uid TEXT    PRIMARY KEY,
    log INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 0)
) STRICT;

-- The city's own signed lines: leases and payments, kept as evidence.
CREATE TABLE down (
    dn        INTEGER PRIMARY KEY CHECK (dn >= 1),
    line      TEXT    NOT NULL,
    signature BLOB    NOT NULL CHECK (length(signature) = 64)
) STRICT;

CREATE TABLE receipt (
    n         INTEGER PRIMARY KEY CHECK (n >= 0),
    line      TEXT    NOT NULL,
    signature BLOB    NOT NULL CHECK (length(signature) = 64)
) STRICT;
