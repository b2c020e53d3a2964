-- Under which minimisation profile a version came in (id and version; null: before there were profiles), and which members
-- were left out of it: names and counts as JSON, never values; null when nothing was.
ALTER TABLE version ADD COLUMN profile TEXT;
ALTER TABLE version ADD COLUMN left_out TEXT;

-- What a profile kept out of a capture: by rule, or by name of a member. Counts only.
CREATE TABLE minimised (
    capture BLOB NOT NULL,
    profile TEXT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    amount BIGINT NOT NULL
);
CREATE INDEX minimised_capture ON minimised (capture);

-- Which item a record answers, by the keyed digest of its name: whether the organisation answered is read from it.
ALTER TABLE record ADD COLUMN answers BLOB;
CREATE INDEX record_answers ON record (answers);

-- What detectors and definitions said of a version when it came in: trees can be compared without opening an original.
CREATE TABLE answer (
    version BLOB NOT NULL,
    asked TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_by TEXT NOT NULL,
    by_what TEXT NOT NULL,
    permille BIGINT NOT NULL,
    PRIMARY KEY (version, asked)
);

-- The ending that was reached and how long the record is kept (JSON); the salt of the decision's receipt.
ALTER TABLE decision ADD COLUMN ending TEXT NOT NULL DEFAULT '';
ALTER TABLE decision ADD COLUMN keep TEXT;
ALTER TABLE decision ADD COLUMN salt BLOB;

-- Decisions that a later one took the place of.
CREATE TABLE decision_before (
    record BLOB NOT NULL,
    version BLOB NOT NULL,
    outcome TEXT NOT NULL,
    tree TEXT NOT NULL,
    tree_version TEXT NOT NULL,
    path TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    ending TEXT NOT NULL,
    keep TEXT,
    salt BLOB,
    replaced_at BIGINT NOT NULL
);
CREATE INDEX decision_before_record ON decision_before (record);

-- What people answered to steps: by whom (a pseudonym), when, in which entry of the ledger. The last one counts.
CREATE TABLE step_answer (
    entry BLOB NOT NULL,
    record BLOB NOT NULL,
    asked TEXT NOT NULL,
    answer TEXT NOT NULL,
    actor BLOB NOT NULL,
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (entry, asked)
);
CREATE INDEX step_answer_record ON step_answer (record);

-- Links to the letter system, and what became of formal messages. The case number stands as a keyed digest; it is told to
-- whoever knows it.
CREATE TABLE letter (
    record BLOB PRIMARY KEY,
    system TEXT NOT NULL,
    case_digest BLOB NOT NULL,
    registered_on TEXT NOT NULL,
    registrar BLOB NOT NULL,
    taken_over TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    confirmed_at BIGINT
);
CREATE INDEX letter_case ON letter (case_digest);

CREATE TABLE formal_message (
    record BLOB PRIMARY KEY,
    received_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    done TEXT,
    forwarded_to TEXT,
    actor BLOB,
    done_at BIGINT,
    sender_told_at BIGINT
);
