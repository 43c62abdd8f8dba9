//! Dead letters in an SQL database.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{ColumnIndex, Decode, Encode, Executor, IntoArguments, Type};

use super::dead_letters::{DeadLetter, DeadLetters};
use super::dialect::Dialect;
use super::rows::Columns;
use super::script::Script;
use super::sql::SqlStore;
use super::statements as sql;
use super::{Claim, StoreError, Task};

#[async_trait]
impl<DB: Dialect> DeadLetters for SqlStore<DB>
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
    async fn telling_since(&self, notification_id: &str) -> Result<Option<Timestamp>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row =
            sqlx::query(sql::NOTIFICATION).bind(notification_id).fetch_optional(&mut *connection).await?;
        row.map(|row| row.time("telling_since")).transpose()
    }

    async fn give_up(&self, claim: &Claim, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut script = Script::default();
        let finished = script.finish(claim, now);
        script.then(
            sql::INSERT_DEAD_LETTER,
            [claim.subject.as_str().into(), i64::from(claim.attempt).into(), reason.into(), now.into()],
        );
        self.settle_by(script, finished, None).await.map(drop)
    }

    async fn dead_letters(
        &self,
        partner: Option<&str>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let rows = sqlx::query(sql::DEAD_LETTERS)
            .bind(partner.unwrap_or_default())
            .bind(until.as_millisecond())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await?;
        rows.iter().map(dead_letter_of).collect()
    }

    async fn dead_letter_count(&self) -> Result<u64, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(sql::COUNT_DEAD_LETTERS).fetch_one(&mut *connection).await?;
        Ok(u64::try_from(row.number("letters")?).unwrap_or_default())
    }

    async fn send_again(&self, notification_id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        // Whoever comes second finds none, and so nothing is reset that is under way already.
        let taken = sqlx::query(sql::DELETE_DEAD_LETTER).bind(notification_id).execute(&mut *tx).await?;
        if DB::rows_affected(&taken) == 0 {
            tx.roll_back().await?;
            return Ok(false);
        }
        sqlx::query(sql::TELL_FROM_NOW)
            .bind(notification_id)
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        sqlx::query(sql::REOPEN)
            .bind(Task::Notify.as_str())
            .bind(notification_id)
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn dead_letter_of(row: &impl Columns) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        notification_id: row.text("notification_id")?,
        payment_id: row.text("payment_id")?,
        partner: row.text("partner")?,
        attempts: u32::try_from(row.number("attempts")?).unwrap_or(u32::MAX),
        reason: row.text("reason")?,
        given_up_at: row.time("given_up_at")?,
    })
}
