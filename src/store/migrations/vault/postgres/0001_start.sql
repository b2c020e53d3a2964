-- Catalogue and journal of the archive plane. No content, no names, no handles: digests are keyed,
-- wrapped keys stand in `fragment` and `segment` only, free text of people stands sealed in `ledger_body`.

CREATE TABLE organisation (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE channel (
    id TEXT PRIMARY KEY,
    organisation TEXT NOT NULL REFERENCES organisation (id),
    platform TEXT NOT NULL,
    instance TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    purpose TEXT NOT NULL,
    legal_basis TEXT NOT NULL,
    duty TEXT NOT NULL,
    duty_source TEXT NOT NULL,
    dpia TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- What holds for a channel, from when till when: official, scenario, tree.
CREATE TABLE channel_fact (
    channel TEXT NOT NULL REFERENCES channel (id),
    fact TEXT NOT NULL,
    value TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT,
    reason TEXT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE INDEX channel_fact_channel ON channel_fact (channel, fact);

-- state: open while it comes in, complete, interrupted
CREATE TABLE capture (
    id BYTEA PRIMARY KEY,
    organisation TEXT NOT NULL,
    channel TEXT NOT NULL REFERENCES channel (id),
    format TEXT NOT NULL,
    state TEXT NOT NULL,
    digest BYTEA,
    size_bytes BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX capture_digest ON capture (digest);

CREATE TABLE segment (
    id BYTEA PRIMARY KEY,
    capture BYTEA NOT NULL REFERENCES capture (id),
    wrapped_key BYTEA NOT NULL,
    master_key TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    digest BYTEA NOT NULL
);
CREATE INDEX segment_capture ON segment (capture);

-- The key table. `ranges`: file offsets, pairs of start and end, 8 bytes each, big endian.
CREATE TABLE fragment (
    id BYTEA PRIMARY KEY,
    segment BYTEA NOT NULL REFERENCES segment (id),
    kind TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    place BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    ranges BYTEA NOT NULL
);
CREATE INDEX fragment_segment ON fragment (segment);

-- withheld: why no view of it may exist (deleted, superseded), or null
CREATE TABLE record (
    id BYTEA PRIMARY KEY,
    organisation TEXT NOT NULL,
    channel TEXT NOT NULL,
    conversation BYTEA NOT NULL,
    kind TEXT NOT NULL,
    visibility TEXT NOT NULL,
    posted_at BIGINT,
    edited_at BIGINT,
    own BIGINT NOT NULL,
    withheld TEXT,
    version BYTEA NOT NULL,
    projection BYTEA NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX record_conversation ON record (conversation);
CREATE INDEX record_outcome ON record (organisation, outcome, id);
CREATE UNIQUE INDEX record_projection ON record (projection);

-- Every name a platform gives an item, as a keyed digest. A name may be known (as the parent of a reply,
-- as deleted, as superseded) before its record is.
CREATE TABLE name (
    digest BYTEA PRIMARY KEY,
    record BYTEA,
    conversation BYTEA,
    withheld TEXT
);
CREATE INDEX name_conversation ON name (conversation);

-- `parts`: how the original is put together from fragments; `findings`: rule ids and offsets, never words.
CREATE TABLE version (
    id BYTEA PRIMARY KEY,
    record BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    capture BYTEA NOT NULL,
    observed_at BIGINT NOT NULL,
    parts BYTEA NOT NULL,
    ruleset TEXT NOT NULL,
    findings TEXT NOT NULL,
    UNIQUE (record, digest)
);

CREATE TABLE decision (
    record BYTEA NOT NULL,
    version BYTEA NOT NULL,
    outcome TEXT NOT NULL,
    tree TEXT NOT NULL,
    tree_version TEXT NOT NULL,
    path TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (record, version)
);

-- A person within one conversation, recognised by keyed digest.
CREATE TABLE subject (
    conversation BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    reference BIGINT NOT NULL,
    PRIMARY KEY (conversation, digest)
);

-- Conversations whose projections must be computed anew before they are published again.
CREATE TABLE stale_conversation (
    conversation BYTEA PRIMARY KEY,
    since BIGINT NOT NULL
);

-- What must go down to the reading room, in order.
CREATE TABLE outbox (
    seq BIGSERIAL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE access_grant (
    id BYTEA PRIMARY KEY,
    organisation TEXT NOT NULL,
    reader BYTEA NOT NULL,
    purpose TEXT NOT NULL,
    legal_basis TEXT NOT NULL,
    channels TEXT NOT NULL,
    plan TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    revoked_at BIGINT
);

-- Who is behind an actor: kept apart from the ledger, with a term of its own.
CREATE TABLE actor (
    id BYTEA PRIMARY KEY,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    since BIGINT NOT NULL,
    UNIQUE (issuer, subject)
);

CREATE TABLE disclosure (
    id BYTEA PRIMARY KEY,
    record BYTEA NOT NULL,
    actor BYTEA NOT NULL,
    legal_basis TEXT NOT NULL,
    intent BYTEA NOT NULL,
    outcome TEXT,
    created_at BIGINT NOT NULL
);

-- The journal: pending entries are durable with the transaction that made them; the sequencer numbers them.
CREATE TABLE journal_pending (
    seq BIGSERIAL PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    log TEXT NOT NULL,
    leaf BYTEA NOT NULL,
    body BYTEA
);

CREATE TABLE ledger_entry (
    log TEXT NOT NULL,
    place BIGINT NOT NULL,
    id BYTEA NOT NULL UNIQUE,
    leaf BYTEA NOT NULL,
    PRIMARY KEY (log, place)
);

-- Free text about people (case, motivation): sealed, erasable; the leaf commits to it.
CREATE TABLE ledger_body (
    id BYTEA PRIMARY KEY,
    body BYTEA NOT NULL
);

CREATE TABLE ledger_tile (
    log TEXT NOT NULL,
    level BIGINT NOT NULL,
    place BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (log, level, place)
);

CREATE TABLE ledger_head (
    log TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    checkpoint TEXT NOT NULL
);

-- How far the reading room's inbox has been taken up.
CREATE TABLE inbox_cursor (
    id BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL
);
INSERT INTO inbox_cursor (id, seq) VALUES (1, 0);
