//! What the customer does in the Purchase Journey, and what that changes.

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::klarna::payment_request::PaymentRequestState::{
    Completed, Declined, InProgress, Submitted,
};
use klarna_schemas::simulator::control::CustomerAct;
use uuid::Uuid;

use super::effect::Effect;
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
    #[error("the Payment Request is {0}: the customer can no longer {1} it")]
    TooLate(PaymentRequestState, &'static str),
    /// The shipping cannot be chosen, or not so.
    #[error("the shipping cannot be chosen so: {0}")]
    Shipping(String),
}

impl Sandbox {
    /// Does what the customer does with the request whose URL carries `uuid`.
    pub(crate) fn customer(
        &mut self,
        uuid: Uuid,
        act: CustomerAct,
        now: Timestamp,
    ) -> Result<Vec<Effect>, CustomerRefusal> {
        let mut effects = Vec::new();
        let state = self.request_by_uuid(uuid).ok_or(CustomerRefusal::Unknown)?.state.clone();
        match (act, &state) {
            (CustomerAct::Open, Submitted) => self.move_request(uuid, InProgress, None, now, &mut effects),
            // Looking at a request that is in progress or over changes nothing; so does doing again
            // what was done.
            (CustomerAct::Open, _)
            | (CustomerAct::Approve, Completed)
            | (CustomerAct::Refuse, Declined)
            | (CustomerAct::Leave, Submitted | Completed | Declined) => {}
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
                    CustomerAct::Open => {}
                }
            }
            (act, over) => return Err(CustomerRefusal::TooLate(over.clone(), act.as_str())),
        }
        Ok(effects)
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
