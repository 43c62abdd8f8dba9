-- Times are milliseconds since 1970-01-01T00:00:00Z; amounts are minor units. Ids sort by their
-- bytes, as they do in SQLite.

CREATE TABLE payments (
    id                  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version             BIGINT NOT NULL,
    partner             TEXT   NOT NULL,
    reference           TEXT   NOT NULL,
    request_fingerprint TEXT   NOT NULL,
    account             TEXT   NOT NULL,
    amount              BIGINT NOT NULL,
    currency            TEXT   NOT NULL,
    mode                TEXT   NOT NULL,
    return_url          TEXT   NOT NULL,
    return_key          TEXT   NOT NULL UNIQUE,
    state               TEXT   NOT NULL,
    request_id          TEXT,
    request_url         TEXT,
    transaction_id      TEXT,
    response_data       TEXT,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL,
    UNIQUE (partner, reference)
);

CREATE INDEX payments_by_request ON payments (account, request_id);

-- Each Klarna call as it will be made, again and again if need be: written before it is made.
CREATE TABLE klarna_calls (
    payment_id      TEXT COLLATE "C" NOT NULL REFERENCES payments (id),
    step            TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    session_token   TEXT,
    body            TEXT NOT NULL,
    PRIMARY KEY (payment_id, step)
);

-- Verified webhooks, once per event id.
CREATE TABLE klarna_events (
    event_id    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    body        TEXT   NOT NULL,
    received_at BIGINT NOT NULL
);

-- What Partners are to be told, as it will be sent.
CREATE TABLE notifications (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    payment_id TEXT COLLATE "C" NOT NULL REFERENCES payments (id),
    partner    TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- Work that is not finished. One row per task and subject: whoever comes twice claims it once.
CREATE TABLE outbox (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task        TEXT   NOT NULL,
    subject     TEXT   NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0,
    due_at      BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    done_at     BIGINT,
    UNIQUE (task, subject)
);

CREATE INDEX outbox_open ON outbox (due_at) WHERE done_at IS NULL;

-- Klarna shows a signing key once, so it is kept here.
CREATE TABLE signing_keys (
    signing_key_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    signing_key    TEXT   NOT NULL,
    created_at     BIGINT NOT NULL
);

-- Who alone may do what, and until when; for work that is not an outbox row.
CREATE TABLE locks (
    name       TEXT   NOT NULL PRIMARY KEY,
    owner      TEXT   NOT NULL,
    held_until BIGINT NOT NULL
);
