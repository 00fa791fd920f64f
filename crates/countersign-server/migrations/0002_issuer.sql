CREATE TABLE issuer (
    id  BIGINT NOT NULL PRIMARY KEY,             -- always 1
    url TEXT                                     -- the public URL of the last server on this database
);
INSERT INTO issuer (id, url) VALUES (1, NULL);
