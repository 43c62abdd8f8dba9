//! What the customer does in the Purchase Journey, and what that changes.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::klarna::payment_request::PaymentRequestState::{
    Completed, Declined, InProgress, Submitted,
};
use klarna_schemas::simulator::control::{CustomerAct, CustomerStep};
use uuid::Uuid;

use super::effect::Effect;
use super::express_shipping::ShippingChoice;
use super::payment_request::TOKEN_LIFE_MINUTES;
use super::sandbox::Sandbox;
use super::token::{CompletedSession, TokenMeaning, TokenRecord};

/// Why the customer cannot do that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CustomerRefusal {
    /// There is no such request here.
    #[error("no Payment Request of this id")]
    Unknown,
    /// The request stands where this act means nothing.
    #[error("the Payment Request is {0}: the customer can no longer {1}")]
    TooLate(PaymentRequestState, &'static str),
    /// Nobody can come back who has not left.
    #[error("the customer has not left the Purchase Journey, and so cannot come back to it")]
    NotLeft,
    /// The one-time code is none, or goes with another act.
    #[error("code: {0}")]
    Code(&'static str),
    /// The payment option goes with another act.
    #[error("payment_option_id goes with the act choose_option")]
    Option,
    /// More is planned already than may be.
    #[error("the customer has {MAX_PLANNED} acts planned already")]
    TooMuchPlanned,
    /// The shipping cannot be chosen, or not so.
    #[error("the shipping cannot be chosen so: {0}")]
    Shipping(String),
}

/// The most acts that a customer has planned with one request.
const MAX_PLANNED: usize = 100;

/// The one-time code that is always wrong (contract `webhooks-and-network-data.md` D).
const WRONG_CODE: &str = "999999";

/// An act and what the customer says with it.
#[derive(Debug, Clone)]
pub(crate) struct CustomerMove {
    pub(crate) act: CustomerAct,
    /// The one-time code.
    pub(crate) code: Option<String>,
    /// Which payment option.
    pub(crate) payment_option_id: Option<String>,
    pub(crate) shipping: ShippingChoice,
}

impl CustomerMove {
    /// An act with nothing beside it.
    pub(crate) fn new(act: CustomerAct) -> Self {
        Self { act, code: None, payment_option_id: None, shipping: ShippingChoice::default() }
    }

    /// What it comes to: approving with the wrong code is entering a wrong code.
    pub(crate) fn meant(&self) -> Result<CustomerAct, CustomerRefusal> {
        if self.payment_option_id.is_some() && self.act != CustomerAct::ChooseOption {
            return Err(CustomerRefusal::Option);
        }
        match self.code.as_deref() {
            None => Ok(self.act),
            Some(_) if self.act != CustomerAct::Approve => {
                Err(CustomerRefusal::Code("goes with the act approve"))
            }
            Some(WRONG_CODE) => Ok(CustomerAct::WrongCode),
            Some(code) if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) => Ok(self.act),
            Some(_) => Err(CustomerRefusal::Code("takes six digits")),
        }
    }
}

impl From<&CustomerStep> for CustomerMove {
    fn from(step: &CustomerStep) -> Self {
        Self { payment_option_id: step.payment_option_id.clone(), ..Self::new(step.act) }
    }
}

/// What the customer of one request is going to do, each act with its time.
pub(crate) type Planned = VecDeque<(Timestamp, CustomerMove)>;

impl Sandbox {
    /// Does what the customer does with the request whose URL carries `uuid`.
    pub(crate) fn act(
        &mut self,
        uuid: Uuid,
        movement: &CustomerMove,
        now: Timestamp,
    ) -> Result<Vec<Effect>, CustomerRefusal> {
        let act = movement.meant()?;
        self.choose_shipping(uuid, act, &movement.shipping)?;
        let effects = self.customer(uuid, act, now)?;
        if let Some(record) = self.request_by_uuid_mut(uuid).filter(|_| !only_looks(act)) {
            record.wrong_code = act == CustomerAct::WrongCode;
        }
        if act == CustomerAct::ChooseOption {
            self.choose_option(uuid, movement.payment_option_id.clone(), now);
        }
        Ok(effects)
    }

    /// Lets the customer act later: each step a while after the one before it.
    pub(crate) fn plan_acts(
        &mut self,
        uuid: Uuid,
        moves: impl IntoIterator<Item = (SignedDuration, CustomerMove)>,
        now: Timestamp,
    ) -> Result<(), CustomerRefusal> {
        let record = self.request_by_uuid_mut(uuid).ok_or(CustomerRefusal::Unknown)?;
        let mut at = now;
        for (after, movement) in moves {
            movement.meant()?;
            if record.planned.len() >= MAX_PLANNED {
                return Err(CustomerRefusal::TooMuchPlanned);
            }
            at = at.checked_add(after).unwrap_or(Timestamp::MAX);
            let behind = record.planned.partition_point(|(due, _)| *due <= at);
            record.planned.insert(behind, (at, movement));
        }
        Ok(())
    }

    /// The earliest planned act.
    pub(super) fn next_planned(&self) -> Option<(Timestamp, Uuid)> {
        let of_request = |record: &super::RequestRecord| Some((record.planned.front()?.0, record.uuid));
        self.requests.values().filter_map(of_request).min()
    }

