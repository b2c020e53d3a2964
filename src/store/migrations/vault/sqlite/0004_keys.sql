-- Destruction. Which epoch key wraps a segment's key: 0 for the master key itself, as before there were epochs; -1 when
-- the key is destroyed because no fragment of the segment has one.
ALTER TABLE segment ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- When it was destroyed: its keys are gone, and of its row nothing is left that tells about it.
ALTER TABLE record ADD COLUMN destroyed_at BIGINT;
ALTER TABLE version ADD COLUMN destroyed_at BIGINT;

-- Which versions stand in a capture: fragments are shared within one.
CREATE INDEX version_capture ON version (capture);

-- A version that was delivered again: its bytes are sealed once more, and go with its record too.
CREATE TABLE sighting (
    capture BLOB NOT NULL,
    record BLOB NOT NULL,
    parts BLOB NOT NULL
);
CREATE INDEX sighting_capture ON sighting (capture);
CREATE INDEX sighting_record ON sighting (record);

-- Names of what was destroyed, as digests under a key of their own: a second delivery is refused.
CREATE TABLE suppression (
    digest BLOB PRIMARY KEY,
    conversation BLOB NOT NULL
);
CREATE INDEX suppression_conversation ON suppression (conversation);

-- Organisations whose epoch keys up to this one must be replaced and destroyed, since when.
CREATE TABLE key_turn (
    organisation TEXT PRIMARY KEY,
    epoch BIGINT NOT NULL,
    asked_at BIGINT NOT NULL
);
-- Segment keys that stand under a master key itself are wrapped anew, under the first epoch key.
INSERT INTO key_turn (organisation, epoch, asked_at) SELECT DISTINCT organisation, 0, 0 FROM capture;
