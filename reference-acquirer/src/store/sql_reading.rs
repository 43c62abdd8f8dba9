//! What Partners read, in an SQL database: lists of payments, and their history.

use async_trait::async_trait;
use sqlx::{ColumnIndex, Decode, Encode, Executor, IntoArguments, Type};

use super::dialect::Dialect;
use super::reading::{PaymentFilter, Reading};
use super::sql::SqlStore;
use super::statements as sql;
use super::{StoreError, rows};
use crate::payments::history::HistoryEntry;
use crate::payments::payment::Payment;

#[async_trait]
impl<DB: Dialect> Reading for SqlStore<DB>
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
    async fn list(
        &self,
        partner: &str,
        filter: &PaymentFilter,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError> {
        let first = filter.states.first().map(|state| state.as_str()).unwrap_or_default();
        let second = filter.states.get(1).map_or(first, |state| state.as_str());
        let (before, id) = match &filter.after {
            Some(after) => (after.created_at.as_millisecond(), after.id.as_str()),
            None => (i64::MAX, ""),
        };
        let mut connection = self.pool.acquire().await?;
        let rows = sqlx::query(sql::LIST_PAYMENTS)
            .bind(partner)
            .bind(first)
            .bind(second)
            .bind(filter.reference.as_deref().unwrap_or_default())
            .bind(filter.from.as_millisecond())
            .bind(filter.to.as_millisecond())
            .bind(before)
            .bind(id)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await?;
        rows.iter().map(|row| rows::payment(row, &self.sealer)).collect()
    }

    async fn history(&self, payment_id: &str) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let rows = sqlx::query(sql::HISTORY).bind(payment_id).fetch_all(&mut *connection).await?;
        rows.iter().map(rows::history_entry).collect()
    }
}