    /// Does the next act that is planned with a request.
    pub(super) fn act_as_planned(&mut self, uuid: Uuid, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(record) = self.request_by_uuid_mut(uuid) else { return };
        let Some((_, movement)) = record.planned.pop_front() else { return };
        let payment = record.payment.clone();
        let acted = self.act(uuid, &movement, now);
        let refused = acted.as_ref().err().map(ToString::to_string);
        let act = movement.meant().unwrap_or(movement.act);
        effects.push(Effect::ActedAsPlanned { payment, uuid, act, refused });
        effects.extend(acted.into_iter().flatten());
    }

    /// Lays another payment option over a request; the state stays.
    fn choose_option(&mut self, uuid: Uuid, option: Option<String>, now: Timestamp) {
        let option = option.unwrap_or_else(|| self.draw_option_id());
        if let Some(record) = self.request_by_uuid_mut(uuid)
            && record.state == InProgress
        {
            record.payment_option_id = Some(option);
            record.updated_at = now;
        }
    }

    /// Does an act that nothing is said with.
    pub(crate) fn customer(
        &mut self,
        uuid: Uuid,
        act: CustomerAct,
        now: Timestamp,
    ) -> Result<Vec<Effect>, CustomerRefusal> {
        let mut effects = Vec::new();
        if act == CustomerAct::ComeBack {
            self.check_has_left(uuid)?;
        }
        let record = self.request_by_uuid(uuid).ok_or(CustomerRefusal::Unknown)?;
        let (state, has_left) = (record.state.clone(), record.state_reason.is_some());
        match (act, &state) {
            // Looking at a request that is in progress or over changes nothing.
            (act, over) if only_looks(act) && *over != Submitted => {}
            // Nor does doing again what was done.
            (CustomerAct::Approve, Completed)
            | (CustomerAct::Refuse, Declined)
            | (CustomerAct::Leave, Completed | Declined) => {}
            (CustomerAct::Leave, Submitted) if has_left => {}
            (act, Submitted | InProgress) => {
                if state == Submitted {
                    self.move_request(uuid, InProgress, None, now, &mut effects);
                }
                match act {
                    CustomerAct::Approve => self.complete(uuid, now, &mut effects),
                    CustomerAct::Refuse => self.move_request(uuid, Declined, None, now, &mut effects),
                    CustomerAct::Leave => {
                        self.move_request(uuid, Submitted, Some("PURCHASE_FLOW_ABORTED"), now, &mut effects);
                    }
                    // Nothing is decided by these.
                    CustomerAct::Open
                    | CustomerAct::ComeBack
                    | CustomerAct::ChangeNothing
                    | CustomerAct::WrongCode
                    | CustomerAct::ChooseOption => {}
                }
            }
            (act, over) => return Err(CustomerRefusal::TooLate(over.clone(), in_words(act))),
        }
        Ok(effects)
    }

    /// Whether the customer was in the Purchase Journey and left it undecided.
    fn check_has_left(&self, uuid: Uuid) -> Result<(), CustomerRefusal> {
        let record = self.request_by_uuid(uuid).ok_or(CustomerRefusal::Unknown)?;
        let waits = record.state == Submitted && record.state_reason.is_none();
        if waits || record.state == InProgress { Err(CustomerRefusal::NotLeft) } else { Ok(()) }
    }

    /// Issues what completes a request, and moves it.
    pub(super) fn complete(&mut self, uuid: Uuid, now: Timestamp, effects: &mut Vec<Effect>) {
        let wish = self.request_by_uuid(uuid).and_then(|record| record.token_wish.clone());
        let customer_token = wish.map(|wish| self.issue_customer_token(&wish));
        if let Some(record) = self.request_by_uuid_mut(uuid) {
            record.customer_token = customer_token;
            if record.tokenises_only {
                // All was done that was asked for: no final call follows.
                record.finalised = true;
                return self.move_request(uuid, Completed, None, now, effects);
            }
        }
        let (token, older) = self.draw_session_tokens();
        let Some(record) = self.request_by_uuid_mut(uuid) else { return };
        record.tokens = Some((token.clone(), older.clone()));
        let session = CompletedSession {
            request: Some(record.id.clone()),
            approved: Some((record.amount, record.currency.clone())),
            spent: None,
        };
        let expires_at = now.checked_add(SignedDuration::from_mins(TOKEN_LIFE_MINUTES)).ok();
        let known_by = token.clone();
        self.tokens.insert(
            token.clone(),
            TokenRecord { stands_for: TokenMeaning::Completed(Box::new(session)), expires_at },
        );
        self.tokens
            .insert(older.clone(), TokenRecord { stands_for: TokenMeaning::AliasOf(known_by), expires_at });
        effects.push(Effect::TokenIssued(token));
        effects.push(Effect::TokenIssued(older));
        self.move_request(uuid, Completed, None, now, effects);
    }
}

/// Whether an act does nothing but look at the Purchase Journey.
fn only_looks(act: CustomerAct) -> bool {
    matches!(act, CustomerAct::Open | CustomerAct::ComeBack | CustomerAct::ChangeNothing)
}

/// What the customer can no longer do.
fn in_words(act: CustomerAct) -> &'static str {
    match act {
        CustomerAct::Approve => "approve it",
        CustomerAct::Refuse => "refuse it",
        CustomerAct::Leave => "leave it",
        CustomerAct::WrongCode => "enter a code",
        CustomerAct::ChooseOption => "choose a payment option",
        CustomerAct::Open | CustomerAct::ComeBack | CustomerAct::ChangeNothing => "look at it",
    }
}
