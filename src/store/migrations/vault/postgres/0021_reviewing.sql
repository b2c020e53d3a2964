-- The reviewers' queue. What waits because of a decision or a flag is read off those; here stands what was put in the queue
-- by itself: doubtful findings, samples of automatic decisions, reports of readers. `people`: how many judge it, each
-- without knowing what the others said; `held`: it is withheld from every view until it is settled.
CREATE TABLE review_task (
    version BYTEA NOT NULL,
    kind TEXT NOT NULL,
    since BIGINT NOT NULL,
    people BIGINT NOT NULL,
    held BIGINT NOT NULL,
    draw BYTEA,
    settled_at BIGINT,
    PRIMARY KEY (version, kind)
);
CREATE INDEX review_task_waiting ON review_task (kind, settled_at);

-- Each drawing of a sample of automatic decisions: with its seed it can be done again.
CREATE TABLE review_draw (
    id BYTEA PRIMARY KEY,
    organisation TEXT NOT NULL,
    channel TEXT NOT NULL,
    seed BYTEA NOT NULL,
    permille BIGINT NOT NULL,
    twofold_permille BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    candidates BIGINT NOT NULL,
    drawn BIGINT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX review_draw_channel ON review_draw (channel, until_at);

-- What a person said of one thing of one version: a step of its tree, or a finding (a place in a passage: UTF-8 bytes, never
-- words). `automatic` and `by_what`: what had been said without people, and by which detector or ruleset. `in_force`: it
-- holds; what one of two people said does not until both did. `appointment`: of an external agency, whose file was taken
-- in. Reasons and weighings are free text: they stand sealed with the entry.
CREATE TABLE assessment (
    entry BYTEA NOT NULL,
    place BIGINT NOT NULL,
    version BYTEA NOT NULL,
    record BYTEA NOT NULL,
    kind TEXT NOT NULL,
    asked TEXT NOT NULL,
    answer TEXT NOT NULL,
    passage BIGINT,
    start_at BIGINT,
    end_at BIGINT,
    entity TEXT,
    exemption TEXT,
    automatic TEXT,
    by_what TEXT NOT NULL,
    actor BYTEA NOT NULL,
    appointment BYTEA,
    round BIGINT NOT NULL,
    in_force BIGINT NOT NULL,
    seconds BIGINT,
    said_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (entry, place)
);
CREATE INDEX assessment_version ON assessment (version);
CREATE INDEX assessment_record ON assessment (record);
