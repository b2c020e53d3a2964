-- The reading room: redacted projections and grants. Written by the vault, read by the reading room.

CREATE TABLE projection (
    id BYTEA PRIMARY KEY,
    conversation BYTEA NOT NULL,
    organisation TEXT NOT NULL,
    channel TEXT NOT NULL,
    day TEXT NOT NULL,
    position BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX projection_conversation ON projection (conversation);

CREATE TABLE reader (
    id BYTEA PRIMARY KEY,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    UNIQUE (issuer, subject)
);

CREATE TABLE reading_grant (
    id BYTEA PRIMARY KEY,
    reader BYTEA NOT NULL REFERENCES reader (id),
    organisation TEXT NOT NULL,
    channels TEXT NOT NULL,
    plan TEXT NOT NULL,
    until_at BIGINT NOT NULL,
    revoked BIGINT NOT NULL
);
CREATE INDEX reading_grant_reader ON reading_grant (reader);

-- A grant's own names for what it covers: drawn at random, gone when it lapses.
CREATE TABLE grant_record (
    reference BYTEA PRIMARY KEY,
    reading_grant BYTEA NOT NULL REFERENCES reading_grant (id),
    projection BYTEA NOT NULL,
    conversation BYTEA NOT NULL,
    conversation_reference BYTEA NOT NULL,
    day TEXT NOT NULL,
    position BIGINT NOT NULL,
    UNIQUE (reading_grant, projection)
);
CREATE INDEX grant_record_order ON grant_record (reading_grant, day, conversation_reference, position);
CREATE INDEX grant_record_projection ON grant_record (projection);
CREATE INDEX grant_record_conversation ON grant_record (conversation_reference);

CREATE TABLE grant_subject (
    reading_grant BYTEA NOT NULL REFERENCES reading_grant (id),
    conversation BYTEA NOT NULL,
    subject BIGINT NOT NULL,
    pseudonym TEXT NOT NULL,
    PRIMARY KEY (reading_grant, conversation, subject)
);

-- Words of the projections, and of nothing else.
CREATE TABLE term (
    word TEXT NOT NULL,
    projection BYTEA NOT NULL,
    PRIMARY KEY (word, projection)
);
CREATE INDEX term_projection ON term (projection);
