-- Fewer bytes a record. Keyed digests are kept as their first 16 bytes (128 bits: see ItemDigest). Segments have numbers,
-- because every fragment names one. A name whose record is known has its conversation from that; versions and sightings keep
-- the names under which they were delivered. Indexes that nothing asks are gone.

ALTER TABLE segment ADD COLUMN number BIGINT;
UPDATE segment SET number = rowid;
CREATE UNIQUE INDEX segment_number ON segment (number);

ALTER TABLE fragment RENAME TO fragment_before;
DROP INDEX fragment_segment;
-- The key table. `ranges`: see docs/segment-format.md.
CREATE TABLE fragment (
    id BLOB PRIMARY KEY,
    segment_number BIGINT NOT NULL REFERENCES segment (number),
    kind TEXT NOT NULL,
    wrapped_key BLOB NOT NULL,
    place BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    ranges BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO fragment (id, segment_number, kind, wrapped_key, place, size_bytes, ranges)
SELECT f.id, s.number, f.kind, f.wrapped_key, f.place, f.size_bytes, f.ranges
FROM fragment_before f JOIN segment s ON s.id = f.segment ORDER BY f.id;
DROP TABLE fragment_before;
CREATE INDEX fragment_segment ON fragment (segment_number);

ALTER TABLE name RENAME TO name_before;
DROP INDEX name_conversation;
-- Every name a platform gives an item, as a keyed digest. A name may be known (as the parent of a reply, as deleted, as
-- superseded) before its record is; `conversation` is null once it is.
CREATE TABLE name (
    digest BLOB PRIMARY KEY,
    record BLOB,
    conversation BLOB,
    withheld TEXT
) WITHOUT ROWID;
INSERT INTO name (digest, record, conversation, withheld)
SELECT substr(digest, 1, 16), record, CASE WHEN record IS NULL THEN conversation END, withheld
FROM name_before ORDER BY digest;
CREATE INDEX name_conversation ON name (conversation) WHERE conversation IS NOT NULL;

ALTER TABLE version ADD COLUMN names BLOB;
ALTER TABLE sighting ADD COLUMN names BLOB;
CREATE INDEX name_before_record ON name_before (record);
UPDATE version SET digest = substr(digest, 1, 16), names =
    (SELECT unhex(group_concat(hex(substr(n.digest, 1, 16)), '')) FROM name_before n WHERE n.record = version.record);
DROP TABLE name_before;

ALTER TABLE subject RENAME TO subject_before;
-- A person within one conversation, recognised by keyed digest.
CREATE TABLE subject (
    conversation BLOB NOT NULL,
    digest BLOB NOT NULL,
    reference BIGINT NOT NULL,
    PRIMARY KEY (conversation, digest)
) WITHOUT ROWID;
INSERT INTO subject (conversation, digest, reference)
SELECT conversation, substr(digest, 1, 16), reference FROM subject_before ORDER BY conversation, digest;
DROP TABLE subject_before;

UPDATE suppression SET digest = substr(digest, 1, 16);
UPDATE capture SET digest = substr(digest, 1, 16);

DROP INDEX record_version;
-- What is archived is read in the order it came in; only what is not is looked for by outcome.
DROP INDEX record_outcome;
CREATE INDEX record_outcome ON record (organisation, outcome, id) WHERE outcome <> 'archive';
