//! The final call: made once per payment, whoever asked for it and however often.
//!
//! A completed event makes the payment `finalizing`, writes the event's session token beside the
//! final call, and puts one row into the outbox, all in one commit. The row is unique per payment
//! and the state changes once, so a duplicate of the event, or two at once, make no second call;
//! a repetition after a time-out or a crash is the same call with the same key and body (AP-25,
//! AP-26). The customer's return is not needed for any of this (AP-27).
//!
//! Giving up is not the end of the truth: Klarna may have approved and only the answers were lost.
//! So the request is withdrawn first, which Klarna does only as long as it has not approved.

use super::withdraw::{Withdrawal, withdraw};
use crate::clock;
use crate::payments::calls::Asked;
use crate::payments::learning::Source;
use crate::payments::payment::{Fact, State};
use crate::payments::service::PaymentService;
use crate::store::{Claim, Step, StoreError};

/// Makes the final call and learns its answer.
pub async fn run(payments: &PaymentService, claim: &Claim) -> Result<(), StoreError> {
    let payment = payments.store.payment(&claim.subject).await?;
    let Some(payment) = payment.filter(|payment| payment.state == State::Finalizing) else {
        return payments.store.finish(claim, clock::now()).await;
    };
    let call = payments.written_call(&payment, Step::Final).await?;
    let fact = match payments.ask_klarna(claim, &payment, call.as_ref()).await? {
        Asked::Answered(answer) => Fact::Final(answer),
        Asked::Postponed => return Ok(()),
        Asked::GaveUp => match withdraw(payments, &payment).await? {
            Withdrawal::Answered(answer) => Fact::Final(answer),
            Withdrawal::Done => Fact::Withdrawn,
            // The Partner has waited long enough; `withdraw::run` goes on.
            Withdrawal::NoAnswer { .. } => Fact::Unanswered,
        },
    };
    payments.learn(claim, payment, &fact, Source::default()).await
}
