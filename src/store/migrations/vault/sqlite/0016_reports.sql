-- Reports of readers: which view, and what is wrong with it; no words. kind: wrongly-redacted, name-visible.
-- outcome: confirmed, unfounded, or null while it waits for a reviewer
CREATE TABLE report (
    id BLOB PRIMARY KEY,
    organisation TEXT NOT NULL,
    channel TEXT NOT NULL,
    record BLOB NOT NULL,
    version BLOB NOT NULL,
    access_grant BLOB NOT NULL,
    reporter BLOB NOT NULL,
    kind TEXT NOT NULL,
    passage BIGINT,
    received_at BIGINT NOT NULL,
    outcome TEXT,
    judged_by BLOB,
    judged_at BIGINT
);
CREATE INDEX report_record ON report (record);
CREATE INDEX report_organisation ON report (organisation, received_at);

-- What a person found that no recogniser did, or found that one should not have: places in UTF-8 bytes, never words.
-- act: add, drop
CREATE TABLE correction (
    version BLOB NOT NULL,
    passage BIGINT NOT NULL,
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    act TEXT NOT NULL,
    entity TEXT NOT NULL,
    actor BLOB NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (version, passage, start_at, end_at)
);
