//! Cancels the payment request of a payment that failed, so that nothing comes of it later (AP-30),
//! and finds out whether something had come of it already.
//!
//! Klarna cancels a request until it is finalised. A refusal therefore means that a final call none
//! of whose answers arrived may have been taken; the same call again (same key, same body) brings
//! that answer. An approval found so late still makes the payment `approved`. A final call that was
//! answered is not repeated, whatever the answer was (AP-37).

use crate::klarna::client::CallError;
use crate::payments::learning::Source;
use crate::payments::payment::{Answer, Fact, Payment};
use crate::payments::service::PaymentService;
use crate::points::{Point, reach};
use crate::store::{Claim, Step, StoreError};
use crate::{chance, clock};

/// What came of a withdrawal.
#[derive(Debug)]
pub enum Withdrawal {
    /// Nothing comes of the request any more, or Klarna has nothing more to say about it.
    Done,
    /// It was too late: here is Klarna's answer to the final call.
    Answered(Answer),
    /// Klarna does not answer.
    NoAnswer {
        /// For the log.
        reason: String,
    },
}

/// Withdraws the payment's request, or learns why that cannot be.
pub async fn withdraw(payments: &PaymentService, payment: &Payment) -> Result<Withdrawal, StoreError> {
    let Some(request) = &payment.request_id else { return Ok(Withdrawal::Done) };
    reach(Point::WithdrawCall);
    let canceled = payments.klarna.cancel_request(&payment.account, request, &payment.id).await;
    reach(Point::WithdrawAnswered);
    match canceled {
        Ok(_) => {
            tracing::info!(payment_id = payment.id, "the payment request was canceled at Klarna");
            return Ok(Withdrawal::Done);
        }
        Err(CallError::TryAgain { reason, .. }) => return Ok(Withdrawal::NoAnswer { reason }),
        Err(refused @ CallError::Refused { .. }) => {
            tracing::warn!(payment_id = payment.id, %refused, "Klarna does not cancel the payment request");
        }
    }
    // The token is kept only while the answer to a final call is still to be had.
    let call = payments.written_call(payment, Step::Final).await?;
    let Some(call) = call.filter(|call| call.session_token.is_some()) else {
        return Ok(Withdrawal::Done);
    };
    Ok(match payments.call_klarna(payment, &call).await {
        Ok(answer) => Withdrawal::Answered(answer),
        Err(CallError::TryAgain { reason, .. }) => Withdrawal::NoAnswer { reason },
        Err(CallError::Refused { .. }) => Withdrawal::Done,
    })
}

/// Goes on with it in the background, after the Partner was told `failed`.
pub async fn run(payments: &PaymentService, claim: &Claim) -> Result<(), StoreError> {
    let Some(payment) = payments.store.payment(&claim.subject).await? else {
        return payments.store.finish(claim, clock::now()).await;
    };
    match withdraw(payments, &payment).await? {
        Withdrawal::Done => payments.store.finish(claim, clock::now()).await,
        Withdrawal::Answered(answer) => {
            payments.learn(claim, payment, &Fact::Final(answer), Source::default()).await
        }
        Withdrawal::NoAnswer { reason } => {
            if let Some(pause) = payments.settings.klarna.withdraw.pause(claim.attempt, chance::jitter()) {
                tracing::warn!(
                    payment_id = payment.id,
                    reason,
                    "the payment request could not be canceled yet"
                );
                return payments.put_off(claim, pause).await;
            }
            tracing::error!(
                payment_id = payment.id,
                reason,
                "gave up canceling a payment request: whether Klarna approved it is not known, look into it"
            );
            payments.store.finish(claim, clock::now()).await
        }
    }
}
