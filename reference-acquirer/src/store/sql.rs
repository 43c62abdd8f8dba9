//! The store in an SQL database: what both dialects do alike, which is all but a few words.

use async_trait::async_trait;
use jiff::Timestamp;
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, SigningKeyId};
use secrecy::SecretString;
use sqlx::{ColumnIndex, Decode, Encode, Executor, IntoArguments, Pool, SqlSafeStr as _, Type};

use super::dialect::Dialect;
use super::in_use::InUse;
use super::rows::{self, Columns as _, RESPONSE_DATA};
use super::script::Script;
use super::seal::{SealError, Sealer};
use super::statements as sql;
use super::writers::{Write, Writers};
use super::{
    Change, Claim, Created, KlarnaCall, Lease, NewPayment, Notification, OpenWork, ReceivedEvent, Settled,
    Step, Store, StoreError, StoredSigningKey, Task,
};
use crate::payments::history::{Cause, HistoryEntry};
use crate::payments::payment::Payment;

/// What the sealed texts are bound to: the column that they stand in.
const CALL_BODY: &str = "klarna_calls.body";
const CALL_TOKEN: &str = "klarna_calls.session_token";
const EVENT_BODY: &str = "klarna_events.body";
const SIGNING_KEY: &str = "signing_keys.signing_key";

/// A [`Store`] in an SQL database.
#[derive(Debug)]
pub(super) struct SqlStore<DB: Dialect> {
    pub(super) pool: Pool<DB>,
    /// For transactions that write, while readers have the pool.
    writers: Writers<DB>,
    pub(super) sealer: Sealer,
    /// Held while the database is open, where it is for one process at a time.
    in_use: Option<InUse>,
}

impl<DB: Dialect> SqlStore<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Connection: sqlx::migrate::Migrate,
    DB::Arguments: IntoArguments<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
    for<'q> Option<String>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<i64>: Encode<'q, DB> + Type<DB>,
    for<'q> i64: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'q> &'q str: ColumnIndex<DB::Row>,
{
    /// A store in a database that is connected; brings its tables up to date, and sees that they
    /// are what every statement needs.
    pub(super) async fn new(
        pool: Pool<DB>,
        writers: Writers<DB>,
        sealer: Sealer,
        in_use: Option<InUse>,
    ) -> Result<Self, StoreError> {
        DB::MIGRATIONS.run(&pool).await?;
        let mut connection = pool.acquire().await?;
        // So that tables which are not as they should be show now, and not when money is about.
        for statement in sql::ALL.iter().chain([&DB::CLAIM, &DB::NEXT_DUE]) {
            connection.prepare(statement.into_sql_str()).await?;
        }
        drop(connection);
        Ok(Self { pool, writers, sealer, in_use })
    }

    /// Frees every claim and every lock: for a database that is for one process at a time.
    pub(super) async fn release_everything(&self) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        for statement in [sql::UNLOCK_ALL, sql::RELEASE_ALL_KEYS] {
            sqlx::query(statement).execute(&mut *tx).await?;
        }
        let released = DB::rows_affected(&sqlx::query(sql::RELEASE_ALL).execute(&mut *tx).await?);
        tx.commit().await?;
        Ok(released)
    }

    pub(super) async fn write(&self) -> Result<Write<DB>, StoreError> {
        self.writers.begin().await
    }

    fn payment_of(&self, row: Option<DB::Row>) -> Result<Option<Payment>, StoreError> {
        row.map(|row| rows::payment(&row, &self.sealer)).transpose()
    }

    /// Seals what may be absent.
    pub(super) fn seal(
        &self,
        column: &'static str,
        text: Option<&SecretString>,
    ) -> Result<Option<String>, SealError> {
        text.map(|text| self.sealer.seal(column, text)).transpose()
    }

    fn insert_calls(
        &self,
        script: &mut Script,
        payment_id: &str,
        calls: [&KlarnaCall; 2],
    ) -> Result<(), StoreError> {
        let mut values = vec![payment_id.into()];
        for call in calls {
            values.extend([
                call.step.as_str().into(),
                call.idempotency_key.as_str().into(),
                self.seal(CALL_TOKEN, call.session_token.as_ref())?.into(),
                self.sealer.seal(CALL_BODY, &call.body)?.into(),
            ]);
        }
        script.then(sql::INSERT_CALLS, values);
        Ok(())
    }

    /// Writes a payment down as it is now. Nothing of the script may be kept if the statement at the
    /// answered place wrote nothing: then the payment is not as it had been read.
    pub(super) fn update_payment(
        &self,
        script: &mut Script,
        payment: &Payment,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let response_data = payment.response_data.clone().map(SecretString::from);
        Ok(script.then(
            sql::UPDATE_PAYMENT,
            [
                payment.id.as_str().into(),
                payment.version.into(),
                payment.state.as_str().into(),
                payment.request_id.as_ref().map(|id| id.as_str().to_owned()).into(),
                payment.request_url.clone().into(),
                payment.transaction_id.as_ref().map(|id| id.as_str().to_owned()).into(),
                self.seal(RESPONSE_DATA, response_data.as_ref())?.into(),
                now.into(),
            ],
        ))
    }

    /// Keeps what a script does if the claim was still the owner's and the payment, where it is changed,
    /// still as it had been read.
    pub(super) async fn settle_by(
        &self,
        script: Script,
        finished: usize,
        updated: Option<usize>,
    ) -> Result<Settled, StoreError> {
        let (tx, did) = self.writers.begin_with(script).await?;
        if !did.wrote(finished) {
            tx.roll_back().await?;
            return Ok(Settled::LeaseLost);
        }
        if updated.is_some_and(|updated| !did.wrote(updated)) {
            tx.roll_back().await?;
            return Ok(Settled::Overtaken);
        }
        tx.commit().await?;
        Ok(Settled::Done)
    }
}

