-- Where in the revocation log it stands that a login has begun: what stands there before means older ones. 0 where nobody knows.
ALTER TABLE sessions ADD COLUMN opened INTEGER NOT NULL DEFAULT 0;
