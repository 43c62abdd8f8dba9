-- What Partners do with payments, each with its Klarna call, written before it is made.
CREATE TABLE operations (
    id                TEXT    NOT NULL PRIMARY KEY,
    payment_id        TEXT    NOT NULL REFERENCES payments (id),
    kind              TEXT    NOT NULL,
    reference         TEXT    NOT NULL,
    amount            INTEGER,
    state             TEXT    NOT NULL,
    klarna_id         TEXT,
    failure_reason    TEXT,
    klarna_error_code TEXT,
    target            TEXT    NOT NULL,
    idempotency_key   TEXT    NOT NULL,
    body              TEXT,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    UNIQUE (payment_id, kind, reference)
) STRICT;

-- Of cancels and voids one is under way at a time: a second would do the same.
CREATE UNIQUE INDEX operations_one_at_a_time ON operations (payment_id, kind)
    WHERE state = 'pending' AND kind IN ('cancel', 'void');
