-- Names of what a minimisation profile refused because of what the tree says, as digests under the suppression key: how it sounded is
-- counted once, however often it is delivered. Nothing else is kept of it.
CREATE TABLE refused_name (
    digest BLOB PRIMARY KEY
);

-- Under which profile, in which version, a capture came in: the same file under another may bring what was refused.
ALTER TABLE capture ADD COLUMN came_under TEXT;
UPDATE capture SET came_under = (SELECT MAX(d.profile) FROM delivery d WHERE d.capture = capture.id)
WHERE state = 'complete';

-- What was destroyed and is not yet copied to the second place: names of records under the suppression key with their thread, and the
-- records themselves (no thread). A restore of an older backup takes it from there, so that a second delivery is refused.
CREATE TABLE destroyed_uncopied (
    name BLOB PRIMARY KEY,
    conversation BLOB
);
