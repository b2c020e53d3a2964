-- Which files of an archive are attached to a record, by the keyed digests of their names: a file goes when the last record goes that
-- it is attached to. A name may be known before its file is.
CREATE TABLE attached (
    record BIGINT NOT NULL,
    name BYTEA NOT NULL,
    PRIMARY KEY (record, name)
);
CREATE INDEX attached_name ON attached (name);
