//! Rows as values.

use jiff::Timestamp;
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, PaymentTransactionId};
use klarna_schemas::money::{Currency, MinorUnits};
use secrecy::ExposeSecret as _;
use sqlx::{ColumnIndex, Database, Decode, Row, Type};

use super::seal::Sealer;
use super::{Claim, OpenWork, StoreError, Task};
use crate::payments::history::{Cause, HistoryEntry};
use crate::payments::payment::{Mode, Payment, State};

/// What sealed texts are bound to: the column that they stand in.
pub(super) const RESPONSE_DATA: &str = "payments.response_data";

/// A row whose columns can be read by name, as both databases' can.
pub(super) trait Columns {
    /// A text.
    fn text(&self, column: &'static str) -> Result<String, sqlx::Error>;
    /// A text that may be absent.
    fn text_or_none(&self, column: &'static str) -> Result<Option<String>, sqlx::Error>;
    /// A number.
    fn number(&self, column: &'static str) -> Result<i64, sqlx::Error>;
    /// A number that may be absent.
    fn number_or_none(&self, column: &'static str) -> Result<Option<i64>, sqlx::Error>;

    /// A time.
    fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        time(column, self.number(column)?)
    }
}

impl<R, DB> Columns for R
where
    DB: Database<Row = R>,
    R: Row<Database = DB>,
    for<'q> &'q str: ColumnIndex<R>,
    for<'q> i64: Decode<'q, DB> + Type<DB>,
    for<'q> String: Decode<'q, DB> + Type<DB>,
{
    fn text(&self, column: &'static str) -> Result<String, sqlx::Error> {
        self.try_get(column)
    }

    fn text_or_none(&self, column: &'static str) -> Result<Option<String>, sqlx::Error> {
        self.try_get(column)
    }

    fn number(&self, column: &'static str) -> Result<i64, sqlx::Error> {
        self.try_get(column)
    }

    fn number_or_none(&self, column: &'static str) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }
}

/// A time out of a column.
pub(super) fn time(column: &'static str, milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| StoreError::Unreadable { what: column, value: milliseconds.to_string() })
}

fn task(row: &impl Columns) -> Result<Task, StoreError> {
    let name = row.text("task")?;
    let known = Task::ALL.into_iter().find(|known| known.as_str() == name);
    known.ok_or(StoreError::Unreadable { what: "outbox.task", value: name })
}

pub(super) fn claim(row: &impl Columns, owner: &str) -> Result<Claim, StoreError> {
    Ok(Claim {
        id: row.number("id")?,
        task: task(row)?,
        subject: row.text("subject")?,
        attempt: u32::try_from(row.number("attempts")?).unwrap_or(u32::MAX),
        owner: owner.to_owned(),
    })
}

pub(super) fn open_work<R: Columns>(row: &R) -> Result<OpenWork, StoreError> {
    let rows = u64::try_from(row.number("rows")?).unwrap_or_default();
    Ok(OpenWork { task: task(row)?, rows, first_due: row.time("due_at")? })
}

pub(super) fn payment(row: &impl Columns, sealer: &Sealer) -> Result<Payment, StoreError> {
    let response_data = row
        .text_or_none("response_data")?
        .map(|sealed| sealer.open(RESPONSE_DATA, &sealed))
        .transpose()?
        .map(|opened| opened.expose_secret().to_owned());
    let state = row.text("state")?;
    let mode = row.text("mode")?;
    Ok(Payment {
        id: row.text("id")?,
        version: row.number("version")?,
        partner: row.text("partner")?,
        reference: row.text("reference")?,
        account: PartnerAccountId(row.text("account")?),
        amount: MinorUnits(row.number("amount")?),
        currency: Currency::try_from(row.text("currency")?)
            .map_err(|error| StoreError::Unreadable { what: "payments.currency", value: error.0 })?,
        mode: mode_named(&mode).ok_or(StoreError::Unreadable { what: "payments.mode", value: mode })?,
        return_url: row.text("return_url")?,
        return_key: row.text("return_key")?,
        state: State::named(&state).ok_or(StoreError::Unreadable { what: "payments.state", value: state })?,
        request_id: row.text_or_none("request_id")?.map(PaymentRequestId),
        request_url: row.text_or_none("request_url")?,
        transaction_id: row.text_or_none("transaction_id")?.map(PaymentTransactionId),
        response_data,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

pub(super) fn history_entry(row: &impl Columns) -> Result<HistoryEntry, StoreError> {
    let cause = row.text("cause")?;
    Ok(HistoryEntry {
        at: row.time("at")?,
        operation_id: row.text_or_none("operation_id")?,
        status: row.text("status")?,
        cause: Cause::ALL
            .into_iter()
            .find(|known| known.as_str() == cause)
            .ok_or(StoreError::Unreadable { what: "history.cause", value: cause })?,
        klarna_id: row.text_or_none("klarna_id")?,
        klarna_event_id: row.text_or_none("klarna_event_id")?,
        klarna_correlation_id: row.text_or_none("klarna_correlation_id")?,
    })
}

pub(super) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Redirect => "redirect",
        Mode::Sdk => "sdk",
    }
}

fn mode_named(name: &str) -> Option<Mode> {
    [Mode::Redirect, Mode::Sdk].into_iter().find(|mode| mode_name(*mode) == name)
}
