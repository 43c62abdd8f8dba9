-- Who alone may do what, and until when; for work that is not an outbox row.
CREATE TABLE locks (
    name       TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    held_until INTEGER NOT NULL
) STRICT;
