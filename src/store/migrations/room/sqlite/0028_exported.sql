-- What an export was prepared of, by the names that its grant drew at random: files are built of these and in their order, which
-- tells nothing. `changed`: 1 once one of them was withdrawn, is not covered any more, or was published with other words: nothing
-- of the export leaves then.
CREATE TABLE export_member (
    export BLOB NOT NULL,
    reference BLOB NOT NULL,
    projection BIGINT NOT NULL,
    changed BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (export, reference)
) WITHOUT ROWID;
CREATE INDEX export_member_projection ON export_member (projection);
CREATE INDEX export_member_changed ON export_member (export) WHERE changed = 1;

-- The digest under which the vault wrote a piece of a package (SHA-256, hexadecimal). Of packages made before it is not known what
-- is in them: they go, and are asked for anew.
DELETE FROM export_chunk;
ALTER TABLE export_chunk ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
