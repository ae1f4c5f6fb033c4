-- When a ticket was made. Of one that is older than this column nobody knows: it was made before every time that may be asked for.
ALTER TABLE tickets ADD COLUMN issued_at INTEGER NOT NULL DEFAULT 0;

-- What tickets rest on, their subjects among it, to find those that an ending voids.
CREATE TABLE ticket_rests (
    rest  TEXT NOT NULL,
    owner TEXT NOT NULL,
    hash  BLOB NOT NULL,
    PRIMARY KEY (rest, owner, hash),
    FOREIGN KEY (owner, hash) REFERENCES tickets (owner, hash) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO ticket_rests
    SELECT json_extract(one.value, '$[0]') || '=' || json_extract(one.value, '$[1]'), owner, hash
    FROM tickets, json_each(tickets.rests_on) AS one
    UNION SELECT 'subject=' || subject_kind || ':' || subject_pk, owner, hash FROM tickets;

CREATE INDEX ticket_rests_by_ticket ON ticket_rests (owner, hash);
CREATE INDEX tickets_by_expiry ON tickets (expires_at);

-- Accounts of the built-in site. AUTOINCREMENT: no number comes twice. `name_key` is the name as names are compared.
CREATE TABLE accounts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    owner       TEXT    NOT NULL,
    username    TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,
    role        TEXT    NOT NULL CHECK (role IN ('user', 'owner', 'operator')),
    password    BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER,
    UNIQUE (owner, name_key)
) STRICT;

CREATE INDEX accounts_by_owner ON accounts (owner, id);

CREATE TABLE invitations (
    owner      TEXT    NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    role       TEXT    NOT NULL CHECK (role IN ('user', 'owner', 'operator')),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (owner, hash)
) STRICT, WITHOUT ROWID;

-- Logins. One that has ended is not here: what rests on it goes with it. `hash` is that of the cookie's text.
CREATE TABLE sessions (
    sid        BLOB    NOT NULL PRIMARY KEY CHECK (length(sid) = 16),
    owner      TEXT    NOT NULL,
    hash       BLOB    CHECK (length(hash) = 32),
    account    INTEGER NOT NULL REFERENCES accounts (id),
    browser    BLOB    CHECK (length(browser) = 32),
    factors    TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    idle_ms    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- when its time is over: the earlier of the two limits
    over_at    INTEGER NOT NULL GENERATED ALWAYS AS (min(expires_at, last_seen + idle_ms)) STORED,
    UNIQUE (owner, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_account ON sessions (account, created_at);
CREATE INDEX sessions_by_owner ON sessions (owner, created_at);
CREATE INDEX sessions_by_age ON sessions (created_at);
CREATE INDEX sessions_by_end ON sessions (over_at);

-- Browsers that an account has been logged in with.
CREATE TABLE browsers (
    account  INTEGER NOT NULL REFERENCES accounts (id),
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    used_at  INTEGER NOT NULL,
    PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX browsers_by_use ON browsers (used_at);

-- The revocation log. Its cursor is counted in `revocation_counter`, in the transaction that appends: a rowid would come again
-- when the newest row is gone, and numbers that are drawn before the transaction are committed in another order.
CREATE TABLE revocations (
    cursor       INTEGER NOT NULL PRIMARY KEY,
    at           INTEGER NOT NULL,
    owner        TEXT,
    what         TEXT    NOT NULL CHECK (what IN ('rest', 'others', 'not_before', 'logged_in')),
    -- `kind=value` of what has ended
    rest         TEXT,
    subject_kind TEXT,
    subject_pk   TEXT,
    subject_uuid TEXT,
    -- the login that goes on, or that has begun
    sid          BLOB,
    browser      BLOB,
    not_before   INTEGER,
    why          TEXT    NOT NULL
) STRICT;

CREATE INDEX revocations_by_rest ON revocations (rest) WHERE rest IS NOT NULL;

CREATE TABLE revocation_counter (
    one    INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    newest INTEGER NOT NULL
) STRICT;

INSERT INTO revocation_counter VALUES (1, 0);

-- Failures in a row. `device` is empty for all browsers that the subject is not known to have used.
CREATE TABLE failures (
    owner   TEXT    NOT NULL,
    factor  TEXT    NOT NULL,
    subject BLOB    NOT NULL CHECK (length(subject) = 32),
    device  BLOB    NOT NULL,
    count   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (owner, factor, subject, device)
) STRICT, WITHOUT ROWID;

CREATE INDEX failures_by_time ON failures (last);

-- What sources have to wait out. `source` is an address, or the first of a network.
CREATE TABLE penalties (
    source TEXT    NOT NULL PRIMARY KEY,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX penalties_by_end ON penalties (until);

-- Tries of the last day that were not right. AUTOINCREMENT: a try that is settled late settles no other.
CREATE TABLE attempts (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    owner   TEXT    NOT NULL,
    factor  TEXT    NOT NULL,
    subject BLOB    NOT NULL,
    device  BLOB    NOT NULL,
    source  TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_by_subject ON attempts (owner, factor, subject, device, at);
CREATE INDEX attempts_by_time ON attempts (at);

-- Authenticator apps: secrets as they come, sealed.
CREATE TABLE totp (
    account      INTEGER NOT NULL PRIMARY KEY REFERENCES accounts (id),
    sealed       BLOB    NOT NULL,
    enrolled_at  INTEGER NOT NULL,
    confirmed_at INTEGER,
    last_step    INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    account INTEGER NOT NULL REFERENCES accounts (id),
    hash    BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

-- Keys to be typed into a socket; one for each account.
CREATE TABLE key_entries (
    owner      TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    account    INTEGER NOT NULL UNIQUE REFERENCES accounts (id),
    sid        BLOB    NOT NULL REFERENCES sessions (sid) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    wrong      INTEGER NOT NULL,
    PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX key_entries_by_login ON key_entries (sid);
CREATE INDEX key_entries_by_expiry ON key_entries (expires_at);

-- Refresh tokens; those that were used too, to know them again.
CREATE TABLE refreshes (
    owner      TEXT    NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    sid        BLOB    NOT NULL REFERENCES sessions (sid) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    is_used    INTEGER NOT NULL CHECK (is_used IN (0, 1)),
    PRIMARY KEY (owner, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX refreshes_by_login ON refreshes (sid);
CREATE INDEX refreshes_by_expiry ON refreshes (expires_at);

-- Keys to the HTTP API. `owner` is NULL for the operator's.
CREATE TABLE api_keys (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    owner      TEXT,
    id         TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_by_owner ON api_keys (owner, created_at);
CREATE INDEX api_keys_by_id ON api_keys (id);
