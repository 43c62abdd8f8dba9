-- Since when a Partner is being told: from the outcome on, or from when it was asked to be told again.
ALTER TABLE notifications ADD COLUMN telling_since BIGINT NOT NULL DEFAULT 0;
UPDATE notifications SET telling_since = created_at;

-- Notifications that nobody took in all the time that there was.
CREATE TABLE dead_letters (
    notification_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES notifications (id),
    attempts        BIGINT NOT NULL,
    reason          TEXT   NOT NULL,
    given_up_at     BIGINT NOT NULL
);

CREATE INDEX dead_letters_by_time ON dead_letters (given_up_at, notification_id);
