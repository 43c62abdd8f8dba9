//! Session tokens: what they stand for and how long they live (contract `payments.md` 2.6).

use jiff::Timestamp;
use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::money::{Currency, MinorUnits};
use serde_json::Value;

use super::effect::Reply;

/// A token that this sandbox has issued.
#[derive(Debug, Clone)]
pub(crate) struct TokenRecord {
    /// What it stands for.
    pub(crate) stands_for: TokenMeaning,
    /// When the window for the final call closes.
    pub(crate) expires_at: Option<Timestamp>,
}

/// What a token stands for.
#[derive(Debug, Clone)]
pub(crate) enum TokenMeaning {
    /// A session in which nothing was completed: it changes no outcome.
    Unused,
    /// A completed session: an authorize with it is final.
    Completed(Box<CompletedSession>),
    /// Another name of a token, kept for older clients.
    AliasOf(String),
}

/// What a customer completed.
#[derive(Debug, Clone)]
pub(crate) struct CompletedSession {
    /// The request, unless the token was minted without one.
    pub(crate) request: Option<PaymentRequestId>,
    /// What the customer approved, unless minted without it.
    pub(crate) approved: Option<(MinorUnits, Currency)>,
    /// The first final call, once made: its body and the answer, which repeats get again.
    pub(crate) spent: Option<(Value, Reply)>,
}
