-- Times are milliseconds since 1970-01-01T00:00:00Z; amounts are minor units.

CREATE TABLE payments (
    id                  TEXT    NOT NULL PRIMARY KEY,
    version             INTEGER NOT NULL,
    partner             TEXT    NOT NULL,
    reference           TEXT    NOT NULL,
    request_fingerprint TEXT    NOT NULL,
    account             TEXT    NOT NULL,
    amount              INTEGER NOT NULL,
    currency            TEXT    NOT NULL,
    mode                TEXT    NOT NULL,
    return_url          TEXT    NOT NULL,
    return_key          TEXT    NOT NULL UNIQUE,
    state               TEXT    NOT NULL,
    request_id          TEXT,
    request_url         TEXT,
    transaction_id      TEXT,
    response_data       TEXT,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    UNIQUE (partner, reference)
) STRICT;

CREATE INDEX payments_by_request ON payments (account, request_id);

-- Each Klarna call as it will be made, again and again if need be: written before it is made.
CREATE TABLE klarna_calls (
    payment_id      TEXT NOT NULL REFERENCES payments (id),
    step            TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    session_token   TEXT,
    body            TEXT NOT NULL,
    PRIMARY KEY (payment_id, step)
) STRICT;

-- Verified webhooks, once per event id.
CREATE TABLE klarna_events (
    event_id    TEXT    NOT NULL PRIMARY KEY,
    body        TEXT    NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

-- What Partners are to be told, as it will be sent.
CREATE TABLE notifications (
    id         TEXT    NOT NULL PRIMARY KEY,
    payment_id TEXT    NOT NULL REFERENCES payments (id),
    partner    TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Work that is not finished. One row per task and subject: whoever comes twice claims it once.
CREATE TABLE outbox (
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    task        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER,
    done_at     INTEGER,
    UNIQUE (task, subject)
) STRICT;

CREATE INDEX outbox_open ON outbox (due_at) WHERE done_at IS NULL;

-- Klarna shows a signing key once, so it is kept here.
CREATE TABLE signing_keys (
    signing_key_id TEXT    NOT NULL PRIMARY KEY,
    signing_key    TEXT    NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;
