//! Notifications that were given up, kept until somebody has them sent again.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Claim, StoreError};

/// A notification that its Partner did not take in all the time that there was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// `webhook-id`, which stays the same however often it is sent.
    pub notification_id: String,
    /// The payment that it is about.
    pub payment_id: String,
    /// Who should have been told.
    pub partner: String,
    /// How often it was tried, since the outcome or since it was last sent again.
    pub attempts: u32,
    /// What the last attempt failed of.
    pub reason: String,
    /// When it was given up.
    pub given_up_at: Timestamp,
}

/// The acquirer's memory of what Partners were never told.
#[async_trait]
pub trait DeadLetters {
    /// Since when a Partner is being told: what its time is counted from.
    async fn telling_since(&self, notification_id: &str) -> Result<Option<Timestamp>, StoreError>;
    /// Finishes a claim on a notification, and keeps it as given up.
    async fn give_up(&self, claim: &Claim, reason: &str, now: Timestamp) -> Result<(), StoreError>;
    /// What was given up no later than `until`, oldest first; of one Partner, if one is named.
    async fn dead_letters(
        &self,
        partner: Option<&str>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;
    /// How many there are.
    async fn dead_letter_count(&self) -> Result<u64, StoreError>;
    /// Makes one due again, with all its time before it; `false` if there is none of that id.
    async fn send_again(&self, notification_id: &str, now: Timestamp) -> Result<bool, StoreError>;
}