#[async_trait]
impl<DB: Dialect> Store for SqlStore<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Connection: sqlx::migrate::Migrate,
    DB::Arguments: IntoArguments<DB>,
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
    for<'q> Option<String>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<i64>: Encode<'q, DB> + Type<DB>,
    for<'q> i64: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Decode<'q, DB> + Type<DB>,
    for<'q> &'q str: ColumnIndex<DB::Row>,
{
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&mut *self.pool.acquire().await?).await?;
        Ok(())
    }

    async fn close(&self) {
        self.writers.close().await;
        self.pool.close().await;
        if let Some(in_use) = &self.in_use {
            in_use.release();
        }
    }

    async fn create_payment(&self, new: &NewPayment) -> Result<Created, StoreError> {
        let payment = &new.payment;
        let mut script = Script::default();
        let inserted = script.then(
            sql::INSERT_PAYMENT,
            [
                payment.id.as_str().into(),
                payment.version.into(),
                payment.partner.as_str().into(),
                payment.reference.as_str().into(),
                new.request_fingerprint.as_str().into(),
                payment.account.as_str().into(),
                payment.amount.0.into(),
                payment.currency.as_str().into(),
                rows::mode_name(payment.mode).into(),
                payment.return_url.as_str().into(),
                payment.return_key.as_str().into(),
                payment.state.as_str().into(),
                payment.created_at.into(),
                payment.updated_at.into(),
            ],
        );
        let (mut tx, did) = self.writers.begin_with(script).await?;
        if !did.wrote(inserted) {
            let row = sqlx::query(sql::PAYMENT_BY_REFERENCE)
                .bind(payment.partner.as_str())
                .bind(payment.reference.as_str())
                .fetch_one(&mut *tx)
                .await?;
            tx.roll_back().await?;
            return Ok(Created::ReferenceTaken {
                payment: Box::new(rows::payment(&row, &self.sealer)?),
                request_fingerprint: row.text("request_fingerprint")?,
            });
        }
        let mut script = Script::default();
        self.insert_calls(&mut script, &payment.id, [&new.initial, &new.r#final])?;
        script
            .record(&payment.id, &HistoryEntry::of_payment(payment, Cause::PartnerAsked, payment.created_at));
        script.enqueue_claimed(Task::Authorize, &payment.id, payment.created_at, &new.lease);
        let claim =
            Claim::of_new_row(DB::run(&mut tx, script).await?.id, Task::Authorize, &payment.id, &new.lease)?;
        tx.commit().await?;
        Ok(Created::Stored(claim))
    }

    async fn payment(&self, id: &str) -> Result<Option<Payment>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        self.payment_of(sqlx::query(sql::PAYMENT_BY_ID).bind(id).fetch_optional(&mut *connection).await?)
    }

    async fn payment_by_return_key(&self, key: &str) -> Result<Option<Payment>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(sql::PAYMENT_BY_RETURN_KEY).bind(key).fetch_optional(&mut *connection).await?;
        self.payment_of(row)
    }

    async fn payment_of_request(
        &self,
        account: &PartnerAccountId,
        request: &PaymentRequestId,
        reference: Option<&str>,
    ) -> Result<Option<Payment>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(sql::PAYMENT_OF_REQUEST)
            .bind(account.as_str())
            .bind(request.as_str())
            .bind(reference.map(str::to_owned))
            .fetch_optional(&mut *connection)
            .await?;
        self.payment_of(row)
    }

    async fn klarna_call(&self, payment_id: &str, step: Step) -> Result<Option<KlarnaCall>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(sql::CALL)
            .bind(payment_id)
            .bind(step.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let token = row.text_or_none("session_token")?;
        Ok(Some(KlarnaCall {
            payment_id: payment_id.to_owned(),
            step,
            idempotency_key: row.text("idempotency_key")?,
            session_token: token.map(|sealed| self.sealer.open(CALL_TOKEN, &sealed)).transpose()?,
            body: self.sealer.open(CALL_BODY, &row.text("body")?)?,
        }))
    }

    async fn receive_event(&self, event: &ReceivedEvent, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let inserted = sqlx::query(sql::INSERT_EVENT)
            .bind(event.event_id.as_str())
            .bind(self.sealer.seal(EVENT_BODY, &event.body)?)
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        if DB::rows_affected(&inserted) == 0 {
            tx.roll_back().await?;
            return Ok(false);
        }
        let mut script = Script::default();
        script.enqueue(Task::Event, &event.event_id, now);
        DB::run(&mut tx, script).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn event(&self, event_id: &str) -> Result<Option<SecretString>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(sql::EVENT).bind(event_id).fetch_optional(&mut *connection).await?;
        let sealed = row.map(|row| row.text("body")).transpose()?;
        let kept = sealed.filter(|sealed| !sealed.is_empty());
        Ok(kept.map(|sealed| self.sealer.open(EVENT_BODY, &sealed)).transpose()?)
    }

    async fn notification(&self, id: &str) -> Result<Option<Notification>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(sql::NOTIFICATION).bind(id).fetch_optional(&mut *connection).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Notification {
            id: row.text("id")?,
            payment_id: row.text("payment_id")?,
            partner: row.text("partner")?,
            body: row.text("body")?,
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
        let rows = sqlx::query(DB::CLAIM)
            .bind(lease.owner.as_str())
            .bind(lease.until.as_millisecond())
            .bind(now.as_millisecond())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(names(tasks).as_str())
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        let mut claims =
            rows.iter().map(|row| rows::claim(row, &lease.owner)).collect::<Result<Vec<_>, _>>()?;
        // RETURNING promises no order.
        claims.sort_by_key(|claim| claim.id);
        Ok(claims)
    }

    async fn next_due(&self, tasks: &[Task]) -> Result<Option<Timestamp>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(DB::NEXT_DUE).bind(names(tasks).as_str()).fetch_one(&mut *connection).await?;
        row.number_or_none("due_at")?.map(|due| rows::time("outbox.due_at", due)).transpose()
    }

    async fn open_work(&self) -> Result<Vec<OpenWork>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let rows = sqlx::query(sql::OPEN_WORK).fetch_all(&mut *connection).await?;
        rows.iter().map(rows::open_work).collect()
    }

    async fn settle(&self, claim: &Claim, change: &Change, now: Timestamp) -> Result<Settled, StoreError> {
        let payment = &change.payment;
        let mut script = Script::default();
        let finished = script.finish(claim, now);
        let updated = self.update_payment(&mut script, payment, now)?;
        script.record(&payment.id, &change.entry);
        if let Some(token) = &change.finalize_with {
            let token = self.sealer.seal(CALL_TOKEN, token)?;
            let step = Step::Final.as_str();
            script.then(sql::SET_CALL_TOKEN, [payment.id.as_str().into(), step.into(), token.into()]);
            script.enqueue(Task::Finalize, &payment.id, now);
        }
        if let Some(notification) = &change.notification {
            script.notify(notification, now);
        }
        if let Some(due_at) = change.reconcile_at {
            script.enqueue(Task::Reconcile, &payment.id, due_at);
        }
        if change.withdraw {
            script.enqueue(Task::Withdraw, &payment.id, now);
        }
        if change.forget_tokens {
            script.forget_tokens(&payment.id);
        }
        self.settle_by(script, finished, Some(updated)).await
    }

    async fn finish(&self, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
        let mut script = Script::default();
        let finished = script.finish(claim, now);
        // A claim that somebody else has by now is not this one's to finish.
        self.settle_by(script, finished, None).await.map(drop)
    }

    async fn postpone(&self, claim: &Claim, due_at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(sql::POSTPONE)
            .bind(claim.id)
            .bind(claim.owner.as_str())
            .bind(due_at.as_millisecond())
            .bind(i64::from(claim.attempt))
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    async fn release(&self, owner: &str) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(sql::RELEASE_OWN_KEYS).bind(owner).execute(&mut *tx).await?;
        let released = sqlx::query(sql::RELEASE_OWN).bind(owner).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(DB::rows_affected(&released))
    }

    async fn lock(&self, name: &str, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let taken = sqlx::query(sql::LOCK)
            .bind(name)
            .bind(lease.owner.as_str())
            .bind(lease.until.as_millisecond())
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(DB::rows_affected(&taken) == 1)
    }

    async fn unlock(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(sql::UNLOCK).bind(name).bind(owner).execute(&mut *tx).await?;
        tx.commit().await
    }

    async fn signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let rows = sqlx::query(sql::SIGNING_KEYS).fetch_all(&mut *connection).await?;
        rows.iter()
            .map(|row| {
                Ok(StoredSigningKey {
                    id: SigningKeyId(row.text("signing_key_id")?),
                    key: self.sealer.open(SIGNING_KEY, &row.text("signing_key")?)?,
                })
            })
            .collect()
    }

    async fn signing_key(&self, id: &SigningKeyId) -> Result<Option<SecretString>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(sql::SIGNING_KEY).bind(id.as_str()).fetch_optional(&mut *connection).await?;
        let sealed = row.map(|row| row.text("signing_key")).transpose()?;
        Ok(sealed.map(|sealed| self.sealer.open(SIGNING_KEY, &sealed)).transpose()?)
    }

    async fn keep_signing_key(&self, key: &StoredSigningKey, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(sql::INSERT_SIGNING_KEY)
            .bind(key.id.as_str())
            .bind(self.sealer.seal(SIGNING_KEY, &key.key)?)
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }
}

/// The names of tasks as a JSON list, which both dialects take where a list of parameters is not to
/// be had.
fn names(tasks: &[Task]) -> String {
    let names: Vec<&str> = tasks.iter().map(|task| task.as_str()).collect();
    serde_json::json!(names).to_string()
}
