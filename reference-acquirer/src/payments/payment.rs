//! One payment and its state machine. Pure: no I/O, no clock.
//!
//! ```text
//! authorizing ──────────► approved | declined | failed        the initial call was answered
//!      │
//!      ├────────────────► step_up_required ──► finalizing     the customer approved (webhook)
//!      │                        │                  │
//!      └──► finalizing          └──► declined      └──► approved | declined | failed
//!           (the webhook             canceled
//!            came first)             expired
//! ```
//!
//! The states at the right are *outcomes*: the Partner is told, and nothing changes them any more,
//! with one exception. `failed` may mean that the final call never had an answer, and when Klarna
//! says later that it had approved, the payment becomes `approved` and the Partner is told that.

use jiff::Timestamp;
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, PaymentTransactionId};
use klarna_schemas::money::{Currency, MinorUnits};
use serde::{Deserialize, Serialize};

use super::history::Cause;

/// How a Partner leads its customers through a step-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The browser is sent to the payment request's URL.
    Redirect,
    /// Klarna's SDK is launched with the payment request's id.
    Sdk,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The initial call has no answer yet.
    Authorizing,
    /// Klarna wants the customer to be asked.
    StepUpRequired,
    /// The customer approved; the final call has no answer yet.
    Finalizing,
    /// Klarna made the transaction.
    Approved,
    /// Klarna, or the customer, refused.
    Declined,
    /// The payment request was taken back.
    Canceled,
    /// The payment request's time ran out.
    Expired,
    /// Klarna could not be asked, or its answer could not be used.
    Failed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Authorizing,
        Self::StepUpRequired,
        Self::Finalizing,
        Self::Approved,
        Self::Declined,
        Self::Canceled,
        Self::Expired,
        Self::Failed,
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorizing => "authorizing",
            Self::StepUpRequired => "step_up_required",
            Self::Finalizing => "finalizing",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// What the Partner reads: while an answer of Klarna is awaited, a payment is `pending`.
    pub fn status(self) -> &'static str {
        match self {
            Self::Authorizing | Self::Finalizing => "pending",
            settled => settled.as_str(),
        }
    }

    /// Whether the Partner is told of it, as there is nothing more to await.
    pub fn is_outcome(self) -> bool {
        match self {
            Self::Authorizing | Self::StepUpRequired | Self::Finalizing => false,
            Self::Approved | Self::Declined | Self::Canceled | Self::Expired | Self::Failed => true,
        }
    }
}

/// A payment as the database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The acquirer's name for it; also Klarna's `payment_request_reference`.
    pub id: String,
    /// Counts the changes, so that nobody overwrites what he has not seen.
    pub version: i64,
    /// Which Partner it belongs to.
    pub partner: String,
    /// The Partner's name for it; also Klarna's `payment_transaction_reference`.
    pub reference: String,
    /// The Partner's account at Klarna.
    pub account: PartnerAccountId,
    /// Minor units.
    pub amount: MinorUnits,
    /// ISO 4217.
    pub currency: Currency,
    /// How a step-up is led.
    pub mode: Mode,
    /// Where the Partner wants its customer back.
    pub return_url: String,
    /// The unguessable part of the return URL that Klarna was given.
    pub return_key: String,
    /// Where it stands.
    pub state: State,
    /// Klarna's payment request, once there is one.
    pub request_id: Option<PaymentRequestId>,
    /// Where a redirect leads the customer.
    pub request_url: Option<String>,
    /// Klarna's transaction, once approved (AP-16).
    pub transaction_id: Option<PaymentTransactionId>,
    /// Klarna's data for the Partner, unread (AP-12).
    pub response_data: Option<String>,
    /// When the Partner asked for it.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What was learnt about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The initial call was answered, or given up.
    Initial(Answer),
    /// The customer approved: a verified event says that this request is COMPLETED.
    CustomerApproved(PaymentRequestId),
    /// The customer approved this request, but the token for the final call is not to be had.
    TokenLost(PaymentRequestId),
    /// A verified event says that the request was refused for good.
    RequestDeclined,
    /// A verified event says that the request was taken back.
    RequestCanceled,
    /// A verified event says that the request's time ran out.
    RequestExpired,
    /// The final call was answered.
    Final(Answer),
    /// The final call was given up without an answer: Klarna may or may not have approved.
    Unanswered,
    /// The final call was given up, and Klarna has confirmed that nothing will come of it.
    Withdrawn,
    /// A verified event shows that a payment which was given up has a request at Klarna.
    RequestFound(PaymentRequestId),
}

