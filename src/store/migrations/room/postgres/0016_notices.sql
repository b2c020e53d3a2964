-- What readers of a grant must know (JSON, made by the vault): a recall of what they read.
CREATE TABLE notice (
    id BYTEA NOT NULL,
    reading_grant BYTEA NOT NULL REFERENCES reading_grant (id),
    at BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (id, reading_grant)
);
CREATE INDEX notice_grant ON notice (reading_grant);
