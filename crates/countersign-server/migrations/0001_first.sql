-- Only TEXT, BIGINT (whole seconds since the epoch) and BOOLEAN, so that SQLite and PostgreSQL read the same text.
-- Bytes are base64url without padding.

CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,  -- UUIDv7
    email         TEXT    NOT NULL UNIQUE,       -- lower-cased
    name          TEXT,
    password_hash TEXT    NOT NULL,              -- PHC string
    roles         TEXT    NOT NULL,              -- JSON list of lower-case names
    disabled      BOOLEAN NOT NULL,
    created_at    BIGINT  NOT NULL
);

CREATE TABLE sessions (
    id              TEXT   NOT NULL PRIMARY KEY, -- UUIDv7, base64url
    user_id         TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id       TEXT   NOT NULL,
    v               BIGINT NOT NULL,             -- number of the refresh key that tags this session's tokens
    secret          TEXT   NOT NULL,             -- 16 random bytes; never leaves this row
    n               BIGINT NOT NULL,             -- the generation that may rotate next
    rotated_at      BIGINT NOT NULL,
    grace_n         BIGINT NOT NULL,             -- n and time at the start of the current grace window
    grace_at        BIGINT NOT NULL,
    late_count      BIGINT NOT NULL,             -- late retries spent since late_since
    late_since      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    last_used_at    BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    revoked_at      BIGINT,
    user_agent      TEXT,                        -- as sent, cut short
    address         TEXT                         -- network prefix, not the whole address
);

CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE keys (
    kid          TEXT   NOT NULL PRIMARY KEY,
    alg          TEXT   NOT NULL,
    purpose      TEXT   NOT NULL,                -- sig | refresh
    sealed       TEXT   NOT NULL,                -- AES-256-GCM under the key-encryption key; AAD = kid | alg | purpose
    publish_at   BIGINT NOT NULL,
    sign_from    BIGINT NOT NULL,
    sign_until   BIGINT NOT NULL,
    verify_until BIGINT NOT NULL
);

CREATE TABLE throttle (
    subject TEXT   NOT NULL PRIMARY KEY,         -- what is limited: an account, an address prefix, the pair
    full_at BIGINT NOT NULL                      -- when the whole allowance will be there again
);

CREATE TABLE familiar (
    subject    TEXT   NOT NULL PRIMARY KEY,      -- an account and a network from which it was logged in to
    expires_at BIGINT NOT NULL
);

CREATE TABLE setup (
    id               BIGINT NOT NULL PRIMARY KEY, -- always 1
    code_hash        TEXT,                        -- SHA-256 of the one-time code
    expires_at       BIGINT NOT NULL,
    administrator_id TEXT REFERENCES users (id) ON DELETE SET NULL
);
INSERT INTO setup (id, code_hash, expires_at, administrator_id) VALUES (1, NULL, 0, NULL);

CREATE TABLE probe (
    id         BIGINT NOT NULL PRIMARY KEY,       -- always 1
    written_at BIGINT NOT NULL
);
INSERT INTO probe (id, written_at) VALUES (1, 0);
