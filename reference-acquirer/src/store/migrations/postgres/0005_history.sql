-- What happened to payments and to what was done with them, in order.
CREATE TABLE history (
    id                    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id            TEXT COLLATE "C" NOT NULL REFERENCES payments (id),
    operation_id          TEXT,
    at                    BIGINT NOT NULL,
    status                TEXT NOT NULL,
    cause                 TEXT NOT NULL,
    klarna_id             TEXT,
    klarna_event_id       TEXT,
    klarna_correlation_id TEXT
);

CREATE INDEX history_by_payment ON history (payment_id, id);
