-- What the city granted beforehand, and what the lot keeps beside it. The plate of a grant stands in its body, beside the chain.

CREATE TABLE entitlement (
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    plate    TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    dn       INTEGER NOT NULL CHECK (dn >= 1),
    ended_ms INTEGER NOT NULL CHECK (ended_ms >= 0),
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Which stay stands on which permit's space, from when (0: since its entry).
CREATE TABLE space (
    session TEXT    PRIMARY KEY REFERENCES session (id),
    permit  TEXT    NOT NULL,
    from_ms INTEGER NOT NULL CHECK (from_ms >= 0)
) STRICT, WITHOUT ROWID;

-- Stays that a standing lease let out.
CREATE TABLE trusted (
    session  TEXT PRIMARY KEY REFERENCES session (id),
    standing TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Vehicles inside without a stay, by the last count and what left since.
CREATE TABLE unlisted (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    vehicles INTEGER NOT NULL
) STRICT;

CREATE INDEX session_owing ON session (id) WHERE state IN ('due', 'arrears');

CREATE INDEX disclosure_by_plate ON disclosure (plate);

CREATE INDEX session_by_plate_n ON session (plate_n);
