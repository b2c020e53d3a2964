-- The pseudonyms of the persons that a record refers to, as this grant names them: `subject:pseudonym`, with spaces between.
-- A view then needs no look-up of its own for them. Null for what was published before: those are looked up.
ALTER TABLE grant_record ADD COLUMN names TEXT;
