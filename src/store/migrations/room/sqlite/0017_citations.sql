-- How often a view was published under a grant's own name for it, and when last anew: a citation names the version. Counted
-- for each grant by itself, so that two grants cannot be joined by it.
ALTER TABLE grant_record ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE grant_record ADD COLUMN changed_at BIGINT;

-- Names that a grant had for what is no longer there: a citation of it says so, and what comes back gets its name again.
CREATE TABLE grant_gone (
    reference BLOB PRIMARY KEY,
    reading_grant BLOB NOT NULL REFERENCES reading_grant (id),
    projection BLOB NOT NULL,
    day TEXT NOT NULL,
    version BIGINT NOT NULL,
    gone_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX grant_gone_projection ON grant_gone (projection, reading_grant);

-- What a grant's readers may know of how its records came to be there (JSON, made by the vault).
CREATE TABLE finding_aid (
    reading_grant BLOB PRIMARY KEY REFERENCES reading_grant (id),
    made_at BIGINT NOT NULL,
    document TEXT NOT NULL
);
