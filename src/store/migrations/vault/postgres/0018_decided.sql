-- What the ledger committed to of decisions: the salted hashes of an entry, 32 bytes each, in their order. They say nothing
-- without the salts, which stand with the decisions.
CREATE TABLE decision_set (
    entry BYTEA PRIMARY KEY,
    decided_at BIGINT NOT NULL,
    commitments BYTEA NOT NULL
);
CREATE INDEX decision_set_decided ON decision_set (decided_at);

-- Where a formal message was registered, and in which entry that stands: its sealed body has the case number.
ALTER TABLE formal_message ADD COLUMN system TEXT;
ALTER TABLE formal_message ADD COLUMN case_digest BYTEA;
ALTER TABLE formal_message ADD COLUMN entry BYTEA;
CREATE INDEX formal_message_case ON formal_message (case_digest);

-- Formal messages that came in before they were kept apart: fourteen days, as the common definition says.
INSERT INTO formal_message (record, received_at, due_at)
SELECT r.id, COALESCE(r.posted_at, v.observed_at), COALESCE(r.posted_at, v.observed_at) + 1209600000000
FROM record r JOIN version v ON v.id = r.version JOIN answer a ON a.version = r.version
WHERE a.asked = 'formal' AND a.answer = 'yes' AND r.own = 0 AND r.destroyed_at IS NULL
ON CONFLICT (record) DO NOTHING;

-- What the letter system said when it confirmed, who noted it, and in which entry the link stands: its sealed body has the
-- case number.
ALTER TABLE letter ADD COLUMN confirmation TEXT;
ALTER TABLE letter ADD COLUMN confirmed_by BYTEA;
ALTER TABLE letter ADD COLUMN entry BYTEA;
