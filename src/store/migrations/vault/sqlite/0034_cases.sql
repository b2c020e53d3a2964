-- A keyed digest of who opens under which legal basis in which case: one person opens so many records in a case as one
-- request covers. It says nothing of the case, and joins nobody's cases with another's.
ALTER TABLE disclosure ADD COLUMN case_digest BLOB;
CREATE INDEX disclosure_case ON disclosure (case_digest, record);

-- What the public read is kept too: the log is gone through once more for what was read before.
UPDATE seen_cursor SET place = 0 WHERE id = 1;
