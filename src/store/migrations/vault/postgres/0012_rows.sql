-- Fewer bytes a record. Records, versions and conversations have numbers, by which rows name each other; what many rows say
-- alike (channel, capture, ruleset, how it was decided) stands once. What was there is carried over. `record`, `version`,
-- `decision`, `answer`, `name` and `subject` are views now, with the columns that they had: they are for reading, `…_row` and
-- the tables beside them are written to.

CREATE TABLE conversation (
    number BIGINT PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE
);
INSERT INTO conversation (number, id)
SELECT row_number() OVER (ORDER BY id), id FROM (SELECT conversation AS id FROM record UNION SELECT conversation FROM subject) AS known;

-- What records of a channel say alike.
CREATE TABLE shelf (
    number BIGINT PRIMARY KEY,
    organisation TEXT NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    own BIGINT NOT NULL,
    UNIQUE (organisation, channel, kind, own)
);
INSERT INTO shelf (number, organisation, channel, kind, own)
SELECT row_number() OVER (ORDER BY organisation, channel, kind, own), organisation, channel, kind, own
FROM (SELECT DISTINCT organisation, channel, kind, own FROM record) AS known;

-- What versions say alike that came in together; `profile` is empty where there was none.
CREATE TABLE delivery (
    number BIGINT PRIMARY KEY,
    capture BYTEA NOT NULL,
    observed_at BIGINT NOT NULL,
    profile TEXT NOT NULL,
    UNIQUE (capture, observed_at, profile)
);
INSERT INTO delivery (number, capture, observed_at, profile)
SELECT row_number() OVER (ORDER BY capture, observed_at, profile), capture, observed_at, profile
FROM (SELECT DISTINCT capture, observed_at, COALESCE(profile, '') AS profile FROM version) AS known;

