//! Asking Klarna on a payment's behalf, so often and no more.

use std::time::Duration;

use klarna_schemas::klarna::webhook::PaymentRequestPayload;
use secrecy::SecretString;

use super::payment::{Answer, Payment};
use super::service::PaymentService;
use crate::klarna::client::CallError;
use crate::points::{Point, reach};
use crate::store::{Claim, KlarnaCall, Step, StoreError};
use crate::workers::Lane;
use crate::{chance, clock};

/// What came of looking for a session token.
#[derive(Debug)]
pub enum Token {
    /// Here it is.
    Known(SecretString),
    /// It could not be read yet; the event waits for another attempt.
    Postponed,
    /// It is not to be had.
    Lost,
}

/// What came of asking Klarna.
#[derive(Debug)]
pub enum Asked {
    /// Klarna has decided, or refuses to: then the answer is [`super::payment::Decision::Unusable`].
    Answered(Answer),
    /// No answer yet; the call will be repeated, the same in key and body.
    Postponed,
    /// No answer, and this was the last attempt.
    GaveUp,
}

impl PaymentService {
    /// The token for the final call: from the event, or else read from the payment request
    /// (AP-20).
    pub(super) async fn session_token(
        &self,
        claim: &Claim,
        payment: &Payment,
        payload: &PaymentRequestPayload,
    ) -> Result<Token, StoreError> {
        if let Some(token) = payload.session_token() {
            return Ok(Token::Known(SecretString::from(token)));
        }
        tracing::warn!(
            payment_id = payment.id,
            "a completed event without a session token; reading the request"
        );
        let read =
            self.klarna.payment_request(&payment.account, &payload.payment_request_id, &payment.id).await;
        let not_before = match read.map(|standing| standing.session_token) {
            Ok(Some(token)) => return Ok(Token::Known(token)),
            Ok(None) => Some(Duration::ZERO),
            Err(CallError::TryAgain { not_before, .. }) => Some(not_before),
            Err(CallError::Refused { .. }) => None,
        };
        let postponed = match not_before {
            Some(not_before) => self.postpone(claim, not_before).await?,
            None => false,
        };
        if postponed {
            return Ok(Token::Postponed);
        }
        tracing::error!(payment_id = payment.id, "no session token, so no final call");
        Ok(Token::Lost)
    }

    /// One of the payment's calls as it was written down before anything was done; that there is none
    /// is logged.
    pub async fn written_call(
        &self,
        payment: &Payment,
        step: Step,
    ) -> Result<Option<KlarnaCall>, StoreError> {
        let call = self.store.klarna_call(&payment.id, step).await?;
        if call.is_none() {
            tracing::error!(payment_id = payment.id, step = step.as_str(), "a call was never written down");
        }
        Ok(call)
    }

    /// Makes one of the payment's calls. Without one Klarna has nothing to say.
    pub async fn ask_klarna(
        &self,
        claim: &Claim,
        payment: &Payment,
        call: Option<&KlarnaCall>,
    ) -> Result<Asked, StoreError> {
        let Some(call) = call else { return Ok(Asked::Answered(Answer::unusable())) };
        let step_name = call.step.as_str();
        match self.call_klarna(payment, call).await {
            Ok(answer) => Ok(Asked::Answered(answer)),
            Err(CallError::TryAgain { reason, not_before }) => {
                if self.postpone(claim, not_before).await? {
                    tracing::warn!(payment_id = payment.id, step_name, reason, "will call Klarna again");
                    return Ok(Asked::Postponed);
                }
                tracing::error!(payment_id = payment.id, step_name, reason, "gave up calling Klarna");
                Ok(Asked::GaveUp)
            }
            Err(CallError::Refused { status, code, correlation_id }) => {
                let status = status.as_u16();
                tracing::error!(payment_id = payment.id, step_name, status, code, "Klarna refused a call");
                Ok(Asked::Answered(Answer { correlation_id, ..Answer::unusable() }))
            }
        }
    }

    /// One of the payment's calls, once more or for the first time: always the same key and bytes.
    pub async fn call_klarna(&self, payment: &Payment, call: &KlarnaCall) -> Result<Answer, CallError> {
        reach(Point::call(call.step));
        let answered = self.klarna.authorize(&payment.account, call).await;
        reach(Point::answered(call.step));
        answered
    }

    /// Gives a claim back for another attempt, unless this was the last.
    async fn postpone(&self, claim: &Claim, not_before: Duration) -> Result<bool, StoreError> {
        let Some(pause) = self.settings.klarna.retry.pause(claim.attempt, chance::jitter()) else {
            return Ok(false);
        };
        self.put_off(claim, not_before.saturating_add(pause)).await?;
        Ok(true)
    }

    /// Gives a claim back until later. The workers hear of it: that may be before they look again.
    pub async fn put_off(&self, claim: &Claim, pause: Duration) -> Result<(), StoreError> {
        self.store.postpone(claim, clock::after(pause)).await?;
        self.work.wake(Lane::Payments);
        Ok(())
    }
}
