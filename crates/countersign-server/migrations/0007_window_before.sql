-- The grace window before the present one, which stays open until its end.
ALTER TABLE sessions ADD COLUMN before_n BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN before_at BIGINT NOT NULL DEFAULT 0;
