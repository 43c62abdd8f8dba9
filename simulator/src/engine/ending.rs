//! Payment Requests, and tokens, that are ended from outside the Purchase Journey (contract `payments.md`
//! 3.1, 3.3).

use jiff::Timestamp;
use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::simulator::control::RequestEnd;

use super::effect::{Effect, Refusal};
use super::sandbox::Sandbox;
use super::token::TokenMeaning;

/// Why a Payment Request cannot be ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndRefusal {
    /// There is no such request here.
    #[error("no Payment Request of this id")]
    Unknown,
    /// It has ended already.
    #[error("is {0}: it has ended already")]
    Over(PaymentRequestState),
    /// The final authorize was decided: the transaction carries on.
    #[error("is COMPLETED and its authorization is finalised")]
    Finalised,
}

impl Sandbox {
    /// Ends a request. Its session token, if it has one, dies with it: no final call is missed then.
    pub(crate) fn end_request(
        &mut self,
        id: &PaymentRequestId,
        how: RequestEnd,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Effect>, EndRefusal> {
        use PaymentRequestState::{Canceled, Completed, Expired, InProgress, Submitted};
        let record = self.request(id).ok_or(EndRefusal::Unknown)?;
        match &record.state {
            Completed if record.finalised => return Err(EndRefusal::Finalised),
            Submitted | InProgress | Completed => {}
            over => return Err(EndRefusal::Over(over.clone())),
        }
        let uuid = record.uuid;
        let state = match how {
            RequestEnd::Cancel => Canceled,
            RequestEnd::Expire => Expired,
        };
        let mut effects = Vec::new();
        self.move_request(uuid, state, reason, now, &mut effects);
        Ok(effects)
    }

    /// Cancels a token under any of its names, unless a final call has used it. The Payment Request that
    /// it ends is canceled with it: without its token nothing could finalise it. All but the operation
    /// itself is inferred.
    pub(crate) fn cancel_token(
        &mut self,
        token: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Vec<Effect>, Refusal> {
        let gone = || Refusal::NotFound("no such payment token, or no longer".to_owned());
        let (name, record) = self.resolve_token(token);
        let (name, record) = (name.to_owned(), record.ok_or_else(gone)?);
        if let TokenMeaning::Completed(session) = &record.stands_for {
            if session.spent.is_some() {
                let why = "the payment token was used for a final authorize".to_owned();
                return Err(Refusal::Conflict(why));
            }
            if record.expires_at.is_some_and(|at| now >= at) {
                return Err(gone());
            }
            if let Some(id) = session.request.clone() {
                return self.end_request(&id, RequestEnd::Cancel, Some(reason), now).map_err(|_| gone());
            }
        }
        self.tokens.remove(&name);
        Ok(Vec::new())
    }

    /// The payment that a token belongs to, if it belongs to one.
    pub(crate) fn payment_of_token(&self, token: &str) -> Option<String> {
        match &self.resolve_token(token).1?.stands_for {
            TokenMeaning::Completed(session) => {
                Some(self.request(session.request.as_ref()?)?.payment.clone())
            }
            _ => None,
        }
    }
}
