-- Exports: files of redacted copies under a grant, from asking to fetching. `built`: what the reading room says it made (JSON);
-- `report`: what the leak gate found (JSON, counts and codes, never a value); `steps`: the ledger's entries of it, in order
-- (ids with a space between); `said`: why the second person let it go or not; `bound`: what the entry of the release
-- commits to, with its salt (JSON).
CREATE TABLE export_job (
    id BYTEA PRIMARY KEY,
    access_grant BYTEA NOT NULL,
    request BYTEA,
    organisation TEXT NOT NULL,
    requester BYTEA NOT NULL,
    state TEXT NOT NULL,
    built TEXT NOT NULL,
    report TEXT NOT NULL,
    steps TEXT NOT NULL,
    decided_by BYTEA,
    said TEXT NOT NULL,
    bound TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    until_at BIGINT
);
CREATE INDEX export_job_organisation ON export_job (organisation, changed_at);
CREATE INDEX export_job_state ON export_job (state);
