-- Finding records back: a row for each token of each block of 16,384 neighbouring records in the place of a row for each token
-- of each record. `records`: steps from one record of the block to the next, less one, seven bits a byte, the top bit set when
-- a step goes on. What a record could be found by is looked for under every token of its block when it goes.
CREATE TABLE find_posting (
    block BIGINT NOT NULL,
    token BIGINT NOT NULL,
    records BLOB NOT NULL,
    PRIMARY KEY (block, token)
) WITHOUT ROWID;
INSERT INTO find_posting (block, token, records)
SELECT block, token, unhex(group_concat(
    CASE WHEN step < 128 THEN printf('%02x', step) ELSE printf('%02x%02x', step % 128 + 128, step / 128) END, '' ORDER BY place))
FROM (SELECT r.number / 16384 AS block, f.token, r.number % 16384 AS place,
        r.number % 16384 - COALESCE(lag(r.number % 16384) OVER (PARTITION BY r.number / 16384, f.token ORDER BY r.number) + 1, 0) AS step
    FROM find_token f JOIN record_row r ON r.id = f.record) AS steps
GROUP BY block, token ORDER BY block, token;
DROP TABLE find_token;
DROP TABLE find_record;
