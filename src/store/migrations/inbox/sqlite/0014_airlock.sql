-- Files that wait to be released, in pieces: the reading room adds to it and reads nothing of it; the vault takes them out. What
-- is sent twice stands once, as it was sent first.
CREATE TABLE airlock (
    export BLOB NOT NULL,
    file TEXT NOT NULL,
    place BIGINT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (export, file, place)
);
CREATE TRIGGER airlock_no_update BEFORE UPDATE ON airlock BEGIN SELECT RAISE (ABORT, 'the airlock is append-only'); END;
CREATE TRIGGER airlock_no_replace BEFORE INSERT ON airlock
WHEN EXISTS (SELECT 1 FROM airlock WHERE export = NEW.export AND file = NEW.file AND place = NEW.place)
BEGIN SELECT RAISE (IGNORE); END;
