-- Which projections are in the files of an export that passed the leak gate, and when the reading room was let build them: what
-- turns out later to have been missed in one of them names everyone who has the export.
ALTER TABLE export_job ADD COLUMN built_at BIGINT;
CREATE TABLE export_projection (
    projection BYTEA NOT NULL,
    export BYTEA NOT NULL REFERENCES export_job (id),
    PRIMARY KEY (projection, export)
);
CREATE INDEX export_projection_export ON export_projection (export);
