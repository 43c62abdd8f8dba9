-- Since when a Partner is being told: from the outcome on, or from when it was asked to be told again.
ALTER TABLE notifications ADD COLUMN telling_since INTEGER NOT NULL DEFAULT 0;
UPDATE notifications SET telling_since = created_at;

-- Notifications that nobody took in all the time that there was.
CREATE TABLE dead_letters (
    notification_id TEXT    NOT NULL PRIMARY KEY REFERENCES notifications (id),
    attempts        INTEGER NOT NULL,
    reason          TEXT    NOT NULL,
    given_up_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX dead_letters_by_time ON dead_letters (given_up_at, notification_id);
