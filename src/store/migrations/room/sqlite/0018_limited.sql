-- Views that only some grants have: those that name the special categories that a reviewer found to hold. Which these are the
-- vault knows; here it is only that nobody else has the view.
ALTER TABLE projection ADD COLUMN limited BIGINT NOT NULL DEFAULT 0;
