-- A person's answer is of one version: an edit is judged anew. Answers from before: the version that was decided on with them, or else
-- the one in force.
ALTER TABLE step_answer ADD COLUMN version BYTEA;
UPDATE step_answer SET version = COALESCE(
    (SELECT d.version FROM decision_set s JOIN decision d ON d.record = step_answer.record AND d.decided_at = s.decided_at
        WHERE s.entry = step_answer.entry LIMIT 1),
    (SELECT b.version FROM decision_set s JOIN decision_before b ON b.record = step_answer.record AND b.decided_at = s.decided_at
        WHERE s.entry = step_answer.entry LIMIT 1),
    (SELECT r.version FROM record r WHERE r.id = step_answer.record));
CREATE INDEX step_answer_version ON step_answer (version);
DELETE FROM step_answer WHERE record IN (SELECT id FROM record_row WHERE destroyed_at IS NOT NULL);

-- Records to decide anew: written with what changed a fact (cause, and who caused it), gone with the decision that follows.
CREATE TABLE decide_anew (
    record BYTEA PRIMARY KEY,
    cause TEXT NOT NULL,
    actor BYTEA,
    role TEXT
);
