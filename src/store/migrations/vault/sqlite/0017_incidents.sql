-- Who was shown which projection under which grant, and since when: taken up from the reading room with its entry.
-- how: read, exported
CREATE TABLE seen (
    projection BLOB NOT NULL,
    access_grant BLOB NOT NULL,
    actor BLOB NOT NULL,
    how TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    PRIMARY KEY (projection, access_grant, actor, how)
) WITHOUT ROWID;

-- How far the reading room's log was gone through for what was shown before there was a table of it.
CREATE TABLE seen_cursor (
    id BIGINT PRIMARY KEY,
    place BIGINT NOT NULL
);
INSERT INTO seen_cursor (id, place) VALUES (1, 0);

-- Projections that showed what is redacted in the one that took their place, until it is certain that nobody saw them.
CREATE TABLE missed (
    projection BLOB PRIMARY KEY,
    record BLOB NOT NULL,
    organisation TEXT NOT NULL,
    cause TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    replaced_at BIGINT
);

-- Personal data was shown that should not have been. cause: the ruleset that found it, or `review`.
CREATE TABLE incident (
    id BLOB PRIMARY KEY,
    organisation TEXT NOT NULL,
    cause TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    notify_until BIGINT NOT NULL,
    outcome TEXT,
    closed_at BIGINT,
    closed_by BLOB,
    entry BLOB
);
CREATE INDEX incident_organisation ON incident (organisation, opened_at);

CREATE TABLE incident_record (
    incident BLOB NOT NULL REFERENCES incident (id),
    projection BLOB NOT NULL,
    record BLOB NOT NULL,
    replaced_at BIGINT NOT NULL,
    PRIMARY KEY (incident, projection)
);

-- Grants whose readers were told to delete it.
CREATE TABLE incident_recall (
    incident BLOB NOT NULL REFERENCES incident (id),
    access_grant BLOB NOT NULL,
    projection BLOB NOT NULL,
    recalled_at BIGINT NOT NULL,
    PRIMARY KEY (incident, access_grant, projection)
);
