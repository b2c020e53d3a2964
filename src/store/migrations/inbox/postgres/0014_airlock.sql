-- Files that wait to be released, in pieces: the reading room adds to it and reads nothing of it; the vault takes them out. What
-- is sent twice stands once, as it was sent first.
CREATE TABLE airlock (
    export BYTEA NOT NULL,
    file TEXT NOT NULL,
    place BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (export, file, place)
);
CREATE FUNCTION airlock_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the airlock is append-only';
END $$;
CREATE TRIGGER airlock_append_only BEFORE UPDATE ON airlock FOR EACH STATEMENT EXECUTE FUNCTION airlock_append_only();
