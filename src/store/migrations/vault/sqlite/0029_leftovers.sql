-- Reports of readers that wait stand in the reviewers' queue.
INSERT INTO review_task (version, kind, since, people, held)
SELECT r.version, 'reader-report', MIN(p.received_at), 1, 0 FROM report p JOIN record r ON r.id = p.record
WHERE p.outcome IS NULL AND r.destroyed_at IS NULL AND r.version IS NOT NULL GROUP BY r.version
ON CONFLICT (version, kind) DO NOTHING;

-- What was left of records that were destroyed before all of it went.
DELETE FROM correction WHERE version IN (SELECT id FROM version_row WHERE destroyed_at IS NOT NULL);
DELETE FROM missed WHERE record IN (SELECT id FROM record_row WHERE destroyed_at IS NOT NULL);
UPDATE report SET passage = NULL WHERE record IN (SELECT id FROM record_row WHERE destroyed_at IS NOT NULL);
UPDATE decision_before SET path = '[]', salt = NULL WHERE record IN (SELECT id FROM record_row WHERE destroyed_at IS NOT NULL);
UPDATE version_row SET path = '[]', salt = NULL WHERE destroyed_at IS NOT NULL AND path IS NOT NULL;
