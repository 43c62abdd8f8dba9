//! A payment as Klarna's side sees it: its intent, its calls, its request. The rulebook reads this.

use std::collections::VecDeque;

use klarna_schemas::ids::{PaymentRequestId, PaymentTransactionId};
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::money::{Currency, MinorUnits};
use klarna_schemas::simulator::control::{Fault, Intent};
use serde_json::Value;

use super::command::TokenHeader;

/// One payment and its history.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    /// The simulator's name of it, e.g. `e2p1`.
    pub(crate) name: String,
    /// What the Partner was declared to ask, if anything was.
    pub(crate) intent: Option<Intent>,
    /// The acquirer's reference on the first call.
    pub(crate) reference: Option<String>,
    /// The request that the customer was to complete.
    pub(crate) request: Option<PaymentRequestId>,
    /// Those before it, where Klarna asked the customer more than once.
    pub(crate) earlier_requests: Vec<PaymentRequestId>,
    /// The attempt before it for the same purchase, which came to nothing.
    pub(crate) earlier_attempt: Option<EarlierAttempt>,
    /// Its transactions, in order: the newest [`MAX_TRANSACTIONS`].
    pub(crate) transactions: VecDeque<PaymentTransactionId>,
    /// Its authorize calls, in order: the first [`MAX_CALLS`].
    pub(crate) calls: Vec<AuthorizeCall>,
    /// The delivery that told the acquirer of the customer's approval, in the journal: the newest.
    pub(crate) completed_event: Option<u64>,
    /// Whether there were more; those are answered, and not judged.
    pub(crate) calls_left_out: bool,
}

/// The most calls that a payment remembers.
pub(crate) const MAX_CALLS: usize = 200;

/// The most transactions that a payment keeps. It has one, unless it is authorized again and again
/// under the same reference.
pub(crate) const MAX_TRANSACTIONS: usize = 200;

/// An attempt that came to nothing before another was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EarlierAttempt {
    /// Its first call in the journal.
    pub(crate) seq: u64,
    /// Its reference.
    pub(crate) reference: Option<String>,
}

/// What an authorize call was, seen from the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallRole {
    /// The payment's first.
    Initial,
    /// With the token of a COMPLETED request.
    Final,
    /// The same key and body again: the first answer was given again.
    Replay,
    /// Another call for the payment without such a token.
    Further,
}

/// Compact facts of one authorize call.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizeCall {
    pub(crate) role: CallRole,
    /// Sequence number in the journal; 0 until recorded.
    pub(crate) seq: u64,
    /// Klarna's decision, if there was one.
    pub(crate) result: Option<AuthorizationResult>,
    /// The fault that it met; then nothing was decided.
    pub(crate) fault: Option<Fault>,
    /// The fault that its answer met; it was decided all the same.
    pub(crate) unheard: Option<Fault>,
    /// What the payment's request asked for when the call came, if there was one with an amount.
    pub(crate) asked_for: Option<(MinorUnits, Currency)>,
    /// State of the payment's request when the call came.
    pub(crate) request_state: Option<PaymentRequestState>,
    pub(crate) key: Option<String>,
    pub(crate) raw: Value,
    pub(crate) amount: Option<MinorUnits>,
    pub(crate) currency: Option<Currency>,
    pub(crate) reference: Option<String>,
    pub(crate) network_data: NetworkData,
    /// The token that came, and by which header.
    pub(crate) token: Option<(String, TokenHeader)>,
    pub(crate) token_standing: TokenStanding,
    /// Whether the Partner itself called, with a key of its own.
    pub(crate) by_partner: bool,
    /// Whether its payment option was issued in this sandbox; `None` where it names none, or where
    /// it may have been forgotten.
    pub(crate) payment_option_known: Option<bool>,
    /// Whether Klarna refused it without a decision.
    pub(crate) refused: bool,
    /// What in the body is not as documented and yet accepted.
    pub(crate) undocumented: Vec<ValidationError>,
    /// What in it stands under a name of an older revision.
    pub(crate) older_names: Vec<ValidationError>,
}

/// How the token of a call stood when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenStanding {
    /// None came, or none that this sandbox has issued.
    Unknown,
    /// This sandbox has issued it.
    Known,
    /// It is that of a completed request, and has died unused.
    Dead,
}

/// Klarna Network Data as it stood in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NetworkData {
    /// Under neither of its names.
    Absent,
    /// The string after one JSON decode.
    Text(String),
    /// There, but no string.
    NotText(Value),
}

impl NetworkData {
    /// From a body, under its current or its older name.
    pub(crate) fn of(raw: &Value) -> Self {
        match raw.get("klarna_network_data").or_else(|| raw.get("interoperability_data")) {
            None | Some(Value::Null) => Self::Absent,
            Some(Value::String(text)) => Self::Text(text.clone()),
            Some(other) => Self::NotText(other.clone()),
        }
    }
}

impl AuthorizeCall {
    /// Whether it is a final call whose token had died.
    pub(crate) fn is_late(&self) -> bool {
        self.token_standing == TokenStanding::Dead
    }

    /// Whether another call asked the same: the same body with the same token, whatever its key.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        let mine = self.token.as_ref().map(|(value, _)| value);
        let theirs = other.token.as_ref().map(|(value, _)| value);
        self.raw == other.raw && mine == theirs
    }
}

impl Payment {
    /// All its requests.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &PaymentRequestId> {
        self.request.iter().chain(&self.earlier_requests)
    }

    /// The first call.
    pub(crate) fn initial(&self) -> Option<&AuthorizeCall> {
        self.calls.first()
    }

    /// Calls with the token of a COMPLETED request, whatever became of them, and those that came after it
    /// had died.
    pub(crate) fn final_attempts(&self) -> impl Iterator<Item = &AuthorizeCall> {
        self.calls.iter().filter(|call| call.role == CallRole::Final || call.is_late())
    }

    /// Decided calls with the token of a COMPLETED request, replays left out, and those that led to
    /// another step-up.
    pub(crate) fn finals(&self) -> impl Iterator<Item = &AuthorizeCall> {
        let led_on = |call: &AuthorizeCall| call.result == Some(AuthorizationResult::StepUpRequired);
        self.calls
            .iter()
            .filter(move |call| call.role == CallRole::Final && call.fault.is_none() && !led_on(call))
    }
}
