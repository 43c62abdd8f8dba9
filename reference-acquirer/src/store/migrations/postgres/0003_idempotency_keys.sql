-- Requests of Partners that carry an Idempotency-Key. Without a status there is no answer yet; the
-- lease says who is at it.
CREATE TABLE idempotency_keys (
    partner     TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    makes       TEXT    NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    status      BIGINT,
    location    TEXT,
    body        TEXT,
    created_at  BIGINT  NOT NULL,
    PRIMARY KEY (partner, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
