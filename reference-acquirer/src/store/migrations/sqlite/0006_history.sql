-- What happened to payments and to what was done with them, in order.
CREATE TABLE history (
    id                    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    payment_id            TEXT NOT NULL REFERENCES payments (id),
    operation_id          TEXT,
    at                    INTEGER NOT NULL,
    status                TEXT NOT NULL,
    cause                 TEXT NOT NULL,
    klarna_id             TEXT,
    klarna_event_id       TEXT,
    klarna_correlation_id TEXT
) STRICT;

CREATE INDEX history_by_payment ON history (payment_id, id);
