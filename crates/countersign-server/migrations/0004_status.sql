-- Where the tokens of a session stand in the status lists. A session that was ended has no place of its own any more.
ALTER TABLE sessions ADD COLUMN status_idx BIGINT;
CREATE UNIQUE INDEX sessions_by_status_idx ON sessions (status_idx);
-- What is still to be told; empty outside a transaction.
CREATE INDEX sessions_to_tell ON sessions (revoked_at) WHERE revoked_at IS NOT NULL AND status_idx IS NOT NULL;

-- Places whose tokens were taken back.
CREATE TABLE revocations (
    idx   BIGINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,                       -- what is new has a higher one
    until BIGINT NOT NULL                        -- when the last token that names it is over, for every clock
);
CREATE INDEX revocations_by_epoch ON revocations (epoch);
CREATE INDEX revocations_by_until ON revocations (until);

CREATE TABLE revocation_epoch (
    id    BIGINT NOT NULL PRIMARY KEY,           -- always 1
    epoch BIGINT NOT NULL
);
INSERT INTO revocation_epoch (id, epoch) VALUES (1, 0);
