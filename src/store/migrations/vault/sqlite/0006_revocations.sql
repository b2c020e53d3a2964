-- Tokens, subjects and persons that are refused at once. In the words of tokens: kept apart from the ledger, like actor.
CREATE TABLE revocation (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    issuer TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    digest BLOB NOT NULL,
    revoked_at BIGINT NOT NULL,
    lifted_at BIGINT
);
CREATE UNIQUE INDEX revocation_in_force ON revocation (digest) WHERE lifted_at IS NULL;
