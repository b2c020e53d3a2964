-- What a researcher may see of a request of theirs (JSON, made by the vault).
CREATE TABLE request_view (
    id BYTEA PRIMARY KEY,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX request_view_person ON request_view (issuer, subject);

-- Which records of its channels a grant selects (JSON); all of them when empty.
ALTER TABLE reading_grant ADD COLUMN selection TEXT NOT NULL DEFAULT '';

-- Who reads under a grant: the one who asked for it, and the team.
CREATE TABLE grant_reader (
    reading_grant BYTEA NOT NULL REFERENCES reading_grant (id),
    reader BYTEA NOT NULL REFERENCES reader (id),
    PRIMARY KEY (reading_grant, reader)
);
CREATE INDEX grant_reader_reader ON grant_reader (reader);
INSERT INTO grant_reader (reading_grant, reader) SELECT id, reader FROM reading_grant;
