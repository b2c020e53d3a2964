-- When each segment was read back whole for the last time, and what was wrong with it then, or null.
CREATE TABLE fixity (
    segment BLOB PRIMARY KEY,
    checked_at BIGINT NOT NULL,
    wrong TEXT
);

-- When something that keeps the archive was done last: `verify`, `scrub`, `backup`.
CREATE TABLE milestone (
    name TEXT PRIMARY KEY,
    reached_at BIGINT NOT NULL,
    detail TEXT NOT NULL
);
