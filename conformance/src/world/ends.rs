//! Payment Requests that end by themselves: canceled at Klarna's side, or expired.

use jiff::SignedDuration;
use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::simulator::control::{RequestEnd, SetClock};

use super::World;
use super::failure::Failure;

/// Longer than a Payment Request lives, which is 3 h (contract, decisions), and than the longest that
/// an acquirer may choose, which is 48 h.
const TOO_LONG: SignedDuration = SignedDuration::from_hours(49);

impl World {
    /// The Payment Request of the payment.
    ///
    /// # Errors
    /// When Klarna made none.
    pub(super) async fn request_id(&mut self) -> Result<PaymentRequestId, Failure> {
        let id = self.initial_call().await?.payment_request_id();
        id.map(PaymentRequestId)
            .ok_or_else(|| Failure::NothingToJudge("Klarna made no payment request".to_owned()))
    }

    /// Lets Klarna cancel the Payment Request.
    ///
    /// # Errors
    /// When its state does not allow it.
    pub async fn klarna_cancels(&mut self) -> Result<(), Failure> {
        let id = self.request_id().await?;
        self.fenced = false;
        self.run.control.end_payment_request(self.account(), &id, RequestEnd::Cancel).await?;
        Ok(())
    }

    /// Moves Klarna's clock until the Payment Request has expired.
    ///
    /// # Errors
    /// When the clock cannot be moved.
    pub async fn let_expire(&mut self) -> Result<(), Failure> {
        self.request_id().await?;
        self.fenced = false;
        self.run.control.set_clock(self.account(), &SetClock::Advance(TOO_LONG)).await?;
        self.payment_mut()?.expired = true;
        Ok(())
    }
}
