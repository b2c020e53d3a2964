-- The number of the standing: another whenever anything changes of who is revoked, who reads and which grants they hold.
-- The reading room keeps these in memory under it, and reads it at every request.
CREATE TABLE standing (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL
);
INSERT INTO standing (id, number) VALUES (1, 0);

CREATE FUNCTION standing_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE standing SET number = number + 1 WHERE id = 1;
    RETURN NULL;
END $$;
CREATE TRIGGER standing_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON revoked
    FOR EACH STATEMENT EXECUTE FUNCTION standing_changed();
CREATE TRIGGER standing_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON reader
    FOR EACH STATEMENT EXECUTE FUNCTION standing_changed();
CREATE TRIGGER standing_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON reading_grant
    FOR EACH STATEMENT EXECUTE FUNCTION standing_changed();
CREATE TRIGGER standing_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON grant_reader
    FOR EACH STATEMENT EXECUTE FUNCTION standing_changed();
