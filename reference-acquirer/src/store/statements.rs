//! Every statement, as both databases understand it.
//!
//! What they say differently is the [`super::dialect::Dialect`]'s. All of them are prepared when a
//! database is opened, so a statement that one of the two does not understand opens nothing.

/// Names the statements, and lists them all.
macro_rules! statements {
    ($($name:ident = $statement:expr;)*) => {
        $(pub(super) const $name: &str = $statement;)*

        /// Every statement of this file.
        pub(super) const ALL: &[&str] = &[$($name),*];
    };
}

statements! {
    INSERT_PAYMENT = "\
    INSERT INTO payments (id, version, partner, reference, request_fingerprint, account, amount, currency, mode, \
                          return_url, return_key, state, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
    ON CONFLICT (partner, reference) DO NOTHING";
    PAYMENT_BY_REFERENCE = "SELECT * FROM payments WHERE partner = $1 AND reference = $2";
    PAYMENT_BY_ID = "SELECT * FROM payments WHERE id = $1";
    PAYMENT_BY_RETURN_KEY = "SELECT * FROM payments WHERE return_key = $1";
    PAYMENT_OF_REQUEST = "\
    SELECT * FROM payments \
    WHERE account = $1 AND (request_id = $2 OR (request_id IS NULL AND id = $3))";
    // Empty texts stand for "any", and the last place of all for the beginning.
    LIST_PAYMENTS = "\
    SELECT * FROM payments \
    WHERE partner = $1 AND ($2 = '' OR state = $2 OR state = $3) AND ($4 = '' OR reference = $4) \
      AND created_at >= $5 AND created_at < $6 AND (created_at < $7 OR (created_at = $7 AND id < $8)) \
    ORDER BY created_at DESC, id DESC LIMIT $9";
    UPDATE_PAYMENT = "\
    UPDATE payments \
    SET version = version + 1, state = $3, request_id = $4, request_url = $5, transaction_id = $6, \
        response_data = $7, updated_at = $8 \
    WHERE id = $1 AND version = $2";

    INSERT_CALLS = "\
    INSERT INTO klarna_calls (payment_id, step, idempotency_key, session_token, body) \
    VALUES ($1, $2, $3, $4, $5), ($1, $6, $7, $8, $9)";
    CALL = "SELECT * FROM klarna_calls WHERE payment_id = $1 AND step = $2";
    SET_CALL_TOKEN = "UPDATE klarna_calls SET session_token = $3 WHERE payment_id = $1 AND step = $2";

    INSERT_OPERATION = "\
    INSERT INTO operations (id, payment_id, kind, reference, amount, state, target, idempotency_key, body, \
                            created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8, $9, $9) ON CONFLICT DO NOTHING";
    OPERATION_LIKE = "\
    SELECT * FROM operations \
    WHERE payment_id = $1 AND kind = $2 \
      AND (id = $3 OR reference = $4 OR (state = 'pending' AND kind IN ('cancel', 'void'))) \
    ORDER BY created_at, id LIMIT 1";
    OPERATION = "SELECT * FROM operations WHERE id = $1";
    OPERATIONS = "SELECT * FROM operations WHERE payment_id = $1 ORDER BY created_at, id";
    END_OPERATION = "\
    UPDATE operations \
    SET state = $2, klarna_id = $3, failure_reason = $4, klarna_error_code = $5, updated_at = $6 \
    WHERE id = $1 AND state = 'pending'";

    // One that somebody is at is as young as its lease.
    FORGET_OLD_KEYS = "\
    DELETE FROM idempotency_keys \
    WHERE created_at < $1 AND (status IS NOT NULL OR lease_until IS NULL OR lease_until <= $2)";
    INSERT_KEY = "\
    INSERT INTO idempotency_keys (partner, key, fingerprint, makes, lease_owner, lease_until, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    TAKE_UP_KEY = "\
    UPDATE idempotency_keys SET lease_owner = $4, lease_until = $5 \
    WHERE partner = $1 AND key = $2 AND fingerprint = $3 AND status IS NULL \
      AND (lease_until IS NULL OR lease_until <= $6)";
    KEY = "SELECT * FROM idempotency_keys WHERE partner = $1 AND key = $2";
    KEEP_ANSWER = "\
    UPDATE idempotency_keys \
    SET status = $4, location = $5, body = $6, lease_owner = NULL, lease_until = NULL \
    WHERE partner = $1 AND key = $2 AND lease_owner = $3";
    FORGET_KEY = "DELETE FROM idempotency_keys WHERE partner = $1 AND key = $2 AND lease_owner = $3";
    RELEASE_KEY = "\
    UPDATE idempotency_keys SET lease_owner = NULL, lease_until = NULL \
    WHERE partner = $1 AND key = $2 AND lease_owner = $3";
    RELEASE_OWN_KEYS = "\
    UPDATE idempotency_keys SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = $1";
    RELEASE_ALL_KEYS = "\
    UPDATE idempotency_keys SET lease_owner = NULL, lease_until = NULL WHERE lease_owner IS NOT NULL";

    INSERT_HISTORY = "\
    INSERT INTO history (payment_id, operation_id, at, status, cause, klarna_id, klarna_event_id, \
                         klarna_correlation_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    HISTORY = "SELECT * FROM history WHERE payment_id = $1 ORDER BY id";

    INSERT_EVENT = "\
    INSERT INTO klarna_events (event_id, body, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    EVENT = "SELECT body FROM klarna_events WHERE event_id = $1";

    // A token is kept no longer than something may still be done with it.
    FORGET_EVENT = "UPDATE klarna_events SET body = '' WHERE event_id = $1";
    FORGET_TOKENS = "\
    UPDATE klarna_calls SET session_token = NULL WHERE payment_id = $1 AND session_token IS NOT NULL";

    // One that is there was written by whoever ended the claim; then nothing of this is kept.
    INSERT_NOTIFICATION = "\
    INSERT INTO notifications (id, payment_id, partner, body, created_at, telling_since) \
    VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING";
    NOTIFICATION = "SELECT * FROM notifications WHERE id = $1";

    INSERT_DEAD_LETTER = "\
    INSERT INTO dead_letters (notification_id, attempts, reason, given_up_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT DO NOTHING";
    // An empty text stands for "any".
    DEAD_LETTERS = "\
    SELECT dead_letters.*, payment_id, partner \
    FROM dead_letters JOIN notifications ON notifications.id = notification_id \
    WHERE ($1 = '' OR partner = $1) AND given_up_at <= $2 \
    ORDER BY given_up_at, notification_id LIMIT $3";
    COUNT_DEAD_LETTERS = "SELECT COUNT(*) AS letters FROM dead_letters";
    DELETE_DEAD_LETTER = "DELETE FROM dead_letters WHERE notification_id = $1";
    TELL_FROM_NOW = "UPDATE notifications SET telling_since = $2 WHERE id = $1";

    ENQUEUE = "INSERT INTO outbox (task, subject, due_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    ENQUEUE_CLAIMED = "\
    INSERT INTO outbox (task, subject, attempts, due_at, lease_owner, lease_until) \
    VALUES ($1, $2, 1, $3, $4, $5) RETURNING id";
    OPEN_WORK = "SELECT task, COUNT(*) AS rows, MIN(due_at) AS due_at FROM outbox WHERE done_at IS NULL GROUP BY task";
    FINISH = "\
    UPDATE outbox SET done_at = $3, lease_owner = NULL, lease_until = NULL \
    WHERE id = $1 AND lease_owner = $2 AND attempts = $4 AND done_at IS NULL";
    POSTPONE = "\
    UPDATE outbox SET due_at = $3, lease_owner = NULL, lease_until = NULL \
    WHERE id = $1 AND lease_owner = $2 AND attempts = $4 AND done_at IS NULL";
    REOPEN = "\
    UPDATE outbox SET done_at = NULL, attempts = 0, due_at = $3 \
    WHERE task = $1 AND subject = $2 AND done_at IS NOT NULL";
    RELEASE_OWN = "\
    UPDATE outbox SET lease_owner = NULL, lease_until = NULL WHERE done_at IS NULL AND lease_owner = $1";
    RELEASE_ALL = "\
    UPDATE outbox SET lease_owner = NULL, lease_until = NULL WHERE done_at IS NULL AND lease_owner IS NOT NULL";

    LOCK = "\
    INSERT INTO locks (name, owner, held_until) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, held_until = excluded.held_until \
    WHERE locks.owner = excluded.owner OR locks.held_until <= $4";
    UNLOCK = "DELETE FROM locks WHERE name = $1 AND owner = $2";
    UNLOCK_ALL = "DELETE FROM locks";

    INSERT_SIGNING_KEY = "\
    INSERT INTO signing_keys (signing_key_id, signing_key, created_at) VALUES ($1, $2, $3) \
    ON CONFLICT (signing_key_id) DO UPDATE SET signing_key = excluded.signing_key";
    SIGNING_KEYS = "SELECT * FROM signing_keys ORDER BY created_at, signing_key_id";
    SIGNING_KEY = "SELECT * FROM signing_keys WHERE signing_key_id = $1";
}
