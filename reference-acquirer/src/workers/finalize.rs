//! The final call: made once per payment, whoever asked for it and however often.
//!
//! A completed event makes the payment `finalizing`, writes the event's session token beside the
//! final call, and puts one row into the outbox, all in one commit. The row is unique per payment
//! and the state changes once, so a duplicate of the event, or two at once, make no second call;
//! a repetition after a time-out or a crash is the same call with the same key and body (AP-25,
//! AP-26). The customer's return is not needed for any of this (AP-27).

use crate::clock;
use crate::payments::payment::{Fact, State};
use crate::payments::service::PaymentService;
use crate::store::{Claim, Step, StoreError};

/// Makes the final call and learns its answer.
pub async fn run(payments: &PaymentService, claim: &Claim) -> Result<(), StoreError> {
    let payment = payments.store.payment(&claim.subject).await?;
    let Some(payment) = payment.filter(|payment| payment.state == State::Finalizing) else {
        return payments.store.finish(claim, clock::now()).await;
    };
    let Some(answer) = payments.ask_klarna(claim, &payment, Step::Final).await? else {
        return Ok(());
    };
    payments.learn(claim, &payment.id, &Fact::Final(answer), None).await
}
