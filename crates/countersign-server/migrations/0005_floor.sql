-- Every place below this one was taken back, whoever had it, until that time: after an older copy was restored, tokens are about
-- of which this database knows nothing.
ALTER TABLE revocation_epoch ADD COLUMN floor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE revocation_epoch ADD COLUMN floor_until BIGINT NOT NULL DEFAULT 0;
