-- An official's request to open originals. Case, motivation and recipient stand sealed with `entry`; `digest` is a keyed
-- digest of all that was asked, so that nothing of it changes after it was approved.
-- state: waiting (for a second person), open, refused, revoked
CREATE TABLE opening (
    id BLOB PRIMARY KEY,
    organisation TEXT NOT NULL,
    requester BLOB NOT NULL,
    legal_basis TEXT NOT NULL,
    scope TEXT NOT NULL,
    break_glass BIGINT NOT NULL,
    digest BLOB NOT NULL,
    entry BLOB NOT NULL,
    state TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    decided_by BLOB,
    decided_role TEXT,
    stands_in_for BLOB,
    decided_at BIGINT,
    ended_at BIGINT,
    justify_until BIGINT,
    justified_at BIGINT,
    justification BLOB,
    searches BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX opening_organisation ON opening (organisation, asked_at);

-- The records that it reaches, in the order of asking.
CREATE TABLE opening_record (
    opening BLOB NOT NULL REFERENCES opening (id),
    place BIGINT NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (opening, record)
);

-- Under which request, and whose record it was.
ALTER TABLE disclosure ADD COLUMN opening BLOB;
ALTER TABLE disclosure ADD COLUMN organisation TEXT;
CREATE INDEX disclosure_opening ON disclosure (opening);
CREATE INDEX disclosure_record ON disclosure (record);
CREATE INDEX disclosure_created ON disclosure (created_at);

-- An alarm to the data protection officer: it is tried until it is delivered.
CREATE TABLE alarm (
    id BLOB PRIMARY KEY,
    organisation TEXT NOT NULL,
    opening BLOB NOT NULL,
    kind TEXT NOT NULL,
    raised_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    delivered_at BIGINT
);

-- Finding records back: keyed digests of words, handles and accounts, cut to eight bytes. Nothing in it can be read, and
-- without the key nothing can be looked up. `find_record` has the tokens of a record, eight bytes each, so that they go
-- with it.
CREATE TABLE find_token (
    token BIGINT NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (token, record)
) WITHOUT ROWID;
CREATE TABLE find_record (
    record BLOB PRIMARY KEY,
    tokens BLOB NOT NULL
);

-- Records whose processing is restricted (AVG 18), on which request, from when till when.
CREATE TABLE restriction (
    record BLOB NOT NULL,
    request BLOB NOT NULL,
    placed_at BIGINT NOT NULL,
    lifted_at BIGINT,
    PRIMARY KEY (record, request)
);

-- Requests of persons concerned (AVG 15 to 21). Who asks stands sealed with `entry`. state: registered, proven, closed
CREATE TABLE subject_request (
    id BLOB PRIMARY KEY,
    organisation TEXT NOT NULL,
    kind TEXT NOT NULL,
    entry BLOB NOT NULL,
    registered_by BLOB NOT NULL,
    received_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    extended_at BIGINT,
    state TEXT NOT NULL,
    challenge BLOB NOT NULL,
    proof TEXT,
    proven_at BIGINT,
    proven_by BLOB,
    searched_at BIGINT,
    outcome TEXT,
    closed_at BIGINT
);
CREATE INDEX subject_request_organisation ON subject_request (organisation, received_at);

-- The accounts that it is about, as keyed digests of each channel's platform.
CREATE TABLE subject_account (
    request BLOB NOT NULL REFERENCES subject_request (id),
    digest BLOB NOT NULL,
    PRIMARY KEY (request, digest)
);

-- What was found. role: author, mentioned
CREATE TABLE subject_record (
    request BLOB NOT NULL REFERENCES subject_request (id),
    record BLOB NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (request, record)
);

-- Nothing was indexed before: every conversation is looked through anew.
INSERT INTO stale_conversation (conversation, since)
SELECT DISTINCT conversation, 0 FROM record WHERE destroyed_at IS NULL
ON CONFLICT (conversation) DO NOTHING;
