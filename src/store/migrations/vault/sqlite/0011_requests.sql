-- Requests for redacted copies: what each says (JSON, by the researcher), where it stands, and every step of it.
CREATE TABLE access_request (
    id BLOB PRIMARY KEY,
    organisation TEXT NOT NULL,
    requester BLOB NOT NULL,
    state TEXT NOT NULL,
    content TEXT NOT NULL,
    access_grant BLOB,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX access_request_organisation ON access_request (organisation, state);
CREATE INDEX access_request_requester ON access_request (requester);

CREATE TABLE access_request_step (
    request BLOB NOT NULL,
    number BIGINT NOT NULL,
    step TEXT NOT NULL,
    actor BLOB,
    taken_at BIGINT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (request, number)
);

-- Which records of its channels a grant selects (JSON); all of them when empty.
ALTER TABLE access_grant ADD COLUMN selection TEXT NOT NULL DEFAULT '';
