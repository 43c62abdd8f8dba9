//! The store in one SQLite file, for one process at a time.

use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, PaymentTransactionId, SigningKeyId};
use klarna_schemas::money::{Currency, MinorUnits};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite, Transaction};

use super::in_use::InUse;
use super::{
    Change, Claim, Created, KlarnaCall, Lease, NewPayment, Notification, ReceivedEvent, Settled, Step, Store,
    StoreError, StoredSigningKey, Task,
};
use crate::payments::payment::{Mode, Payment, State};

/// Writers wait for each other instead of failing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

const INSERT_PAYMENT: &str = "\
    INSERT INTO payments (id, version, partner, reference, request_fingerprint, account, amount, currency, mode, \
                          return_url, return_key, state, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const PAYMENT_BY_REFERENCE: &str = "SELECT * FROM payments WHERE partner = $1 AND reference = $2";
const PAYMENT_BY_ID: &str = "SELECT * FROM payments WHERE id = $1";
const PAYMENT_BY_RETURN_KEY: &str = "SELECT * FROM payments WHERE return_key = $1";
const PAYMENT_OF_REQUEST: &str = "\
    SELECT * FROM payments \
    WHERE account = $1 AND (request_id = $2 OR (request_id IS NULL AND id = $3))";
const UPDATE_PAYMENT: &str = "\
    UPDATE payments \
    SET version = version + 1, state = $3, request_id = $4, request_url = $5, transaction_id = $6, \
        response_data = $7, updated_at = $8 \
    WHERE id = $1 AND version = $2";

const INSERT_CALL: &str = "\
    INSERT INTO klarna_calls (payment_id, step, idempotency_key, session_token, body) VALUES ($1, $2, $3, $4, $5)";
const CALL: &str = "SELECT * FROM klarna_calls WHERE payment_id = $1 AND step = $2";
const SET_CALL_TOKEN: &str = "UPDATE klarna_calls SET session_token = $3 WHERE payment_id = $1 AND step = $2";

const INSERT_EVENT: &str = "\
    INSERT INTO klarna_events (event_id, body, received_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const EVENT: &str = "SELECT body FROM klarna_events WHERE event_id = $1";

// A token is kept no longer than something may still be done with it.
const FORGET_EVENT: &str = "UPDATE klarna_events SET body = '' WHERE event_id = $1";
const FORGET_TOKENS: &str = "UPDATE klarna_calls SET session_token = NULL WHERE payment_id = $1";

const INSERT_NOTIFICATION: &str = "\
    INSERT INTO notifications (id, payment_id, partner, body, created_at) VALUES ($1, $2, $3, $4, $5)";
const NOTIFICATION: &str = "SELECT * FROM notifications WHERE id = $1";

const ENQUEUE: &str = "INSERT INTO outbox (task, subject, due_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const ENQUEUE_CLAIMED: &str = "\
    INSERT INTO outbox (task, subject, attempts, due_at, lease_owner, lease_until) \
    VALUES ($1, $2, 1, $3, $4, $5) RETURNING id";
const CLAIM: &str = "\
    UPDATE outbox SET lease_owner = $1, lease_until = $2, attempts = attempts + 1 \
    WHERE id IN (SELECT id FROM outbox \
                 WHERE done_at IS NULL AND due_at <= $3 AND (lease_until IS NULL OR lease_until <= $3) \
                   AND task IN (SELECT value FROM json_each($5)) \
                 ORDER BY due_at, id LIMIT $4) \
    RETURNING id, task, subject, attempts";
const NEXT_DUE: &str = "\
    SELECT MIN(due_at) AS due_at FROM outbox \
    WHERE done_at IS NULL AND lease_until IS NULL AND task IN (SELECT value FROM json_each($1))";
const FINISH: &str = "\
    UPDATE outbox SET done_at = $3, lease_owner = NULL, lease_until = NULL \
    WHERE id = $1 AND lease_owner = $2 AND attempts = $4 AND done_at IS NULL";
const POSTPONE: &str = "\
    UPDATE outbox SET due_at = $3, lease_owner = NULL, lease_until = NULL \
    WHERE id = $1 AND lease_owner = $2 AND attempts = $4 AND done_at IS NULL";
const RELEASE: &str = "\
    UPDATE outbox SET lease_owner = NULL, lease_until = NULL WHERE done_at IS NULL AND lease_owner IS NOT NULL";

const LOCK: &str = "\
    INSERT INTO locks (name, owner, held_until) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, held_until = excluded.held_until \
    WHERE locks.owner = excluded.owner OR locks.held_until <= $4";
const UNLOCK: &str = "DELETE FROM locks WHERE name = $1 AND owner = $2";
const RELEASE_LOCKS: &str = "DELETE FROM locks";