impl Fact {
    /// What it is called in the history.
    pub fn cause(&self) -> Cause {
        match self {
            Self::Initial(_) | Self::Final(_) => Cause::KlarnaAnswered,
            Self::CustomerApproved(_) => Cause::CustomerApproved,
            Self::TokenLost(_) => Cause::TokenLost,
            Self::RequestDeclined => Cause::RequestDeclined,
            Self::RequestCanceled => Cause::RequestCanceled,
            Self::RequestExpired => Cause::RequestExpired,
            Self::Unanswered => Cause::Unanswered,
            Self::Withdrawn => Cause::Withdrawn,
            Self::RequestFound(_) => Cause::RequestFound,
        }
    }

    /// Klarna's name for the exchange that brought it.
    pub fn correlation_id(&self) -> Option<&str> {
        match self {
            Self::Initial(answer) | Self::Final(answer) => answer.correlation_id.as_deref(),
            _ => None,
        }
    }

    /// Whether Klarna says that it made the transaction.
    pub fn is_approval(&self) -> bool {
        matches!(self, Self::Initial(answer) | Self::Final(answer) if matches!(answer.decision, Decision::Approved(_)))
    }
}

/// What an authorize call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The decision.
    pub decision: Decision,
    /// Data for the Partner that came with it.
    pub response_data: Option<String>,
    /// Klarna's name for the exchange; for the history.
    pub correlation_id: Option<String>,
}

impl Answer {
    /// No answer that could be used.
    pub fn unusable() -> Self {
        Self { decision: Decision::Unusable, response_data: None, correlation_id: None }
    }
}

/// Klarna's decision, as far as this acquirer understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// `APPROVED`.
    Approved(Option<PaymentTransactionId>),
    /// `DECLINED`.
    Declined,
    /// `STEP_UP_REQUIRED`, with the way to the customer.
    StepUp {
        /// What the SDK is launched with.
        request_id: PaymentRequestId,
        /// Where a redirect leads.
        request_url: Option<String>,
    },
    /// No answer that could be used: refused, unreadable, of an unknown kind, or none at all. The
    /// payment fails; it is never taken for approved.
    Unusable,
}

impl Payment {
    /// The payment after a fact, or `None` where the fact changes nothing: it is old news, a
    /// repetition, or came too late.
    #[must_use]
    pub fn after(&self, fact: Fact) -> Option<Self> {
        let mut next = self.clone();
        match (self.state, fact) {
            (State::Authorizing, Fact::Initial(answer)) => {
                next.state = match answer.decision {
                    Decision::Approved(transaction_id) => {
                        next.transaction_id = transaction_id;
                        State::Approved
                    }
                    Decision::Declined => State::Declined,
                    Decision::StepUp { request_id, request_url } => {
                        next.request_id = Some(request_id);
                        next.request_url = request_url;
                        State::StepUpRequired
                    }
                    Decision::Unusable => State::Failed,
                };
                next.response_data = answer.response_data;
            }
            // The customer was quicker than the answer to the initial call: keep what it tells.
            (
                State::Finalizing,
                Fact::Initial(Answer {
                    decision: Decision::StepUp { request_id, request_url },
                    response_data,
                    ..
                }),
            ) if self.request_url.is_none() => {
                next.request_id = Some(request_id);
                next.request_url = request_url;
                next.response_data = response_data;
            }
            (State::Authorizing | State::StepUpRequired, Fact::CustomerApproved(request_id)) => {
                next.request_id = Some(request_id);
                next.state = State::Finalizing;
            }
            (State::Authorizing | State::StepUpRequired, Fact::TokenLost(request_id)) => {
                next.request_id = Some(request_id);
                next.state = State::Failed;
            }
            (State::Authorizing | State::StepUpRequired, Fact::RequestDeclined) => {
                next.state = State::Declined;
            }
            (State::Authorizing | State::StepUpRequired, Fact::RequestCanceled) => {
                next.state = State::Canceled;
            }
            (State::Authorizing | State::StepUpRequired, Fact::RequestExpired) => next.state = State::Expired,
            (State::Finalizing, Fact::Final(answer)) => {
                next.state = match answer.decision {
                    Decision::Approved(transaction_id) => {
                        next.transaction_id = transaction_id;
                        State::Approved
                    }
                    Decision::Declined => State::Declined,
                    // Without step_up_config there is nothing that the customer could still do.
                    Decision::StepUp { .. } | Decision::Unusable => State::Failed,
                };
                next.response_data = answer.response_data.or(next.response_data);
            }
            (State::Finalizing, Fact::Unanswered | Fact::Withdrawn) => next.state = State::Failed,
            // The answers were lost, not the approval.
            (
                State::Failed,
                Fact::Final(Answer { decision: Decision::Approved(transaction_id), response_data, .. }),
            ) => {
                next.state = State::Approved;
                next.transaction_id = transaction_id;
                next.response_data = response_data.or(next.response_data);
            }
            (State::Failed, Fact::RequestFound(request_id)) if self.request_id.is_none() => {
                next.request_id = Some(request_id);
            }
            // Everything else is old news: an event repeated or out of order, a late answer. Once
            // the final call is under way only its answer counts.
            _ => return None,
        }
        (next != *self).then_some(next)
    }

