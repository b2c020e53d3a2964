-- In which form copies are had under a grant: view or export. `wanting`: 0, its plan shows nothing that only the vault can
-- make; 1, all of it is there; 2, some is still to be made.
ALTER TABLE reading_grant ADD COLUMN form TEXT NOT NULL DEFAULT 'view';
ALTER TABLE reading_grant ADD COLUMN wanting BIGINT NOT NULL DEFAULT 0;

-- What the vault made for a record under a grant: wider values, the time as the plan tells it (JSON), and which record of the
-- same grant it answers.
CREATE TABLE grant_value (
    projection BIGINT NOT NULL,
    reading_grant BLOB NOT NULL,
    parent BIGINT,
    content TEXT NOT NULL,
    PRIMARY KEY (projection, reading_grant)
);
CREATE INDEX grant_value_grant ON grant_value (reading_grant);

-- An export as the reading room may know it (`document`, JSON), and what its rows show less than the plan would let them, because
-- too few people stand behind them (JSON).
CREATE TABLE export_view (
    id BLOB PRIMARY KEY,
    reading_grant BLOB NOT NULL,
    state TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX export_view_grant ON export_view (reading_grant);
CREATE TABLE export_row (
    export BLOB NOT NULL,
    projection BIGINT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (export, projection)
);

-- Released files as one package, in pieces; gone when they were fetched, or with the grant.
CREATE TABLE export_chunk (
    export BLOB NOT NULL,
    place BIGINT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (export, place)
);
