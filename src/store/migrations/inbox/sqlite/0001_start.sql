-- Up from the reading room to the vault: append only.

CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TRIGGER inbox_no_update BEFORE UPDATE ON inbox BEGIN SELECT RAISE (ABORT, 'the inbox is append-only'); END;
-- `INSERT OR REPLACE` deletes without a delete trigger.
CREATE TRIGGER inbox_no_replace BEFORE INSERT ON inbox WHEN EXISTS (SELECT 1 FROM inbox WHERE seq = NEW.seq)
BEGIN SELECT RAISE (ABORT, 'the inbox is append-only'); END;
CREATE TRIGGER inbox_no_delete BEFORE DELETE ON inbox BEGIN SELECT RAISE (ABORT, 'the inbox is append-only'); END;
