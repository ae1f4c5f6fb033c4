-- One row per decision of a ladder. AUTOINCREMENT: the order of ids is the order of commits, and no id comes twice.

CREATE TABLE audit (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    trace        BLOB    NOT NULL CHECK (length(trace) = 16),
    at           INTEGER NOT NULL,
    took_ms      INTEGER NOT NULL,
    owner        TEXT    NOT NULL,
    gate         TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    subject_kind TEXT,
    subject_pk   TEXT,
    subject_uuid TEXT,
    outcome      TEXT    NOT NULL CHECK (outcome IN ('admitted', 'refused', 'hung_up')),
    socket       BLOB,
    reason       TEXT,
    layer        TEXT,
    step         TEXT,
    detail       TEXT,
    trail        TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_by_trace ON audit (trace);
CREATE INDEX audit_by_owner ON audit (owner, id);
