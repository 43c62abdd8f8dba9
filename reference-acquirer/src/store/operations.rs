//! What Partners do with payments, kept.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use super::{Claim, Lease, Notification, Settled, StoreError};
use crate::payments::history::HistoryEntry;
use crate::payments::operation::{Operation, Target};
use crate::payments::payment::Payment;

/// An operation's Klarna call as it is written down before it is made.
#[derive(Debug, Clone)]
pub struct OperationCall {
    /// What it is done to.
    pub target: Target,
    /// The payment that it is for.
    pub payment_id: String,
    /// `Klarna-Idempotency-Key`.
    pub idempotency_key: String,
    /// The exact body; a call may have none.
    pub body: Option<SecretString>,
}

/// A new operation and all that commits with it.
#[derive(Debug)]
pub struct NewOperation {
    /// The operation, still pending.
    pub operation: Operation,
    /// Its call.
    pub call: OperationCall,
    /// Whoever stores it makes the call itself, so its row is born claimed.
    pub lease: Lease,
}

/// What became of a new operation.
#[derive(Debug)]
pub enum OperationCreated {
    /// It is stored; here is the claim on its call.
    Stored(Claim),
    /// There is one of that id or reference, or a cancel or void is under way: it.
    Exists(Box<Operation>),
}

/// The end of an operation, with all that commits with it.
#[derive(Debug)]
pub struct OperationChange {
    /// The operation, ended.
    pub operation: Operation,
    /// The payment, if that changes too; its `version` is still the one that was read.
    pub payment: Option<Payment>,
    /// What the history says of it.
    pub entries: Vec<HistoryEntry>,
    /// What the Partner is told.
    pub notifications: Vec<Notification>,
}

/// The acquirer's memory of operations.
#[async_trait]
pub trait Operations {
    /// Stores an operation with its call and its open work, unless there is one like it.
    async fn create_operation(&self, new: &NewOperation) -> Result<OperationCreated, StoreError>;
    /// An operation by id.
    async fn operation(&self, id: &str) -> Result<Option<Operation>, StoreError>;
    /// All operations of a payment, oldest first.
    async fn operations(&self, payment_id: &str) -> Result<Vec<Operation>, StoreError>;
    /// An operation's call as it was written down.
    async fn operation_call(&self, id: &str) -> Result<Option<OperationCall>, StoreError>;
    /// Ends an operation and finishes the claim.
    async fn settle_operation(
        &self,
        claim: &Claim,
        change: &OperationChange,
        now: Timestamp,
    ) -> Result<Settled, StoreError>;
}
