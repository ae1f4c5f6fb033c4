-- Owners and what belongs to them. Times are milliseconds since 1970 (UTC). The owner is part of every key: nothing crosses.

CREATE TABLE owners (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    host       TEXT    UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One-time tickets, under the SHA-256 of their text. `gate` is NULL where the ticket opens any one gate of its owner.
CREATE TABLE tickets (
    owner        TEXT    NOT NULL,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    gate         TEXT,
    origin       TEXT,
    subject_kind TEXT    NOT NULL,
    subject_pk   TEXT    NOT NULL,
    subject_uuid TEXT    NOT NULL,
    rests_on     TEXT    NOT NULL,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (owner, hash)
) STRICT, WITHOUT ROWID;

-- The public halves of app keys (Ed25519).
CREATE TABLE app_keys (
    owner        TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    public       BLOB    NOT NULL CHECK (length(public) = 32),
    subject_kind TEXT    NOT NULL,
    subject_pk   TEXT    NOT NULL,
    subject_uuid TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- Ids of tokens that may be used once.
CREATE TABLE used_tokens (
    owner      TEXT    NOT NULL,
    issuer     TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (owner, issuer, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX used_tokens_by_expiry ON used_tokens (expires_at);
