-- Requests for redacted copies: what each says (JSON, by the researcher), where it stands, and every step of it.
CREATE TABLE access_request (
    id BYTEA PRIMARY KEY,
    organisation TEXT NOT NULL,
    requester BYTEA NOT NULL,
    state TEXT NOT NULL,
    content TEXT NOT NULL,
    access_grant BYTEA,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX access_request_organisation ON access_request (organisation, state);
CREATE INDEX access_request_requester ON access_request (requester);

CREATE TABLE access_request_step (
    request BYTEA NOT NULL,
    number BIGINT NOT NULL,
    step TEXT NOT NULL,
    actor BYTEA,
    taken_at BIGINT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (request, number)
);

-- Which records of its channels a grant selects (JSON); all of them when empty.
ALTER TABLE access_grant ADD COLUMN selection TEXT NOT NULL DEFAULT '';
