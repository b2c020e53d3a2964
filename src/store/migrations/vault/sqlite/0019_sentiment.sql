-- How many reactions of a thread sounded how, by day and version of the method: counts only, nothing of one reaction.
CREATE TABLE sentiment (
    conversation BLOB NOT NULL,
    channel TEXT NOT NULL,
    day TEXT NOT NULL,
    method TEXT NOT NULL,
    said TEXT NOT NULL,
    amount BIGINT NOT NULL
);
CREATE INDEX sentiment_day ON sentiment (channel, day);
