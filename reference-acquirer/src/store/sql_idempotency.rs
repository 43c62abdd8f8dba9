//! Idempotency keys in an SQL database.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{ColumnIndex, Decode, Encode, Executor, IntoArguments, Type};

use super::dialect::Dialect;
use super::idempotency::{Begun, IdempotencyKeys, KeptAnswer, KeyedRequest};
use super::rows::Columns as _;
use super::sql::SqlStore;
use super::statements as sql;
use super::{Lease, StoreError};

/// What a sealed body is bound to: the column that it stands in.
const BODY: &str = "idempotency_keys.body";

#[async_trait]
impl<DB: Dialect> IdempotencyKeys for SqlStore<DB>
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
    async fn begin_request(
        &self,
        request: &KeyedRequest,
        lease: &Lease,
        now: Timestamp,
        forget_before: Timestamp,
    ) -> Result<Begun, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(sql::FORGET_OLD_KEYS)
            .bind(forget_before.as_millisecond())
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        let inserted = sqlx::query(sql::INSERT_KEY)
            .bind(request.partner.as_str())
            .bind(request.key.as_str())
            .bind(request.fingerprint.as_str())
            .bind(request.makes.as_str())
            .bind(lease.owner.as_str())
            .bind(lease.until.as_millisecond())
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        if DB::rows_affected(&inserted) > 0 {
            tx.commit().await?;
            return Ok(Begun::Ours { makes: request.makes.clone() });
        }
        let taken_up = sqlx::query(sql::TAKE_UP_KEY)
            .bind(request.partner.as_str())
            .bind(request.key.as_str())
            .bind(request.fingerprint.as_str())
            .bind(lease.owner.as_str())
            .bind(lease.until.as_millisecond())
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        let row = sqlx::query(sql::KEY)
            .bind(request.partner.as_str())
            .bind(request.key.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        // Whoever had it may have forgotten it in between.
        let Some(row) = row else { return Ok(Begun::UnderWay) };
        if row.text("fingerprint")? != request.fingerprint {
            return Ok(Begun::KeyTaken);
        }
        if DB::rows_affected(&taken_up) > 0 {
            return Ok(Begun::Ours { makes: row.text("makes")? });
        }
        let (Some(status), Some(body)) = (row.number_or_none("status")?, row.text_or_none("body")?) else {
            return Ok(Begun::UnderWay);
        };
        let unreadable =
            |_| StoreError::Unreadable { what: "idempotency_keys.status", value: status.to_string() };
        Ok(Begun::Answered(KeptAnswer {
            status: u16::try_from(status).map_err(unreadable)?,
            location: row.text_or_none("location")?,
            body: self.sealer.open(BODY, &body)?,
        }))
    }

    async fn keep_answer(
        &self,
        request: &KeyedRequest,
        owner: &str,
        answer: &KeptAnswer,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(sql::KEEP_ANSWER)
            .bind(request.partner.as_str())
            .bind(request.key.as_str())
            .bind(owner)
            .bind(i64::from(answer.status))
            .bind(answer.location.clone())
            .bind(self.seal(BODY, Some(&answer.body))?)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    async fn forget_request(&self, request: &KeyedRequest, owner: &str) -> Result<(), StoreError> {
        self.of_own_key(sql::FORGET_KEY, request, owner).await
    }

    async fn release_request(&self, request: &KeyedRequest, owner: &str) -> Result<(), StoreError> {
        self.of_own_key(sql::RELEASE_KEY, request, owner).await
    }
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
    /// Does something to a key that this owner works on.
    async fn of_own_key(
        &self,
        statement: &'static str,
        request: &KeyedRequest,
        owner: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(statement)
            .bind(request.partner.as_str())
            .bind(request.key.as_str())
            .bind(owner)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }
}
