//! Asks Klarna how a step-up stands, where no webhook has told it.
//!
//! A webhook can be lost: Klarna gives up after a while, or this server was not there. A payment whose
//! Partner never hears an end must not exist, so as long as the customer has not decided by all that is
//! known here, the payment request is read now and then, and what it says is learnt like an event's
//! word. It is read often enough that a session token which was issued meanwhile is still alive.

use klarna_schemas::klarna::payment_request::PaymentRequestState;

use crate::clock;
use crate::klarna::client::CallError;
use crate::payments::learning::Source;
use crate::payments::payment::{Fact, State};
use crate::payments::service::PaymentService;
use crate::points::{Point, reach};
use crate::store::{Claim, StoreError};

/// Reads the payment request, and learns what it says.
pub async fn run(payments: &PaymentService, claim: &Claim) -> Result<(), StoreError> {
    let payment = payments.store.payment(&claim.subject).await?;
    let open = payment.filter(|payment| payment.state == State::StepUpRequired);
    let Some((payment, request)) = open.and_then(|payment| Some((payment.clone(), payment.request_id?)))
    else {
        return payments.store.finish(claim, clock::now()).await;
    };
    let settings = &payments.settings.reconcile;
    reach(Point::ReadCall);
    let (outcome, learnt) = match payments
        .klarna
        .payment_request(&payment.account, &request, &payment.id)
        .await
    {
        Ok(read) => match (read.state, read.session_token) {
            (Some(PaymentRequestState::Completed), Some(token)) => {
                ("completed", Some((Fact::CustomerApproved(request), Some(token))))
            }
            (Some(PaymentRequestState::Completed), None) => {
                ("completed", Some((Fact::TokenLost(request), None)))
            }
            (Some(PaymentRequestState::Declined), _) => ("declined", Some((Fact::RequestDeclined, None))),
            (Some(PaymentRequestState::Canceled), _) => ("canceled", Some((Fact::RequestCanceled, None))),
            (Some(PaymentRequestState::Expired), _) => ("expired", Some((Fact::RequestExpired, None))),
            _ => ("open", None),
        },
        Err(CallError::TryAgain { reason, .. }) => {
            tracing::warn!(payment_id = payment.id, reason, "how a step-up stands could not be read");
            ("unanswered", None)
        }
        Err(refused @ CallError::Refused { .. }) => {
            tracing::error!(payment_id = payment.id, %refused, "Klarna does not tell how a step-up stands");
            ("refused", None)
        }
    };
    reach(Point::ReadAnswered);
    metrics::counter!("acquirer_reconciliations_total", "outcome" => outcome).increment(1);
    if let Some((fact, token)) = learnt {
        tracing::warn!(
            payment_id = payment.id,
            outcome,
            "no webhook told how the step-up ended; Klarna was asked"
        );
        return payments.learn(claim, payment, &fact, Source { token, ..Source::default() }).await;
    }
    // No request of Klarna's lives longer; whatever it was, it has led to nothing.
    let outlived = clock::now().duration_since(payment.created_at) > settings.longest_life();
    if outlived {
        tracing::error!(
            payment_id = payment.id,
            "Klarna never told how a step-up ended; it is taken for expired"
        );
        return payments.learn(claim, payment, &Fact::RequestExpired, Source::default()).await;
    }
    payments.put_off(claim, settings.every).await
}
