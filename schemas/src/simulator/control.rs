//! Bodies of the control API under `/_simulator/v1`. An unknown field is refused.

mod customer;
mod evolution;
mod faults;
mod journal_query;
mod misbehaviour;
mod presentation;
mod requests;
mod snapshots;
mod transactions;
mod webhooks;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use customer::{ActAsCustomer, CustomerAct, CustomerActed, CustomerScript, CustomerStep};
pub use evolution::{Evolution, SetEvolution};
pub use faults::{ArmFault, Fault, FaultBody, FaultsView};
pub use journal_query::{ExportFormat, JournalExport, JournalQuery};
pub use misbehaviour::{Misbehaviour, WebhookWish};
pub use presentation::PresentationWish;
pub use requests::{EndPaymentRequest, PaymentRequestEnded, RequestEnd};
pub use snapshots::{MakeSnapshot, SnapshotView, Snapshots};
pub use transactions::ChargeBack;
pub use webhooks::{
    ForgetRegistrations, HeldWebhook, Registrations, ReleaseWebhooks, SendWebhook, SendWhen,
    WaitingMisbehaviour, WebhooksSent, WebhooksView,
};

use super::finding::Finding;
use super::rules::{Rule, Then};
use crate::ids::PartnerAccountId;
use crate::klarna::authorize::AuthorizationResult;
use crate::money::{Currency, MinorUnits};

/// `PUT /sandboxes/{a}`: create or reset.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutSandbox {
    /// Seed of every id and token to come; the simulator's own seed when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Where its clock starts; real time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<SetClock>,
    /// What Klarna shall do in it with calls that are so and so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// Answer to `PUT` and `GET /sandboxes/{a}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxView {
    /// The Partner account.
    pub account: PartnerAccountId,
    /// How often it was made or reset, from 1.
    pub epoch: u64,
    /// Seed in force.
    pub seed: u64,
}

/// Answer to `GET /sandboxes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandboxes {
    /// All sandboxes, by account.
    pub sandboxes: Vec<SandboxView>,
}

/// `PUT /sandboxes/{a}/intent`: what the Partner is about to ask of its acquirer.
///
/// It binds to the sandbox's next new payment, which is then judged against it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The exact string the Partner sends, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_data: Option<String>,
    /// The session token the Partner sends, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<String>,
    /// Minor units.
    pub amount: MinorUnits,
    /// ISO 4217.
    pub currency: Currency,
    /// The order number the customer knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase_reference: Option<String>,
    /// The order lines, by the names of `supplementary_purchase_data.line_items`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_items: Option<Vec<Value>>,
    /// Who buys, by the names of `supplementary_purchase_data.customer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Value>,
    /// Where it goes, by the names of `supplementary_purchase_data.shipping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Vec<Value>>,
    /// The payment option that the customer chose, if it came from a presentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_option_id: Option<String>,
}

/// `POST /sandboxes/{a}/session-tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MintSessionToken {
    /// Length in characters, 64 to 10 240; 512 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// What the token stands for.
    pub state: MintedTokenState,
}

/// What a minted token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MintedTokenState {
    /// A session in which nothing was completed: it changes no outcome.
    Unused,
    /// A session whose request is completed already: an authorize with it is final.
    Completed,
}

/// Answer to `POST /sandboxes/{a}/session-tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MintedSessionToken {
    /// The token.
    pub klarna_network_session_token: String,
}

/// Answer to `POST /sandboxes/{a}/keys`: a key with which the Partner itself calls Klarna, on paths that
/// name no account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartnerKey {
    /// The key. Secret.
    pub api_key: String,
}

impl std::fmt::Debug for PartnerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartnerKey").finish_non_exhaustive()
    }
}

/// One entry of `POST /sandboxes/{a}/outcomes`, a JSON array.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueuedOutcome {
    /// Which calls it is for; `any` when absent.
    #[serde(default)]
    pub on: CallKind,
    /// How many calls it serves; 1 when absent.
    #[serde(default = "once")]
    pub times: u32,
    /// The result; as it would be without the entry when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<AuthorizationResult>,
    /// `result_reason` of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_reason: Option<String>,
    /// `klarna_network_response_data` of the answer, as it is (AP-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_data: Option<String>,
    /// Gives the result even where Klarna would not: a step-up on a final call, or without
    /// `step_up_config`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force: bool,
    /// What the customer does by itself, where there is a step-up.
    #[serde(default, skip_serializing_if = "CustomerScript::is_empty")]
    pub customer: CustomerScript,
    /// What befalls the call, or its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What befalls webhooks about the payment, from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<WebhookWish>,
}

impl QueuedOutcome {
    /// A result for one call.
    pub fn once(on: CallKind, result: AuthorizationResult) -> Self {
        Self {
            on,
            times: 1,
            result: Some(result),
            result_reason: None,
            response_data: None,
            force: false,
            customer: CustomerScript::default(),
            fault: None,
            webhooks: Vec::new(),
        }
    }

    /// What Klarna does, in the words of rules.
    pub fn then(&self) -> Then {
        Then {
            result: self.result.clone(),
            result_reason: self.result_reason.clone(),
            response_data: self.response_data.clone(),
            force: self.force,
            customer: self.customer.clone(),
            fault: self.fault,
            webhooks: self.webhooks.clone(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_false(value: &bool) -> bool {
    !value
}

fn once() -> u32 {
    1
}

/// Which authorize calls something is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// A call without the token of a COMPLETED request.
    Initial,
    /// A call with the token of a COMPLETED request.
    Final,
    /// Both.
    #[default]
    Any,
}

/// `POST /sandboxes/{a}/clock`: exactly one of the three.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "ClockWish")]
pub enum SetClock {
    /// How far to go forward: hours, minutes and seconds, as ISO 8601 writes them (`PT3H`) or as people
    /// do (`3h`), and no days.
    Advance(SignedDuration),
    /// The time it shall be; never earlier than it is.
    Set(Timestamp),
    /// Whether it stands still.
    Freeze(bool),
}

/// The body as it comes: the reader of a wrong one is told what it takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockWish {
    advance: Option<SignedDuration>,
    set: Option<Timestamp>,
    freeze: Option<bool>,
}

impl TryFrom<ClockWish> for SetClock {
    type Error = &'static str;

    fn try_from(wish: ClockWish) -> Result<Self, Self::Error> {
        match (wish.advance, wish.set, wish.freeze) {
            (Some(by), None, None) => Ok(Self::Advance(by)),
            (None, Some(at), None) => Ok(Self::Set(at)),
            (None, None, Some(frozen)) => Ok(Self::Freeze(frozen)),
            _ => Err("a clock takes exactly one of advance, set and freeze"),
        }
    }
}

/// Answer to `POST /sandboxes/{a}/clock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockView {
    /// The sandbox's time.
    pub now: Timestamp,
    /// What came due on the way, in order, in words; and how each attempt of a webhook ended that did.
    pub happened: Vec<String>,
}

/// Answer to `GET /sandboxes/{a}/findings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// What the rulebook found, oldest first.
    pub findings: Vec<Finding>,
    /// How often each rule had something to judge, by rule id: a rule that is not here, or stands
    /// at 0, has not been judged.
    pub judged: indexmap::IndexMap<String, u64>,
    /// Why the other rules have judged nothing, by rule id.
    #[serde(default, skip_serializing_if = "indexmap::IndexMap::is_empty")]
    pub not_judged: indexmap::IndexMap<String, String>,
    /// How many findings there was no room for: those that fail a verdict are the last to go.
    #[serde(default)]
    pub dropped: u64,
}
