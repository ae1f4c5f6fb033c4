-- An invitation to a site's first account holds only while the owner has no account.
ALTER TABLE invitations ADD COLUMN first INTEGER NOT NULL DEFAULT 0 CHECK (first IN (0, 1));
