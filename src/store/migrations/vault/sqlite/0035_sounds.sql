-- How reactions of a thread sounded takes a row for each thread, month and source in the place of one for each day and sound: reports are
-- of whole months, and the less is kept the better. What was counted is carried over.

-- On which channel, by which version of the method.
CREATE TABLE sentiment_source (
    number INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    method TEXT NOT NULL,
    UNIQUE (channel, method)
);
INSERT INTO sentiment_source (number, channel, method)
SELECT row_number() OVER (ORDER BY channel, method), channel, method FROM (SELECT DISTINCT channel, method FROM sentiment) AS known;

INSERT INTO conversation (number, id)
SELECT (SELECT COALESCE(MAX(number), 0) FROM conversation) + row_number() OVER (ORDER BY id), id
FROM (SELECT DISTINCT s.conversation AS id FROM sentiment s
    WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.id = s.conversation)) AS known;

-- month: months since the year 0, so that 24315 is April 2026.
CREATE TABLE thread_sentiment (
    conversation BIGINT NOT NULL,
    source BIGINT NOT NULL,
    month BIGINT NOT NULL,
    positive BIGINT NOT NULL,
    negative BIGINT NOT NULL,
    mixed BIGINT NOT NULL,
    neutral BIGINT NOT NULL,
    PRIMARY KEY (conversation, source, month)
) WITHOUT ROWID;
INSERT INTO thread_sentiment (conversation, source, month, positive, negative, mixed, neutral)
SELECT conversation, source, month, COALESCE(SUM(amount) FILTER (WHERE said = 'positive'), 0), COALESCE(SUM(amount) FILTER (WHERE said = 'negative'), 0), COALESCE(SUM(amount) FILTER (WHERE said = 'mixed'), 0),
    COALESCE(SUM(amount) FILTER (WHERE said = 'neutral'), 0)
FROM (SELECT c.number AS conversation, o.number AS source, s.said, s.amount,
        CASE WHEN s.day LIKE '____-__-__' THEN CAST(substr(s.day, 1, 4) AS BIGINT) * 12 + CAST(substr(s.day, 6, 2) AS BIGINT) - 1
            ELSE 0 END AS month
    FROM sentiment s JOIN conversation c ON c.id = s.conversation
    JOIN sentiment_source o ON o.channel = s.channel AND o.method = s.method) AS counted
GROUP BY conversation, source, month ORDER BY conversation, source, month;
DROP TABLE sentiment;
