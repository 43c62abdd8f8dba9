-- What Partners do with payments, each with its Klarna call, written before it is made.
CREATE TABLE operations (
    id                TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    payment_id        TEXT COLLATE "C" NOT NULL REFERENCES payments (id),
    kind              TEXT    NOT NULL,
    reference         TEXT    NOT NULL,
    amount            BIGINT,
    state             TEXT    NOT NULL,
    klarna_id         TEXT,
    failure_reason    TEXT,
    klarna_error_code TEXT,
    target            TEXT    NOT NULL,
    idempotency_key   TEXT    NOT NULL,
    body              TEXT,
    created_at        BIGINT  NOT NULL,
    updated_at        BIGINT  NOT NULL,
    UNIQUE (payment_id, kind, reference)
);

-- Of cancels and voids one is under way at a time: a second would do the same.
CREATE UNIQUE INDEX operations_one_at_a_time ON operations (payment_id, kind)
    WHERE state = 'pending' AND kind IN ('cancel', 'void');
