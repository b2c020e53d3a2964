-- What stood in a policy when its version was first used here: SHA-256 over its content, and the ledger entry that commits to it.
-- Another content under the same version is refused, or decisions made under it could not be followed again.
CREATE TABLE policy_version (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    digest BYTEA NOT NULL,
    entry BYTEA NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (kind, id, version)
);