    /// Whether this step led to the payment's outcome.
    pub fn reached_outcome_since(&self, before: &Self) -> bool {
        self.state.is_outcome() && self.state != before.state
    }

    /// Whether this step left a payment request at Klarna that leads to nothing any more (AP-30).
    pub fn left_a_request_since(&self, before: &Self, fact: &Fact) -> bool {
        self.state == State::Failed
            && self.request_id.is_some()
            && (before.state != State::Failed || before.request_id.is_none())
            && *fact != Fact::Withdrawn
    }

    /// The way to the customer: both parts or, on any state but step-up, neither.
    pub fn way_to_customer(&self) -> (Option<&str>, Option<&PaymentRequestId>) {
        if self.state == State::StepUpRequired {
            (self.request_url.as_deref(), self.request_id.as_ref())
        } else {
            (None, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(state: State) -> Payment {
        Payment {
            id: "pay_1".to_owned(),
            version: 1,
            partner: "alpha".to_owned(),
            reference: "tx-1".to_owned(),
            account: PartnerAccountId::from("krn:partner:global:account:test:ALPHA001"),
            amount: MinorUnits(45_900),
            currency: "SEK".parse().unwrap(),
            mode: Mode::Redirect,
            return_url: "https://shop.test/back".to_owned(),
            return_key: "key".to_owned(),
            state,
            request_id: None,
            request_url: None,
            transaction_id: None,
            response_data: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn answer(decision: Decision) -> Answer {
        Answer { decision, response_data: None, correlation_id: None }
    }

    fn step_up() -> Decision {
        Decision::StepUp {
            request_id: PaymentRequestId::from("krn:r"),
            request_url: Some("https://k/r".to_owned()),
        }
    }

    fn approved() -> Decision {
        Decision::Approved(Some(PaymentTransactionId::from("krn:t")))
    }

    fn facts() -> Vec<(&'static str, Fact)> {
        vec![
            ("initial approved", Fact::Initial(answer(approved()))),
            ("initial declined", Fact::Initial(answer(Decision::Declined))),
            ("initial step-up", Fact::Initial(answer(step_up()))),
            ("initial unusable", Fact::Initial(answer(Decision::Unusable))),
            ("customer approved", Fact::CustomerApproved(PaymentRequestId::from("krn:r"))),
            ("token lost", Fact::TokenLost(PaymentRequestId::from("krn:r"))),
            ("request declined", Fact::RequestDeclined),
            ("request canceled", Fact::RequestCanceled),
            ("request expired", Fact::RequestExpired),
            ("final approved", Fact::Final(answer(approved()))),
            ("final declined", Fact::Final(answer(Decision::Declined))),
            ("final step-up", Fact::Final(answer(step_up()))),
            ("final unusable", Fact::Final(answer(Decision::Unusable))),
            ("unanswered", Fact::Unanswered),
            ("withdrawn", Fact::Withdrawn),
            ("request found", Fact::RequestFound(PaymentRequestId::from("krn:r"))),
        ]
    }

    /// Every state against every fact: what is not listed here changes nothing.
    #[test]
    fn the_whole_machine() {
        use State::{Approved, Authorizing, Canceled, Declined, Expired, Failed, Finalizing, StepUpRequired};
        let transitions = [
            (Authorizing, "initial approved", Approved),
            (Authorizing, "initial declined", Declined),
            (Authorizing, "initial step-up", StepUpRequired),
            (Authorizing, "initial unusable", Failed),
            (Authorizing, "customer approved", Finalizing),
            (Authorizing, "token lost", Failed),
            (Authorizing, "request declined", Declined),
            (Authorizing, "request canceled", Canceled),
            (Authorizing, "request expired", Expired),
            (StepUpRequired, "customer approved", Finalizing),
            (StepUpRequired, "token lost", Failed),
            (StepUpRequired, "request declined", Declined),
            (StepUpRequired, "request canceled", Canceled),
            (StepUpRequired, "request expired", Expired),
            (Finalizing, "initial step-up", Finalizing),
            (Finalizing, "final approved", Approved),
            (Finalizing, "final declined", Declined),
            (Finalizing, "final step-up", Failed),
            (Finalizing, "final unusable", Failed),
            (Finalizing, "unanswered", Failed),
            (Finalizing, "withdrawn", Failed),
            (Failed, "final approved", Approved),
            (Failed, "request found", Failed),
        ];
        for state in State::ALL {
            for (name, fact) in facts() {
                let expected = transitions
                    .iter()
                    .find(|(from, on, _)| *from == state && *on == name)
                    .map(|(_, _, to)| *to);
                let got = payment(state).after(fact).map(|next| next.state);
                assert_eq!(got, expected, "{state:?} on {name}");
            }
        }
    }

    /// But for `failed`, which may have been a lack of answers.
    #[test]
    fn outcomes_have_no_way_out() {
        for state in State::ALL.into_iter().filter(|state| state.is_outcome() && *state != State::Failed) {
            for (name, fact) in facts() {
                assert_eq!(payment(state).after(fact), None, "{state:?} on {name}");
            }
        }
    }

    #[test]
    fn the_way_to_the_customer_is_shown_on_step_up_only() {
        for state in State::ALL {
            let mut payment = payment(state);
            payment.request_id = Some(PaymentRequestId::from("krn:r"));
            payment.request_url = Some("https://k/r".to_owned());
            let (url, id) = payment.way_to_customer();
            assert_eq!(url.is_some(), state == State::StepUpRequired, "{state:?}");
            assert_eq!(id.is_some(), state == State::StepUpRequired, "{state:?}");
        }
    }

    #[test]
    fn a_late_initial_answer_does_not_undo_what_the_event_told() {
        let early = payment(State::Authorizing)
            .after(Fact::CustomerApproved(PaymentRequestId::from("krn:r")))
            .unwrap();
        let late = early.after(Fact::Initial(answer(step_up()))).unwrap();
        assert_eq!(late.state, State::Finalizing);
        assert_eq!(late.request_url.as_deref(), Some("https://k/r"));
        assert_eq!(late.after(Fact::Initial(answer(step_up()))), None);
    }

    #[test]
    fn klarnas_data_for_the_partner_is_kept_until_newer_comes() {
        let told = |data: &str| Answer { response_data: Some(data.to_owned()), ..answer(step_up()) };
        let first = payment(State::Authorizing).after(Fact::Initial(told("{ \"a\": 1.0 }"))).unwrap();
        assert_eq!(first.response_data.as_deref(), Some("{ \"a\": 1.0 }"));
        let finalizing = first.after(Fact::CustomerApproved(PaymentRequestId::from("krn:r"))).unwrap();
        let silent = finalizing.after(Fact::Final(answer(approved()))).unwrap();
        assert_eq!(silent.response_data.as_deref(), Some("{ \"a\": 1.0 }"));
        let newer = Answer { response_data: Some("2".to_owned()), ..answer(approved()) };
        assert_eq!(finalizing.after(Fact::Final(newer)).unwrap().response_data.as_deref(), Some("2"));
    }

    #[test]
    fn every_state_has_a_name() {
        for state in State::ALL {
            assert_eq!(State::named(state.as_str()), Some(state));
        }
        assert_eq!(State::named("paid"), None);
    }

    #[test]
    fn a_request_that_leads_nowhere_is_left_once() {
        let mut finalizing = payment(State::Finalizing);
        finalizing.request_id = Some(PaymentRequestId::from("krn:r"));
        for (fact, left) in [
            (Fact::Final(answer(Decision::Unusable)), true),
            (Fact::Final(answer(step_up())), true),
            (Fact::Unanswered, true),
            (Fact::Withdrawn, false),
            (Fact::Final(answer(Decision::Declined)), false),
            (Fact::Final(answer(approved())), false),
        ] {
            let next = finalizing.after(fact.clone()).unwrap();
            assert_eq!(next.left_a_request_since(&finalizing, &fact), left, "{fact:?}");
        }
        let given_up = payment(State::Failed);
        let found = Fact::RequestFound(PaymentRequestId::from("krn:r"));
        let next = given_up.after(found.clone()).unwrap();
        assert!(next.left_a_request_since(&given_up, &found) && !next.reached_outcome_since(&given_up));
        assert_eq!(next.after(found), None);
    }
}
