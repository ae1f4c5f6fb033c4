-- Links by which the holder of an account sets another password; one for each account, kept as the hash of its text.
CREATE TABLE resets (
    account    INTEGER NOT NULL PRIMARY KEY REFERENCES accounts (id),
    owner      TEXT    NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX resets_by_hash ON resets (owner, hash);
CREATE INDEX resets_by_expiry ON resets (expires_at);
