-- The session on whose strength another was begun without a password, and with which that one ends.
ALTER TABLE sessions ADD COLUMN begun_by TEXT;
