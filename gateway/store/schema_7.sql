-- Who may command this lot, and what was commanded. A grant by an operator comes without a line of the city: its dn is 0.

CREATE TABLE entitlement_new (
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    plate    TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    dn       INTEGER NOT NULL CHECK (dn >= 0),
    ended_ms INTEGER NOT NULL CHECK (ended_ms >= 0),
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

INSERT INTO entitlement_new SELECT kind, id, plate, body, dn, ended_ms FROM entitlement;

DROP TABLE entitlement;

ALTER TABLE entitlement_new RENAME TO entitlement;

-- The city's newest list of operators, as it was signed.
CREATE TABLE operator_list (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    version   INTEGER NOT NULL CHECK (version >= 1),
    line      TEXT    NOT NULL,
    signature BLOB    NOT NULL CHECK (length(signature) = 64)
) STRICT;

-- Every key that it named, the revoked ones with them; counter: the highest number of a command that was judged.
CREATE TABLE operator (
    key        TEXT    PRIMARY KEY,
    public     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    roles      TEXT    NOT NULL,
    expires_ms INTEGER NOT NULL CHECK (expires_ms >= 0),
    revoked    INTEGER NOT NULL CHECK (revoked IN (0, 1)),
    counter    INTEGER NOT NULL CHECK (counter >= 0)
) STRICT;

-- Commands as the operators signed them, with the replies that they got. A line may name a plate: deleting the row erases it.
CREATE TABLE command (
    key             TEXT    NOT NULL,
    n               INTEGER NOT NULL,
    line            TEXT    NOT NULL,
    signature       BLOB    NOT NULL CHECK (length(signature) = 64),
    reply           TEXT    NOT NULL,
    reply_signature BLOB    NOT NULL CHECK (length(reply_signature) = 64),
    at_ms           INTEGER NOT NULL,
    opens           TEXT    NOT NULL,
    expires_ms      INTEGER NOT NULL,
    PRIMARY KEY (key, n)
) STRICT;

CREATE INDEX command_that_opened ON command (at_ms) WHERE opens <> '';

-- Barriers that an operator keeps up.
CREATE TABLE hold (
    lane     TEXT    PRIMARY KEY,
    key      TEXT    NOT NULL,
    since_ms INTEGER NOT NULL
) STRICT;
