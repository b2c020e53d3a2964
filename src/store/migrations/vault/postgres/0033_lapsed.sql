-- When it was taken up that a grant is over: its names go from the reading room then, as they go when it is revoked.
ALTER TABLE access_grant ADD COLUMN lapsed_at BIGINT;
CREATE INDEX access_grant_standing ON access_grant (until_at) WHERE revoked_at IS NULL AND lapsed_at IS NULL;
