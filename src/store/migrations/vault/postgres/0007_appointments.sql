-- Whom an organisation appointed, by which document, for which of its channels (all when there is none), until when:
-- approvers (`mandate`) and reviewers of external agencies (`assignment`).
CREATE TABLE appointment (
    id BYTEA PRIMARY KEY,
    kind TEXT NOT NULL,
    organisation TEXT NOT NULL,
    actor BYTEA NOT NULL,
    document TEXT NOT NULL,
    channels TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX appointment_actor ON appointment (actor, kind);
