-- The number of the standing: another whenever anything changes of who is revoked, who reads and which grants they hold.
-- The reading room keeps these in memory under it, and reads it at every request.
CREATE TABLE standing (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL
);
INSERT INTO standing (id, number) VALUES (1, 0);
CREATE TRIGGER standing_revoked_insert AFTER INSERT ON revoked
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_revoked_update AFTER UPDATE ON revoked
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_revoked_delete AFTER DELETE ON revoked
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_reader_insert AFTER INSERT ON reader
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_reader_update AFTER UPDATE ON reader
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_reader_delete AFTER DELETE ON reader
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_reading_grant_insert AFTER INSERT ON reading_grant
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_reading_grant_update AFTER UPDATE ON reading_grant
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_reading_grant_delete AFTER DELETE ON reading_grant
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_grant_reader_insert AFTER INSERT ON grant_reader
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_grant_reader_update AFTER UPDATE ON grant_reader
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
CREATE TRIGGER standing_grant_reader_delete AFTER DELETE ON grant_reader
BEGIN UPDATE standing SET number = number + 1 WHERE id = 1; END;