const INSERT_SIGNING_KEY: &str = "\
    INSERT INTO signing_keys (signing_key_id, signing_key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const SIGNING_KEYS: &str = "SELECT * FROM signing_keys ORDER BY created_at, signing_key_id";
const SIGNING_KEY: &str = "SELECT * FROM signing_keys WHERE signing_key_id = $1";

/// A [`Store`] in one SQLite file.
///
/// The file serves one process, and a lock beside it sees to that: whatever is claimed when it is
/// opened was claimed by a run that ended.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    in_use: Option<InUse>,
}

impl SqliteStore {
    /// Opens `sqlite://FILE`, creates it if absent, and brings its tables up to date.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is on the disk before it is answered.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            // What is deleted or overwritten is not left in the file: it held tokens.
            .pragma("secure_delete", "ON")
            .foreign_keys(true);
        // Every connection to `:memory:` is a database of its own.
        let in_memory = url.contains(":memory:");
        let connections = if in_memory { 1 } else { 8 };
        let in_use = if in_memory { None } else { Some(InUse::take(options.get_filename())?) };
        let pool = SqlitePoolOptions::new().max_connections(connections).connect_with(options).await?;
        sqlx::migrate!("src/store/migrations").run(&pool).await?;
        Ok(Self { pool, in_use })
    }

    /// Closes every connection, so that the file is whole and free.
    pub async fn close(&self) {
        self.pool.close().await;
        if let Some(in_use) = &self.in_use {
            in_use.release();
        }
    }

    /// Takes the write lock at once, so that no transaction has to be upgraded and fail.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    async fn create_payment(&self, new: &NewPayment) -> Result<Created, StoreError> {
        let payment = &new.payment;
        let mut tx = self.write().await?;
        let taken = sqlx::query(PAYMENT_BY_REFERENCE)
            .bind(&payment.partner)
            .bind(&payment.reference)
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(row) = taken {
            return Ok(Created::ReferenceTaken {
                payment: Box::new(payment_of(&row)?),
                request_fingerprint: row.try_get("request_fingerprint")?,
            });
        }
        sqlx::query(INSERT_PAYMENT)
            .bind(&payment.id)
            .bind(payment.version)
            .bind(&payment.partner)
            .bind(&payment.reference)
            .bind(&new.request_fingerprint)
            .bind(payment.account.as_str())
            .bind(payment.amount.0)
            .bind(payment.currency.as_str())
            .bind(mode_name(payment.mode))
            .bind(&payment.return_url)
            .bind(&payment.return_key)
            .bind(payment.state.as_str())
            .bind(payment.created_at.as_millisecond())
            .bind(payment.updated_at.as_millisecond())
            .execute(&mut *tx)
            .await?;
        for call in [&new.initial, &new.r#final] {
            sqlx::query(INSERT_CALL)
                .bind(&call.payment_id)
                .bind(call.step.as_str())
                .bind(&call.idempotency_key)
                .bind(call.session_token.as_ref().map(SecretString::expose_secret))
                .bind(call.body.expose_secret())
                .execute(&mut *tx)
                .await?;
        }
        let id = sqlx::query(ENQUEUE_CLAIMED)
            .bind(Task::Authorize.as_str())
            .bind(&payment.id)
            .bind(payment.created_at.as_millisecond())
            .bind(&new.lease.owner)
            .bind(new.lease.until.as_millisecond())
            .fetch_one(&mut *tx)
            .await?
            .try_get("id")?;
        tx.commit().await?;
        Ok(Created::Stored(Claim {
            id,
            task: Task::Authorize,
            subject: payment.id.clone(),
            attempt: 1,
            owner: new.lease.owner.clone(),
        }))
    }

    async fn payment(&self, id: &str) -> Result<Option<Payment>, StoreError> {
        let row = sqlx::query(PAYMENT_BY_ID).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(payment_of).transpose()
    }

    async fn payment_by_return_key(&self, key: &str) -> Result<Option<Payment>, StoreError> {
        let row = sqlx::query(PAYMENT_BY_RETURN_KEY).bind(key).fetch_optional(&self.pool).await?;
        row.as_ref().map(payment_of).transpose()
    }

    async fn payment_of_request(
        &self,
        account: &PartnerAccountId,
        request: &PaymentRequestId,
        reference: Option<&str>,
    ) -> Result<Option<Payment>, StoreError> {
        let row = sqlx::query(PAYMENT_OF_REQUEST)
            .bind(account.as_str())
            .bind(request.as_str())
            .bind(reference)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(payment_of).transpose()
    }

    async fn klarna_call(&self, payment_id: &str, step: Step) -> Result<Option<KlarnaCall>, StoreError> {
        let row = sqlx::query(CALL).bind(payment_id).bind(step.as_str()).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(KlarnaCall {
            payment_id: payment_id.to_owned(),
            step,
            idempotency_key: row.try_get("idempotency_key")?,
            session_token: row.try_get::<Option<String>, _>("session_token")?.map(SecretString::from),
            body: row.try_get::<String, _>("body")?.into(),
        }))
    }

    async fn receive_event(&self, event: &ReceivedEvent, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let inserted = sqlx::query(INSERT_EVENT)
            .bind(&event.event_id)
            .bind(event.body.expose_secret())
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if inserted == 0 {
            return Ok(false);
        }
        enqueue(&mut tx, Task::Event, &event.event_id, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn event(&self, event_id: &str) -> Result<Option<SecretString>, StoreError> {
        let row = sqlx::query(EVENT).bind(event_id).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get::<String, _>("body")).transpose()?.map(SecretString::from))
    }

    async fn notification(&self, id: &str) -> Result<Option<Notification>, StoreError> {
        let row = sqlx::query(NOTIFICATION).bind(id).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Notification {
            id: row.try_get("id")?,
            payment_id: row.try_get("payment_id")?,
            partner: row.try_get("partner")?,
            body: row.try_get("body")?,
        }))
    }

    async fn claim(
        &self,
        lease: &Lease,
        now: Timestamp,
        limit: usize,
        tasks: &[Task],
    ) -> Result<Vec<Claim>, StoreError> {
        let mut tx = self.write().await?;
        let rows = sqlx::query(CLAIM)
            .bind(&lease.owner)
            .bind(lease.until.as_millisecond())
            .bind(now.as_millisecond())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(names(tasks))
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        let mut claims = rows.iter().map(|row| claim_of(row, &lease.owner)).collect::<Result<Vec<_>, _>>()?;
        // RETURNING promises no order.
        claims.sort_by_key(|claim| claim.id);
        Ok(claims)
    }

    async fn next_due(&self, tasks: &[Task]) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(NEXT_DUE).bind(names(tasks)).fetch_one(&self.pool).await?;
        let due: Option<i64> = row.try_get("due_at")?;
        due.map(|_| time_of(&row, "due_at")).transpose()
    }

    async fn settle(&self, claim: &Claim, change: &Change, now: Timestamp) -> Result<Settled, StoreError> {
        let payment = &change.payment;
        let mut tx = self.write().await?;
        if finish(&mut tx, claim, now).await? == 0 {
            return Ok(Settled::LeaseLost);
        }
        let updated = sqlx::query(UPDATE_PAYMENT)
            .bind(&payment.id)
            .bind(payment.version)
            .bind(payment.state.as_str())
            .bind(payment.request_id.as_ref().map(PaymentRequestId::as_str))
            .bind(payment.request_url.as_deref())
            .bind(payment.transaction_id.as_ref().map(PaymentTransactionId::as_str))
            .bind(payment.response_data.as_deref())
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if updated == 0 {
            return Ok(Settled::Overtaken);
        }
        if let Some(token) = &change.finalize_with {
            sqlx::query(SET_CALL_TOKEN)
                .bind(&payment.id)
                .bind(Step::Final.as_str())
                .bind(token.expose_secret())
                .execute(&mut *tx)
                .await?;
            enqueue(&mut tx, Task::Finalize, &payment.id, now).await?;
        }
        if let Some(notification) = &change.notification {
            sqlx::query(INSERT_NOTIFICATION)
                .bind(&notification.id)
                .bind(&notification.payment_id)
                .bind(&notification.partner)
                .bind(&notification.body)
                .bind(now.as_millisecond())
                .execute(&mut *tx)
                .await?;
            enqueue(&mut tx, Task::Notify, &notification.id, now).await?;
        }
        if change.withdraw {
            enqueue(&mut tx, Task::Withdraw, &payment.id, now).await?;
        }
        if change.forget_tokens {
            forget_tokens(&mut tx, &payment.id).await?;
        }
        tx.commit().await?;
        Ok(Settled::Done)
    }

    async fn finish(&self, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        finish(&mut tx, claim, now).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn postpone(&self, claim: &Claim, due_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(POSTPONE)
            .bind(claim.id)
            .bind(&claim.owner)
            .bind(due_at.as_millisecond())
            .bind(claim.attempt)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn release_abandoned_claims(&self) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(RELEASE_LOCKS).execute(&mut *tx).await?;
        let released = sqlx::query(RELEASE).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(released)
    }

    async fn lock(&self, name: &str, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let taken = sqlx::query(LOCK)
            .bind(name)
            .bind(&lease.owner)
            .bind(lease.until.as_millisecond())
            .bind(now.as_millisecond())
            .execute(&self.pool)
            .await?;
        Ok(taken.rows_affected() == 1)
    }

    async fn unlock(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        sqlx::query(UNLOCK).bind(name).bind(owner).execute(&self.pool).await?;
        Ok(())
    }

    async fn signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        let rows = sqlx::query(SIGNING_KEYS).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                Ok(StoredSigningKey {
                    id: SigningKeyId(row.try_get("signing_key_id")?),
                    key: row.try_get::<String, _>("signing_key")?.into(),
                })
            })
            .collect()
    }

    async fn signing_key(&self, id: &SigningKeyId) -> Result<Option<SecretString>, StoreError> {
        let row = sqlx::query(SIGNING_KEY).bind(id.as_str()).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get::<String, _>("signing_key")).transpose()?.map(SecretString::from))
    }

    async fn keep_signing_key(&self, key: &StoredSigningKey, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(INSERT_SIGNING_KEY)
            .bind(key.id.as_str())
            .bind(key.key.expose_secret())
            .bind(now.as_millisecond())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// A row that is there already stays as it is: that is what makes a claim once per subject.
async fn enqueue(
    tx: &mut Transaction<'static, Sqlite>,
    task: Task,
    subject: &str,
    due_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(ENQUEUE)
        .bind(task.as_str())
        .bind(subject)
        .bind(due_at.as_millisecond())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn finish(
    tx: &mut Transaction<'static, Sqlite>,
    claim: &Claim,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let finished = sqlx::query(FINISH)
        .bind(claim.id)
        .bind(&claim.owner)
        .bind(now.as_millisecond())
        .bind(claim.attempt)
        .execute(&mut **tx)
        .await?
        .rows_affected();
    if finished > 0 {
        match claim.task {
            Task::Event => {
                sqlx::query(FORGET_EVENT).bind(&claim.subject).execute(&mut **tx).await?;
            }
            Task::Withdraw => forget_tokens(tx, &claim.subject).await?,
            Task::Authorize | Task::Finalize | Task::Notify => {}
        }
    }
    Ok(finished)
}

async fn forget_tokens(tx: &mut Transaction<'static, Sqlite>, payment_id: &str) -> Result<(), StoreError> {
    sqlx::query(FORGET_TOKENS).bind(payment_id).execute(&mut **tx).await?;
    Ok(())
}

/// The names of tasks as a JSON list, which SQLite takes where a list of parameters is not to be had.
fn names(tasks: &[Task]) -> String {
    let names: Vec<&str> = tasks.iter().map(|task| task.as_str()).collect();
    serde_json::json!(names).to_string()
}

fn claim_of(row: &SqliteRow, owner: &str) -> Result<Claim, StoreError> {
    let task: String = row.try_get("task")?;
    Ok(Claim {
        id: row.try_get("id")?,
        task: Task::ALL
            .into_iter()
            .find(|known| known.as_str() == task)
            .ok_or(StoreError::Unreadable { what: "outbox.task", value: task })?,
        subject: row.try_get("subject")?,
        attempt: row.try_get("attempts")?,
        owner: owner.to_owned(),
    })
}

fn payment_of(row: &SqliteRow) -> Result<Payment, StoreError> {
    let state: String = row.try_get("state")?;
    let mode: String = row.try_get("mode")?;
    let currency: String = row.try_get("currency")?;
    Ok(Payment {
        id: row.try_get("id")?,
        version: row.try_get("version")?,
        partner: row.try_get("partner")?,
        reference: row.try_get("reference")?,
        account: PartnerAccountId(row.try_get("account")?),
        amount: MinorUnits(row.try_get("amount")?),
        currency: Currency::try_from(currency)
            .map_err(|error| StoreError::Unreadable { what: "payments.currency", value: error.0 })?,
        mode: mode_named(&mode).ok_or(StoreError::Unreadable { what: "payments.mode", value: mode })?,
        return_url: row.try_get("return_url")?,
        return_key: row.try_get("return_key")?,
        state: State::named(&state).ok_or(StoreError::Unreadable { what: "payments.state", value: state })?,
        request_id: row.try_get::<Option<String>, _>("request_id")?.map(PaymentRequestId),
        request_url: row.try_get("request_url")?,
        transaction_id: row.try_get::<Option<String>, _>("transaction_id")?.map(PaymentTransactionId),
        response_data: row.try_get("response_data")?,
        created_at: time_of(row, "created_at")?,
        updated_at: time_of(row, "updated_at")?,
    })
}

fn time_of(row: &SqliteRow, column: &'static str) -> Result<Timestamp, StoreError> {
    let milliseconds: i64 = row.try_get(column)?;
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| StoreError::Unreadable { what: column, value: milliseconds.to_string() })
}

fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Redirect => "redirect",
        Mode::Sdk => "sdk",
    }
}

fn mode_named(name: &str) -> Option<Mode> {
    [Mode::Redirect, Mode::Sdk].into_iter().find(|mode| mode_name(*mode) == name)
}
