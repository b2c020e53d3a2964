-- Files of archives. `name` is the keyed digest of the name that a file has in one capture, as posts in that capture name it: an archive that
-- is delivered again names its files again. A name may be known before its file is, and a file before what names it.
CREATE TABLE file_name (
    name BLOB NOT NULL,
    file BIGINT NOT NULL,
    PRIMARY KEY (name, file)
) WITHOUT ROWID;
CREATE INDEX file_name_file ON file_name (file);

-- Which records name it: a file goes when the last of them goes.
CREATE TABLE attached (
    record BIGINT NOT NULL,
    name BLOB NOT NULL,
    PRIMARY KEY (record, name)
) WITHOUT ROWID;
CREATE INDEX attached_name ON attached (name);
