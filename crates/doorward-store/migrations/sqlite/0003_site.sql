-- When a ticket was made. Of one that is older than this column nobody knows: it was made before every time that may be asked for.
ALTER TABLE tickets ADD COLUMN issued_at INTEGER NOT NULL DEFAULT 0;
