-- What a version is flagged for (special categories, criminal matters, a minor): one row a kind. `places` holds
-- passages, offsets and rule ids, never words; `verdict` is what a reviewer said last, null while nobody has.
CREATE TABLE flag (
    version BLOB NOT NULL,
    kind TEXT NOT NULL,
    places TEXT NOT NULL,
    verdict TEXT,
    PRIMARY KEY (version, kind)
);
CREATE INDEX record_version ON record (version);

-- Every judgement of a flag: by whom (a pseudonym), why (a code), when, in which entry of the ledger.
CREATE TABLE judgement (
    entry BLOB NOT NULL,
    version BLOB NOT NULL,
    kind TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor BLOB NOT NULL,
    judged_at BIGINT NOT NULL,
    PRIMARY KEY (entry, kind)
);
CREATE INDEX judgement_version ON judgement (version);

-- Flags were not looked for before: every conversation is looked through anew.
INSERT INTO stale_conversation (conversation, since)
SELECT DISTINCT conversation, 0 FROM record WHERE true
ON CONFLICT (conversation) DO NOTHING;
