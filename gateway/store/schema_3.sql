-- What happens to money after an exit. Session and posting are made anew, since their checks have grown.

CREATE TABLE session_new (
    id             TEXT    PRIMARY KEY,
    state          TEXT    NOT NULL CHECK (state IN ('inside', 'held', 'free', 'due', 'arrears', 'paid', 'refunded', 'disputed',
                                                     'voided', 'written-off', 'review')),
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
    lowered_minor  INTEGER NOT NULL CHECK (lowered_minor >= 0),
    written_off_minor INTEGER NOT NULL CHECK (written_off_minor BETWEEN 0 AND amount_minor - lowered_minor),
    paid_minor     INTEGER NOT NULL CHECK (paid_minor >= 0),
    refunded_minor INTEGER NOT NULL CHECK (refunded_minor BETWEEN 0 AND paid_minor),
    invoiced_minor INTEGER NOT NULL CHECK (invoiced_minor >= 0),
    tax_minor      INTEGER NOT NULL CHECK (tax_minor BETWEEN 0 AND invoiced_minor),
    priced_n       INTEGER NOT NULL CHECK (priced_n >= 0),
    next_ms        INTEGER NOT NULL CHECK (next_ms >= 0),
    stage          TEXT    NOT NULL CHECK (stage IN ('none', 'reminder-1', 'reminder-2', 'handed-over')),
    dispute        TEXT    NOT NULL,
    lease          TEXT    NOT NULL,
    lease_cap_minor INTEGER NOT NULL,
    lease_expires_ms INTEGER NOT NULL,
    lease_dn       INTEGER NOT NULL
) STRICT;

-- Terms of stays that left before there were any: two days after the exit what is due is in arrears, a week after it is reminded of.
INSERT INTO session_new
SELECT s.id, state, lane_in, lane_out, plate_n, vehicle, energy, confidence, entered_boot, entered_mono_ms, entered_ms,
    entered_clock, exited_ms, amount_minor, 0, 0, paid_minor, 0, 0, 0, coalesce(e.n, 0),
    CASE state WHEN 'due' THEN exited_ms + 172800000 WHEN 'arrears' THEN exited_ms + 604800000 ELSE 0 END,
    'none', '', lease, lease_cap_minor, lease_expires_ms, lease_dn
FROM session s LEFT JOIN (
    SELECT json_extract(line, '$.body.session') AS id, max(n) AS n FROM record
    WHERE json_extract(line, '$.type') = 'exit' GROUP BY 1
) e ON e.id = s.id;

DROP TABLE session;

ALTER TABLE session_new RENAME TO session;

CREATE INDEX session_in_the_lot ON session (id) WHERE state IN ('inside', 'held');

CREATE INDEX session_owing ON session (id) WHERE state IN ('due', 'arrears', 'disputed');

CREATE INDEX session_by_plate_n ON session (plate_n);

CREATE INDEX session_past_term ON session (next_ms) WHERE next_ms > 0;

CREATE TABLE posting_new (
    n            INTEGER NOT NULL REFERENCES record (n),
    account      TEXT    NOT NULL CHECK (account IN ('receivable', 'revenue', 'clearing', 'cash', 'refunds', 'write-off', 'tax',
                                                     'till-difference')),
    session      TEXT    REFERENCES session (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (n, account)
) STRICT, WITHOUT ROWID;

INSERT INTO posting_new SELECT n, account, session, amount_minor FROM posting;

DROP TABLE posting;

ALTER TABLE posting_new RENAME TO posting;

CREATE INDEX posting_by_session ON posting (session);

-- The city's ids of what moved money, each with what it said: applied once, for ever.
CREATE TABLE used (
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO used
SELECT 'payment', json_extract(line, '$.body.payment'), json_extract(line, '$.body.session') || ' '
    || json_extract(line, '$.body.amount_minor') || iif(json_extract(line, '$.type') = 'paid', ' True ', ' False ')
FROM record WHERE json_extract(line, '$.type') IN ('paid', 'arrears') AND json_extract(line, '$.body.payment') <> '' ORDER BY n;

-- Open shifts of attendants; a closed one leaves its record and its id in `used`.
CREATE TABLE till (
    shift       TEXT    PRIMARY KEY,
    attendant   TEXT    NOT NULL,
    float_minor INTEGER NOT NULL CHECK (float_minor >= 0),
    payments    INTEGER NOT NULL CHECK (payments >= 0),
    cash_minor  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The record that closed each local day; the figures stand in the record.
CREATE TABLE day (
    day TEXT    PRIMARY KEY,
    n   INTEGER NOT NULL REFERENCES record (n)
) STRICT, WITHOUT ROWID;

CREATE INDEX day_by_n ON day (n);
