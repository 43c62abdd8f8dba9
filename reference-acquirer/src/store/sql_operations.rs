//! Operations in an SQL database.

use async_trait::async_trait;
use jiff::Timestamp;
use klarna_schemas::ids::{PaymentRequestId, PaymentTransactionId};
use klarna_schemas::money::MinorUnits;
use sqlx::{ColumnIndex, Decode, Encode, Executor, IntoArguments, Type};

use super::dialect::Dialect;
use super::operations::{NewOperation, OperationCall, OperationChange, OperationCreated, Operations};
use super::rows::Columns;
use super::script::Script;
use super::sql::SqlStore;
use super::statements as sql;
use super::{Claim, Settled, StoreError, Task};
use crate::payments::history::{Cause, HistoryEntry};
use crate::payments::operation::{Failure, FailureReason, Kind, Operation, Outcome, Target};

/// What a sealed body is bound to: the column that it stands in.
const BODY: &str = "operations.body";

#[async_trait]
impl<DB: Dialect> Operations for SqlStore<DB>
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
    async fn create_operation(&self, new: &NewOperation) -> Result<OperationCreated, StoreError> {
        let NewOperation { operation, call, lease } = new;
        loop {
            let mut tx = self.write().await?;
            let inserted = sqlx::query(sql::INSERT_OPERATION)
                .bind(operation.id.as_str())
                .bind(operation.payment_id.as_str())
                .bind(operation.kind.as_str())
                .bind(operation.reference.as_str())
                .bind(operation.amount.map(|amount| amount.0))
                .bind(target_id(&call.target))
                .bind(call.idempotency_key.as_str())
                .bind(self.seal(BODY, call.body.as_ref())?)
                .bind(operation.created_at.as_millisecond())
                .execute(&mut *tx)
                .await?;
            if DB::rows_affected(&inserted) > 0 {
                let asked = HistoryEntry::of_operation(operation, Cause::PartnerAsked, operation.created_at);
                let mut script = Script::default();
                script.record(&operation.payment_id, &asked);
                script.enqueue_claimed(Task::Operate, &operation.id, operation.created_at, lease);
                let id = DB::run(&mut tx, script).await?.id;
                let claim = Claim::of_new_row(id, Task::Operate, &operation.id, lease)?;
                tx.commit().await?;
                return Ok(OperationCreated::Stored(claim));
            }
            let like = sqlx::query(sql::OPERATION_LIKE)
                .bind(operation.payment_id.as_str())
                .bind(operation.kind.as_str())
                .bind(operation.id.as_str())
                .bind(operation.reference.as_str())
                .fetch_optional(&mut *tx)
                .await?;
            tx.roll_back().await?;
            // A cancel or void that was under way may have ended in between.
            if let Some(row) = like {
                return Ok(OperationCreated::Exists(Box::new(operation_of(&row)?)));
            }
        }
    }

    async fn operation(&self, id: &str) -> Result<Option<Operation>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(sql::OPERATION).bind(id).fetch_optional(&mut *connection).await?;
        row.map(|row| operation_of(&row)).transpose()
    }

    async fn operations(&self, payment_id: &str) -> Result<Vec<Operation>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let rows = sqlx::query(sql::OPERATIONS).bind(payment_id).fetch_all(&mut *connection).await?;
        rows.iter().map(operation_of).collect()
    }

    async fn operation_call(&self, id: &str) -> Result<Option<OperationCall>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(sql::OPERATION).bind(id).fetch_optional(&mut *connection).await?;
        let Some(row) = row else { return Ok(None) };
        let target = row.text("target")?;
        Ok(Some(OperationCall {
            target: match kind_of(&row)? {
                Kind::Cancel => Target::Request(PaymentRequestId(target)),
                Kind::Capture | Kind::Refund | Kind::Void => {
                    Target::Transaction(PaymentTransactionId(target))
                }
            },
            payment_id: row.text("payment_id")?,
            idempotency_key: row.text("idempotency_key")?,
            body: row.text_or_none("body")?.map(|sealed| self.sealer.open(BODY, &sealed)).transpose()?,
        }))
    }

    async fn settle_operation(
        &self,
        claim: &Claim,
        change: &OperationChange,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let operation = &change.operation;
        let mut script = Script::default();
        let finished = script.finish(claim, now);
        let mut updated = None;
        if let Some(payment) = &change.payment {
            updated = Some(self.update_payment(&mut script, payment, now)?);
            script.forget_tokens(&payment.id);
        }
        let (klarna_id, failure) = match &operation.outcome {
            Outcome::Pending => (None, None),
            Outcome::Succeeded { klarna_id } => (klarna_id.clone(), None),
            Outcome::Failed(failure) => (None, Some(failure)),
        };
        script.then(
            sql::END_OPERATION,
            [
                operation.id.as_str().into(),
                operation.outcome.status().into(),
                klarna_id.into(),
                failure.map(|failure| failure.reason.as_str().to_owned()).into(),
                failure.and_then(|failure| failure.klarna_error_code.clone()).into(),
                operation.updated_at.into(),
            ],
        );
        for entry in &change.entries {
            script.record(&operation.payment_id, entry);
        }
        for notification in &change.notifications {
            script.notify(notification, now);
        }
        self.settle_by(script, finished, updated).await
    }
}

fn target_id(target: &Target) -> &str {
    match target {
        Target::Request(id) => id.as_str(),
        Target::Transaction(id) => id.as_str(),
    }
}

fn kind_of(row: &impl Columns) -> Result<Kind, StoreError> {
    let name = row.text("kind")?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
    kind.ok_or(StoreError::Unreadable { what: "operations.kind", value: name })
}

fn operation_of(row: &impl Columns) -> Result<Operation, StoreError> {
    Ok(Operation {
        id: row.text("id")?,
        payment_id: row.text("payment_id")?,
        kind: kind_of(row)?,
        reference: row.text("reference")?,
        amount: row.number_or_none("amount")?.map(MinorUnits),
        outcome: outcome_of(row)?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn outcome_of(row: &impl Columns) -> Result<Outcome, StoreError> {
    let state = row.text("state")?;
    match state.as_str() {
        "pending" => Ok(Outcome::Pending),
        "succeeded" => Ok(Outcome::Succeeded { klarna_id: row.text_or_none("klarna_id")? }),
        "failed" => {
            let name = row.text_or_none("failure_reason")?.unwrap_or_default();
            let reason = FailureReason::ALL.into_iter().find(|reason| reason.as_str() == name);
            let reason =
                reason.ok_or(StoreError::Unreadable { what: "operations.failure_reason", value: name })?;
            let klarna_error_code = row.text_or_none("klarna_error_code")?;
            Ok(Outcome::Failed(Failure { reason, klarna_error_code }))
        }
        _ => Err(StoreError::Unreadable { what: "operations.state", value: state }),
    }
}
