-- What others said of checkpoints, kept beside them. `note`: the log's signed checkpoint as it was signed.
-- A witness's line over it (C2SP cosignature/v1).
CREATE TABLE ledger_cosignature (
    log TEXT NOT NULL,
    size BIGINT NOT NULL,
    witness TEXT NOT NULL,
    note TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (log, size, witness)
);

-- The answer of a time-stamp authority over it (RFC 3161 TimeStampResp).
CREATE TABLE ledger_timestamp (
    log TEXT NOT NULL,
    size BIGINT NOT NULL,
    note TEXT NOT NULL,
    response BLOB NOT NULL,
    PRIMARY KEY (log, size)
);
