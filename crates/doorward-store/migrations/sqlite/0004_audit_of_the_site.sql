-- Rows for what happens at the built-in site, and for sockets that are let in once more. What happens at the site has no gate, what the
-- operator does on the machine has no source, and what concerns all owners has no owner. SQLite changes no CHECK, so the table is made
-- anew; the ids stay.

CREATE TABLE audit_next (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    trace        BLOB    NOT NULL CHECK (length(trace) = 16),
    at           INTEGER NOT NULL,
    took_ms      INTEGER NOT NULL,
    owner        TEXT,
    gate         TEXT,
    source       TEXT,
    subject_kind TEXT,
    subject_pk   TEXT,
    subject_uuid TEXT,
    outcome      TEXT    NOT NULL CHECK (outcome IN ('admitted', 'readmitted', 'refused', 'hung_up', 'happened')),
    socket       BLOB,
    reason       TEXT,
    layer        TEXT,
    step         TEXT,
    -- what happened at the site, and who has brought it about
    event        TEXT,
    by_whom      TEXT,
    detail       TEXT,
    trail        TEXT    NOT NULL
) STRICT;

INSERT INTO audit_next
    SELECT id, trace, at, took_ms, owner, gate, source, subject_kind, subject_pk, subject_uuid, outcome, socket, reason, layer, step,
           NULL, NULL, detail, trail
    FROM audit;

DROP TABLE audit;
ALTER TABLE audit_next RENAME TO audit;

CREATE INDEX audit_by_trace ON audit (trace);
CREATE INDEX audit_by_owner ON audit (owner, id);
CREATE INDEX audit_by_subject ON audit (subject_kind, subject_pk, id) WHERE subject_pk IS NOT NULL;
CREATE INDEX audit_by_socket ON audit (socket) WHERE socket IS NOT NULL;
