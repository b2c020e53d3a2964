-- Projections by number. What documents of a channel say alike stands once, in `frame`; words are found in blocks of
-- neighbouring projections in the place of a row for each word of each. Rows of before are carried over by the vault when
-- it opens the database (`RoomWriter::carry_over`): `…_before` is empty after it.

ALTER TABLE projection RENAME TO projection_before;
DROP INDEX projection_conversation;
ALTER TABLE grant_record RENAME TO grant_record_before;
DROP INDEX grant_record_order;
DROP INDEX grant_record_projection;
DROP INDEX grant_record_conversation;
ALTER TABLE grant_subject RENAME TO grant_subject_before;
DROP TABLE term;

-- `content`: a document without its passages, and without what `projection` has of its own.
CREATE TABLE frame (
    number INTEGER PRIMARY KEY,
    organisation TEXT NOT NULL,
    channel TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (organisation, channel, content)
);

CREATE TABLE projection (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    conversation BLOB NOT NULL,
    frame BIGINT NOT NULL REFERENCES frame (number),
    author BIGINT,
    day TEXT NOT NULL,
    position BIGINT NOT NULL,
    passages TEXT NOT NULL
);
CREATE INDEX projection_conversation ON projection (conversation);
CREATE INDEX projection_frame ON projection (frame);

-- Words of the projections, and of nothing else; beside them days, channels and grants (keys that begin with 01).
-- `numbers`: those of the block (number / 4096) that have it.
CREATE TABLE posting (
    block BIGINT NOT NULL,
    word BLOB NOT NULL,
    numbers BLOB NOT NULL,
    PRIMARY KEY (block, word)
) WITHOUT ROWID;

-- A grant's own names for what it covers: drawn at random, gone when it lapses.
CREATE TABLE grant_record (
    reference BLOB PRIMARY KEY,
    reading_grant BLOB NOT NULL REFERENCES reading_grant (id),
    projection BIGINT NOT NULL,
    conversation_reference BLOB NOT NULL,
    day TEXT NOT NULL,
    position BIGINT NOT NULL,
    names TEXT,
    UNIQUE (reading_grant, projection)
);
CREATE INDEX grant_record_order ON grant_record (reading_grant, day, conversation_reference, position);
CREATE INDEX grant_record_projection ON grant_record (projection);
CREATE INDEX grant_record_conversation ON grant_record (conversation_reference);

CREATE TABLE grant_conversation (
    reading_grant BLOB NOT NULL REFERENCES reading_grant (id),
    conversation BLOB NOT NULL,
    reference BLOB NOT NULL,
    PRIMARY KEY (conversation, reading_grant)
) WITHOUT ROWID;

CREATE TABLE grant_subject (
    reading_grant BLOB NOT NULL REFERENCES reading_grant (id),
    conversation BLOB NOT NULL,
    subject BIGINT NOT NULL,
    pseudonym TEXT NOT NULL,
    PRIMARY KEY (reading_grant, conversation, subject)
) WITHOUT ROWID;
INSERT INTO grant_subject (reading_grant, conversation, subject, pseudonym)
SELECT reading_grant, conversation, subject, pseudonym FROM grant_subject_before;
DROP TABLE grant_subject_before;

INSERT INTO grant_conversation (reading_grant, conversation, reference)
SELECT reading_grant, conversation, MIN(conversation_reference) FROM grant_record_before GROUP BY 1, 2;
