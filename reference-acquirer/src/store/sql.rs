//! The store in an SQL database: what both dialects do alike, which is all but a few words.

use async_trait::async_trait;
use jiff::Timestamp;
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, SigningKeyId};
use secrecy::SecretString;
use sqlx::{ColumnIndex, Decode, Encode, Executor, IntoArguments, Pool, SqlSafeStr as _, Transaction, Type};

use super::dialect::Dialect;
use super::in_use::InUse;
use super::rows::{self, Columns as _, RESPONSE_DATA};
use super::seal::{SealError, Sealer};
use super::statements as sql;
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
    /// Connections for transactions that write. Where the database takes one writer at a time there is
    /// one of them, so that writers stand in line here and go on the moment it is their turn: in the
    /// database they would sleep and look again.
    pub(super) writers: Pool<DB>,
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
        writers: Pool<DB>,
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

    pub(super) async fn write(&self) -> Result<Transaction<'static, DB>, StoreError> {
        Ok(self.writers.begin_with(DB::BEGIN).await?)
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

    async fn insert_call(
        &self,
        tx: &mut Transaction<'static, DB>,
        call: &KlarnaCall,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::INSERT_CALL)
            .bind(call.payment_id.as_str())
            .bind(call.step.as_str())
            .bind(call.idempotency_key.as_str())
            .bind(self.seal(CALL_TOKEN, call.session_token.as_ref())?)
            .bind(self.sealer.seal(CALL_BODY, &call.body)?)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// A row that is there already stays as it is: that is what makes a claim once per subject.
    async fn enqueue(
        tx: &mut Transaction<'static, DB>,
        task: Task,
        subject: &str,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::ENQUEUE)
            .bind(task.as_str())
            .bind(subject)
            .bind(due_at.as_millisecond())
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// A row that whoever writes it works on at once.
    pub(super) async fn enqueue_claimed(
        tx: &mut Transaction<'static, DB>,
        task: Task,
        subject: &str,
        due_at: Timestamp,
        lease: &Lease,
    ) -> Result<Claim, StoreError> {
        let id = sqlx::query(sql::ENQUEUE_CLAIMED)
            .bind(task.as_str())
            .bind(subject)
            .bind(due_at.as_millisecond())
            .bind(lease.owner.as_str())
            .bind(lease.until.as_millisecond())
            .fetch_one(&mut **tx)
            .await?
            .number("id")?;
        Ok(Claim { id, task, subject: subject.to_owned(), attempt: 1, owner: lease.owner.clone() })
    }

    /// Whether the claim was still the owner's.
    pub(super) async fn finish_claim(
        tx: &mut Transaction<'static, DB>,
        claim: &Claim,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let finished = sqlx::query(sql::FINISH)
            .bind(claim.id)
            .bind(claim.owner.as_str())
            .bind(now.as_millisecond())
            .bind(i64::from(claim.attempt))
            .execute(&mut **tx)
            .await?;
        let ours = DB::rows_affected(&finished) > 0;
        match claim.task {
            Task::Event if ours => {
                sqlx::query(sql::FORGET_EVENT).bind(claim.subject.as_str()).execute(&mut **tx).await?;
            }
            Task::Withdraw if ours => Self::forget_tokens(tx, &claim.subject).await?,
            _ => {}
        }
        Ok(ours)
    }

    pub(super) async fn forget_tokens(
        tx: &mut Transaction<'static, DB>,
        payment_id: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::FORGET_TOKENS).bind(payment_id).execute(&mut **tx).await?;
        Ok(())
    }

    /// Whether the payment was still as it had been read.
    pub(super) async fn update_payment(
        &self,
        tx: &mut Transaction<'static, DB>,
        payment: &Payment,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let response_data = payment.response_data.clone().map(SecretString::from);
        let updated = sqlx::query(sql::UPDATE_PAYMENT)
            .bind(payment.id.as_str())
            .bind(payment.version)
            .bind(payment.state.as_str())
            .bind(payment.request_id.as_ref().map(|id| id.as_str().to_owned()))
            .bind(payment.request_url.clone())
            .bind(payment.transaction_id.as_ref().map(|id| id.as_str().to_owned()))
            .bind(self.seal(RESPONSE_DATA, response_data.as_ref())?)
            .bind(now.as_millisecond())
            .execute(&mut **tx)
            .await?;
        Ok(DB::rows_affected(&updated) > 0)
    }

    pub(super) async fn insert_notification(
        tx: &mut Transaction<'static, DB>,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(sql::INSERT_NOTIFICATION)
            .bind(notification.id.as_str())
            .bind(notification.payment_id.as_str())
            .bind(notification.partner.as_str())
            .bind(notification.body.as_str())
            .bind(now.as_millisecond())
            .execute(&mut **tx)
            .await?;
        Self::enqueue(tx, Task::Notify, &notification.id, now).await
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
        let mut tx = self.write().await?;
        let inserted = sqlx::query(sql::INSERT_PAYMENT)
            .bind(payment.id.as_str())
            .bind(payment.version)
            .bind(payment.partner.as_str())
            .bind(payment.reference.as_str())
            .bind(new.request_fingerprint.as_str())
            .bind(payment.account.as_str())
            .bind(payment.amount.0)
            .bind(payment.currency.as_str())
            .bind(rows::mode_name(payment.mode))
            .bind(payment.return_url.as_str())
            .bind(payment.return_key.as_str())
            .bind(payment.state.as_str())
            .bind(payment.created_at.as_millisecond())
            .bind(payment.updated_at.as_millisecond())
            .execute(&mut *tx)
            .await?;
        if DB::rows_affected(&inserted) == 0 {
            let row = sqlx::query(sql::PAYMENT_BY_REFERENCE)
                .bind(payment.partner.as_str())
                .bind(payment.reference.as_str())
                .fetch_one(&mut *tx)
                .await?;
            return Ok(Created::ReferenceTaken {
                payment: Box::new(rows::payment(&row, &self.sealer)?),
                request_fingerprint: row.text("request_fingerprint")?,
            });
        }
        for call in [&new.initial, &new.r#final] {
            self.insert_call(&mut tx, call).await?;
        }
        let asked = HistoryEntry::of_payment(payment, Cause::PartnerAsked, payment.created_at);
        Self::record(&mut tx, &payment.id, &asked).await?;
        let claim =
            Self::enqueue_claimed(&mut tx, Task::Authorize, &payment.id, payment.created_at, &new.lease)
                .await?;
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
            return Ok(false);
        }
        Self::enqueue(&mut tx, Task::Event, &event.event_id, now).await?;
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
        let mut tx = self.write().await?;
        if !Self::finish_claim(&mut tx, claim, now).await? {
            return Ok(Settled::LeaseLost);
        }
        if !self.update_payment(&mut tx, payment, now).await? {
            return Ok(Settled::Overtaken);
        }
        Self::record(&mut tx, &payment.id, &change.entry).await?;
        if let Some(token) = &change.finalize_with {
            sqlx::query(sql::SET_CALL_TOKEN)
                .bind(payment.id.as_str())
                .bind(Step::Final.as_str())
                .bind(self.seal(CALL_TOKEN, Some(token))?)
                .execute(&mut *tx)
                .await?;
            Self::enqueue(&mut tx, Task::Finalize, &payment.id, now).await?;
        }
        if let Some(notification) = &change.notification {
            Self::insert_notification(&mut tx, notification, now).await?;
        }
        if let Some(due_at) = change.reconcile_at {
            Self::enqueue(&mut tx, Task::Reconcile, &payment.id, due_at).await?;
        }
        if change.withdraw {
            Self::enqueue(&mut tx, Task::Withdraw, &payment.id, now).await?;
        }
        if change.forget_tokens {
            Self::forget_tokens(&mut tx, &payment.id).await?;
        }
        tx.commit().await?;
        Ok(Settled::Done)
    }

    async fn finish(&self, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        Self::finish_claim(&mut tx, claim, now).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn postpone(&self, claim: &Claim, due_at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(sql::POSTPONE)
            .bind(claim.id)
            .bind(claim.owner.as_str())
            .bind(due_at.as_millisecond())
            .bind(i64::from(claim.attempt))
            .execute(&mut *self.writers.acquire().await?)
            .await?;
        Ok(())
    }

    async fn release(&self, owner: &str) -> Result<u64, StoreError> {
        let mut connection = self.writers.acquire().await?;
        sqlx::query(sql::RELEASE_OWN_KEYS).bind(owner).execute(&mut *connection).await?;
        let released = sqlx::query(sql::RELEASE_OWN).bind(owner).execute(&mut *connection).await?;
        Ok(DB::rows_affected(&released))
    }

    async fn lock(&self, name: &str, lease: &Lease, now: Timestamp) -> Result<bool, StoreError> {
        let taken = sqlx::query(sql::LOCK)
            .bind(name)
            .bind(lease.owner.as_str())
            .bind(lease.until.as_millisecond())
            .bind(now.as_millisecond())
            .execute(&mut *self.writers.acquire().await?)
            .await?;
        Ok(DB::rows_affected(&taken) == 1)
    }

    async fn unlock(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let mut connection = self.writers.acquire().await?;
        sqlx::query(sql::UNLOCK).bind(name).bind(owner).execute(&mut *connection).await?;
        Ok(())
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
        sqlx::query(sql::INSERT_SIGNING_KEY)
            .bind(key.id.as_str())
            .bind(self.sealer.seal(SIGNING_KEY, &key.key)?)
            .bind(now.as_millisecond())
            .execute(&mut *self.writers.acquire().await?)
            .await?;
        Ok(())
    }
}

/// The names of tasks as a JSON list, which both dialects take where a list of parameters is not to
/// be had.
fn names(tasks: &[Task]) -> String {
    let names: Vec<&str> = tasks.iter().map(|task| task.as_str()).collect();
    serde_json::json!(names).to_string()
}
