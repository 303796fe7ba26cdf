-- How a restored ledger begins: the city's permit for its epoch, and the head of the ledger that was given up for it.
CREATE TABLE restored (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    n               INTEGER NOT NULL CHECK (n >= 1),
    hash            TEXT    NOT NULL CHECK (length(hash) = 64),
    permit          TEXT    NOT NULL,
    permit_sig      BLOB    NOT NULL CHECK (length(permit_sig) = 64),
    abandoned_epoch INTEGER NOT NULL CHECK (abandoned_epoch >= 0),
    abandoned_n     INTEGER NOT NULL CHECK (abandoned_n >= 0),
    abandoned_hash  TEXT    NOT NULL CHECK (length(abandoned_hash) = 64)
) STRICT;
