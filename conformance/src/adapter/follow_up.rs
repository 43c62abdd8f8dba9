//! What a Partner asks for after the create call: a capture, a refund, a cancel.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::BoundAcquirer;
use super::bound::{OperationError, PaymentAnswer};
use super::facts::RequestFacts;
use super::operation::Operation;
use super::order::Order;
use super::outcome::Word;
use super::variables::Secrets;
use super::vars::PartnerBinding;
use std::collections::BTreeMap;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FollowUp {
    /// Money of an approved payment is taken.
    Capture,
    /// Captured money is given back.
    Refund,
    /// A payment is called off while its Customer is in a step-up.
    Cancel,
}

impl FollowUp {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Capture, Self::Refund, Self::Cancel];

    /// The name of the operation in an adapter, and of the capability that binding it claims.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Cancel => "cancel",
        }
    }
}

impl std::fmt::Display for FollowUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an acquirer's answer to a capture, a refund or a cancel means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FollowUpOutcome {
    /// Klarna has done it.
    Done,
    /// Not known yet.
    Pending,
    /// It was not done, and will not be: the acquirer or Klarna refused it.
    Refused,
    /// The acquirer gave up.
    Failed,
}

impl Word for FollowUpOutcome {
    const ALL: &'static [Self] = &[Self::Done, Self::Pending, Self::Refused, Self::Failed];

    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Pending => "pending",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl std::fmt::Display for FollowUpOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// One capture, refund or cancel as the Partner asks for it; asked again, it is the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// Which.
    #[serde(skip)]
    pub kind: FollowUp,
    /// Minor units of the order's currency; a cancel has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// The order's currency, ISO 4217.
    pub currency: String,
    /// The Partner's own name for it: visible ASCII, at most 40 characters.
    pub reference: String,
    /// The same for each repetition of this wish, and no other: a UUID.
    pub idempotency_key: String,
}

/// What the acquirer answered to it.
pub type FollowUpAnswer = PaymentAnswer<FollowUpOutcome>;

/// The operations that an adapter binds.
#[derive(Debug, Clone, Default)]
pub(super) struct FollowUps {
    pub(super) capture: Option<Operation<FollowUpOutcome>>,
    pub(super) refund: Option<Operation<FollowUpOutcome>>,
    pub(super) cancel: Option<Operation<FollowUpOutcome>>,
}

impl FollowUps {
    pub(super) fn of(&self, kind: FollowUp) -> Option<&Operation<FollowUpOutcome>> {
        match kind {
            FollowUp::Capture => self.capture.as_ref(),
            FollowUp::Refund => self.refund.as_ref(),
            FollowUp::Cancel => self.cancel.as_ref(),
        }
    }

    /// Those that are bound.
    pub(super) fn bound(&self) -> impl Iterator<Item = (FollowUp, &Operation<FollowUpOutcome>)> {
        FollowUp::ALL.into_iter().filter_map(|kind| Some((kind, self.of(kind)?)))
    }
}

/// What a follow-up is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// What was sold.
    pub order: &'a Order,
    /// What was read of the payment so far.
    pub payment: &'a BTreeMap<String, String>,
    /// What was read of its last capture; empty where there was none.
    pub capture: &'a BTreeMap<String, String>,
}

/// Adds `operation`, `order`, `payment`, and `capture` for a refund.
pub(super) fn with_wish(mut variables: Map<String, Value>, about: About<'_>, wish: &Wish) -> Value {
    variables.insert("operation".to_owned(), serde_json::to_value(wish).unwrap_or_default());
    variables.insert("order".to_owned(), serde_json::to_value(about.order).unwrap_or_default());
    variables.insert("payment".to_owned(), json!(about.payment));
    if wish.kind == FollowUp::Refund {
        variables.insert("capture".to_owned(), json!(about.capture));
    }
    Value::Object(variables)
}

impl Wish {
    /// To check templates with.
    pub(super) fn sample(kind: FollowUp) -> Self {
        Self {
            kind,
            amount: (kind != FollowUp::Cancel).then_some(45_900),
            currency: "SEK".to_owned(),
            reference: "operation-1".to_owned(),
            idempotency_key: uuid::Uuid::nil().to_string(),
        }
    }
}

impl BoundAcquirer {
    /// Asks the acquirer for a capture, a refund or a cancel, as `partner`.
    ///
    /// # Errors
    /// When the adapter does not bind it, or the answer cannot be read.
    pub async fn follow_up(
        &self,
        partner: &PartnerBinding,
        about: About<'_>,
        wish: &Wish,
    ) -> Result<FollowUpAnswer, OperationError> {
        let operation = wish.kind.as_str();
        let Some(bound) = self.adapter().inner.follow_ups.of(wish.kind) else {
            return Err(OperationError::NotBound { adapter: self.adapter().file().to_owned(), operation });
        };
        let variables = |secrets| with_wish(self.run().of_partner(partner, secrets), about, wish);
        self.perform(operation, bound, variables).await
    }

    /// Whether the acquirer can tell one wish from another: if not, its API has no place for what
    /// differs.
    ///
    /// # Errors
    /// When the adapter does not bind it, or a template fails.
    pub fn tells_wishes_apart(
        &self,
        partner: &PartnerBinding,
        about: About<'_>,
        one: &Wish,
        other: &Wish,
    ) -> Result<bool, OperationError> {
        let operation = one.kind.as_str();
        let Some(bound) = self.adapter().inner.follow_ups.of(one.kind) else {
            return Err(OperationError::NotBound { adapter: self.adapter().file().to_owned(), operation });
        };
        let said = |wish: &Wish| {
            let mut variables = self.run().of_partner(partner, Secrets::Marked);
            RequestFacts::sample().add_to(&mut variables);
            self.said(operation, bound, with_wish(variables, about, wish))
        };
        Ok(said(one)? != said(other)?)
    }
}
