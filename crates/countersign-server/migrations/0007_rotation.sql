-- The grace window before the present one, which stays open until its end.
ALTER TABLE sessions ADD COLUMN before_n BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN before_at BIGINT NOT NULL DEFAULT 0;
-- The latest time at which a session began or was used: until then, and as long as a token lives, there are tokens of it.
ALTER TABLE sessions ADD COLUMN latest_at BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET latest_at = rotated_at;
