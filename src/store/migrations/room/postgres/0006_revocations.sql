-- What is refused at once, as digests: looked up at every request.
CREATE TABLE revoked (
    digest BYTEA PRIMARY KEY
);