CREATE TABLE ruleset (
    number BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
INSERT INTO ruleset (number, name)
SELECT row_number() OVER (ORDER BY name), name FROM (SELECT ruleset AS name FROM version UNION SELECT '') AS known;

-- What decisions say alike. `path` is empty where each has its own, because it names places in the text; `keep` where nothing
-- is kept.
CREATE TABLE ruling (
    number BIGINT PRIMARY KEY,
    outcome TEXT NOT NULL,
    tree TEXT NOT NULL,
    tree_version TEXT NOT NULL,
    ending TEXT NOT NULL,
    keep TEXT NOT NULL,
    path TEXT NOT NULL,
    UNIQUE (tree, tree_version, outcome, ending, keep, path)
);
INSERT INTO ruling (number, outcome, tree, tree_version, ending, keep, path)
SELECT row_number() OVER (ORDER BY tree, tree_version, outcome, ending, keep, path), outcome, tree, tree_version, ending, keep, path
FROM (SELECT DISTINCT outcome, tree, tree_version, ending, COALESCE(keep, '') AS keep,
    CASE WHEN path LIKE '%"evidence":[{%' THEN '' ELSE path END AS path FROM decision) AS known;

-- What detectors and definitions say, and which of it they said of a version together: `members` are the numbers, with a
-- space between.
CREATE TABLE given_answer (
    number BIGINT PRIMARY KEY,
    asked TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_by TEXT NOT NULL,
    by_what TEXT NOT NULL,
    permille BIGINT NOT NULL,
    UNIQUE (asked, answer, answered_by, by_what, permille)
);
INSERT INTO given_answer (number, asked, answer, answered_by, by_what, permille)
SELECT row_number() OVER (ORDER BY asked, answer, answered_by, by_what, permille), asked, answer, answered_by, by_what, permille
FROM (SELECT DISTINCT asked, answer, answered_by, by_what, permille FROM answer) AS known;

CREATE TABLE answer_set (
    number BIGINT PRIMARY KEY,
    members TEXT NOT NULL UNIQUE
);
CREATE TABLE answer_set_member (
    answer_set BIGINT NOT NULL,
    given BIGINT NOT NULL,
    PRIMARY KEY (answer_set, given)
);
CREATE TABLE answer_before (
    version BYTEA PRIMARY KEY,
    members TEXT NOT NULL
);
INSERT INTO answer_before (version, members)
SELECT a.version, string_agg(g.number::text, ' ' ORDER BY g.number) FROM answer a JOIN given_answer g ON g.asked = a.asked
    AND g.answer = a.answer AND g.answered_by = a.answered_by AND g.by_what = a.by_what AND g.permille = a.permille
GROUP BY a.version;
INSERT INTO answer_set (number, members)
SELECT row_number() OVER (ORDER BY members), members FROM (SELECT DISTINCT members FROM answer_before) AS known;
INSERT INTO answer_set_member (answer_set, given)
SELECT DISTINCT s.number, g.number FROM answer_before b JOIN answer_set s ON s.members = b.members JOIN answer a ON a.version = b.version
JOIN given_answer g ON g.asked = a.asked AND g.answer = a.answer AND g.answered_by = a.answered_by AND g.by_what = a.by_what
    AND g.permille = a.permille;

-- withheld: why no view of it may exist (deleted, superseded), or null. Null says of `visibility` public, of `outcome` archive.
-- version: the one in force.
CREATE TABLE record_row (
    number BIGINT PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    shelf BIGINT NOT NULL,
    conversation BIGINT NOT NULL,
    visibility TEXT,
    posted_at BIGINT,
    edited_at BIGINT,
    withheld TEXT,
    version BIGINT,
    projection BYTEA NOT NULL UNIQUE,
    outcome TEXT,
    answers BYTEA,
    destroyed_at BIGINT
);

-- `parts`: how the original is put together from fragments; `findings`: rule ids and offsets, never words; `names`: those it
-- was delivered under. decided_at: when that was not when it was observed.
CREATE TABLE version_row (
    number BIGINT PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    record BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    delivery BIGINT NOT NULL,
    parts BYTEA NOT NULL,
    ruleset BIGINT NOT NULL,
    findings TEXT NOT NULL,
    names BYTEA,
    left_out TEXT,
    answers BIGINT,
    ruling BIGINT,
    path TEXT,
    salt BYTEA,
    decided_at BIGINT,
    destroyed_at BIGINT
);

INSERT INTO record_row (number, id, shelf, conversation, visibility, posted_at, edited_at, withheld, projection, outcome, answers, destroyed_at)
SELECT row_number() OVER (ORDER BY r.id), r.id, s.number, c.number, NULLIF(r.visibility, 'public'), r.posted_at, r.edited_at, r.withheld,
    r.projection, NULLIF(r.outcome, 'archive'), r.answers, r.destroyed_at
FROM record r JOIN shelf s ON s.organisation = r.organisation AND s.channel = r.channel AND s.kind = r.kind AND s.own = r.own
JOIN conversation c ON c.id = r.conversation ORDER BY r.id;

INSERT INTO version_row (number, id, record, digest, delivery, parts, ruleset, findings, names, left_out, answers, ruling, path, salt,
    decided_at, destroyed_at)
SELECT row_number() OVER (ORDER BY v.id), v.id, r.number, v.digest, d.number, v.parts, s.number, v.findings, v.names, v.left_out, a.number,
    g.number, CASE WHEN o.path LIKE '%"evidence":[{%' THEN o.path END, o.salt, NULLIF(o.decided_at, v.observed_at), v.destroyed_at
FROM version v JOIN record_row r ON r.id = v.record
JOIN delivery d ON d.capture = v.capture AND d.observed_at = v.observed_at AND d.profile = COALESCE(v.profile, '')
JOIN ruleset s ON s.name = v.ruleset
LEFT JOIN answer_before b ON b.version = v.id LEFT JOIN answer_set a ON a.members = b.members
LEFT JOIN decision o ON o.record = v.record AND o.version = v.id
LEFT JOIN ruling g ON g.tree = o.tree AND g.tree_version = o.tree_version AND g.outcome = o.outcome AND g.ending = o.ending
    AND g.keep = COALESCE(o.keep, '') AND g.path = CASE WHEN o.path LIKE '%"evidence":[{%' THEN '' ELSE o.path END
ORDER BY v.id;
UPDATE record_row SET version = (SELECT v.number FROM record r JOIN version_row v ON v.id = r.version WHERE r.id = record_row.id);

CREATE INDEX record_row_conversation ON record_row (conversation);
CREATE INDEX record_row_answers ON record_row (answers) WHERE answers IS NOT NULL;
-- What is archived is read in the order it came in; only what is not is looked for by outcome.
CREATE INDEX record_row_outcome ON record_row (outcome, id) WHERE outcome IS NOT NULL;
CREATE INDEX version_row_record ON version_row (record);
CREATE INDEX version_row_delivery ON version_row (delivery);

-- Every name a platform gives an item, as a keyed digest. A name may be known (as the parent of a reply, as deleted, as
-- superseded) before its record is; `conversation` is null once it is.
CREATE TABLE name_row (
    digest BYTEA PRIMARY KEY,
    record BIGINT,
    conversation BYTEA,
    withheld TEXT
);
INSERT INTO name_row (digest, record, conversation, withheld)
SELECT n.digest, r.number, n.conversation, n.withheld FROM name n LEFT JOIN record_row r ON r.id = n.record ORDER BY n.digest;
CREATE INDEX name_row_conversation ON name_row (conversation) WHERE conversation IS NOT NULL;

-- A person within one conversation, recognised by keyed digest.
CREATE TABLE subject_row (
    conversation BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    reference BIGINT NOT NULL,
    PRIMARY KEY (conversation, digest)
);
INSERT INTO subject_row (conversation, digest, reference)
SELECT c.number, s.digest, s.reference FROM subject s JOIN conversation c ON c.id = s.conversation ORDER BY c.number, s.digest;

-- The fragments of a segment have ids next to each other: they are found between the first and the last, without an index.
ALTER TABLE segment ADD COLUMN first_fragment BYTEA;
ALTER TABLE segment ADD COLUMN last_fragment BYTEA;
UPDATE segment SET first_fragment = (SELECT f.id FROM fragment f WHERE f.segment_number = segment.number ORDER BY f.id LIMIT 1),
    last_fragment = (SELECT f.id FROM fragment f WHERE f.segment_number = segment.number ORDER BY f.id DESC LIMIT 1);
DROP INDEX fragment_segment;

DROP TABLE answer_before;
DROP TABLE answer;
DROP TABLE decision;
DROP TABLE version;
DROP TABLE name;
DROP TABLE subject;
DROP TABLE record;

-- set_aside: the outcome, where that is not archive.
CREATE VIEW record AS
SELECT r.id, s.organisation, s.channel, c.id AS conversation, s.kind, COALESCE(r.visibility, 'public') AS visibility, r.posted_at,
    r.edited_at, s.own, r.withheld, v.id AS version, r.projection, COALESCE(r.outcome, 'archive') AS outcome, r.destroyed_at,
    r.answers, r.number, r.outcome AS set_aside
FROM record_row r JOIN shelf s ON s.number = r.shelf JOIN conversation c ON c.number = r.conversation
LEFT JOIN version_row v ON v.number = r.version;

CREATE VIEW version AS
SELECT v.id, r.id AS record, v.digest, d.capture, d.observed_at, v.parts, s.name AS ruleset, v.findings, v.destroyed_at, v.names,
    NULLIF(d.profile, '') AS profile, v.left_out
FROM version_row v JOIN record_row r ON r.number = v.record JOIN delivery d ON d.number = v.delivery
JOIN ruleset s ON s.number = v.ruleset;

CREATE VIEW decision AS
SELECT r.id AS record, v.id AS version, g.outcome, g.tree, g.tree_version, COALESCE(v.path, g.path) AS path,
    COALESCE(v.decided_at, d.observed_at) AS decided_at, g.ending, NULLIF(g.keep, '') AS keep, v.salt
FROM version_row v JOIN record_row r ON r.number = v.record JOIN ruling g ON g.number = v.ruling
JOIN delivery d ON d.number = v.delivery;

CREATE VIEW answer AS
SELECT v.id AS version, g.asked, g.answer, g.answered_by, g.by_what, g.permille
FROM version_row v JOIN answer_set_member m ON m.answer_set = v.answers JOIN given_answer g ON g.number = m.given;

CREATE VIEW name AS
SELECT n.digest, r.id AS record, n.conversation, n.withheld FROM name_row n LEFT JOIN record_row r ON r.number = n.record;

CREATE VIEW subject AS
SELECT c.id AS conversation, s.digest, s.reference FROM subject_row s JOIN conversation c ON c.number = s.conversation;
