//! What Partners read: lists of payments, and their history.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::payments::history::HistoryEntry;
use crate::payments::payment::{Payment, State};

/// Which of a Partner's payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFilter {
    /// In one of these states, two at most; in any if there are none.
    pub states: Vec<State>,
    /// Of this reference.
    pub reference: Option<String>,
    /// Created then or later.
    pub from: Timestamp,
    /// Created before.
    pub to: Timestamp,
    /// Listed after this one.
    pub after: Option<ListedAfter>,
}

/// A place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAfter {
    /// When the payment was created.
    pub created_at: Timestamp,
    /// Its id: several may be created in one millisecond.
    pub id: String,
}

impl Default for PaymentFilter {
    /// All of them.
    fn default() -> Self {
        Self { states: Vec::new(), reference: None, from: Timestamp::MIN, to: Timestamp::MAX, after: None }
    }
}

/// What is read of the acquirer's memory, and changes nothing.
#[async_trait]
pub trait Reading {
    /// A Partner's payments, newest first.
    async fn list(
        &self,
        partner: &str,
        filter: &PaymentFilter,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError>;
    /// What happened to a payment and its operations, in order.
    async fn history(&self, payment_id: &str) -> Result<Vec<HistoryEntry>, StoreError>;
}
