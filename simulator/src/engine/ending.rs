//! Payment Requests that are ended from outside the Purchase Journey (contract `payments.md` 3.1,
//! 3.3).

use jiff::Timestamp;
use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::simulator::control::RequestEnd;

use super::effect::Effect;
use super::sandbox::Sandbox;

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
}
