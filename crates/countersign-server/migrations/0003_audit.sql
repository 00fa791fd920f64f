-- A session was last used when its row was last moved on.
ALTER TABLE sessions DROP COLUMN last_used_at;

CREATE TABLE audit (
    seq   BIGINT NOT NULL PRIMARY KEY,           -- 1, 2, 3, … without a gap
    at    BIGINT NOT NULL,
    event TEXT   NOT NULL,
    about TEXT   NOT NULL,                       -- a JSON object: user, session, by whom
    hash  TEXT   NOT NULL                        -- SHA-256 over the hash of the entry before and everything in this one
);
