//! The one way in which a payment changes: somebody learns a fact about it.

use jiff::Timestamp;
use secrecy::SecretString;

use super::history::{Cause, HistoryEntry};
use super::payment::{Fact, Payment, State};
use super::service::PaymentService;
use crate::clock;
use crate::points::{Point, reach};
use crate::store::{Change, Claim, Settled, StoreError};

/// What came with a fact, and where it came from.
#[derive(Debug, Default)]
pub struct Source {
    /// The token for the final call.
    pub token: Option<SecretString>,
    /// The event that brought the fact.
    pub event_id: Option<String>,
    /// Klarna's name for the exchange that led to the event.
    pub correlation_id: Option<String>,
    /// The cause for the history, where the fact does not tell it.
    pub cause: Option<Cause>,
}

impl PaymentService {
    /// The state machine decides, and the new state, the final call or notification that follows from it,
    /// and the end of the claim commit together.
    ///
    /// `payment` is as it was read before; if somebody has changed it since, it is read again.
    pub async fn learn(
        &self,
        claim: &Claim,
        payment: Payment,
        fact: &Fact,
        source: Source,
    ) -> Result<(), StoreError> {
        let mut payment = payment;
        let mut is_fresh = false;
        loop {
            let now = clock::now();
            if let Some(next) = payment.after(fact.clone()) {
                let change = self.change(&payment, next, fact, &source, now);
                match self.store.settle(claim, &change, now).await? {
                    Settled::Done => {
                        self.has_changed(claim, payment.state, &change);
                        return Ok(());
                    }
                    // Somebody else was quicker: look again, and let the machine decide anew.
                    Settled::Overtaken => {}
                    Settled::LeaseLost => {
                        tracing::warn!(payment_id = payment.id, "the lease ran out; somebody else goes on");
                        return Ok(());
                    }
                }
            } else if is_fresh {
                log_old_news(&payment, fact);
                break;
            }
            let Some(read) = self.store.payment(&payment.id).await? else { break };
            payment = read;
            is_fresh = true;
        }
        self.store.finish(claim, clock::now()).await
    }

    /// What is to be committed for a payment to be as it is `next`.
    fn change(
        &self,
        payment: &Payment,
        next: Payment,
        fact: &Fact,
        source: &Source,
        now: Timestamp,
    ) -> Change {
        let approved_now = next.state == State::Finalizing && payment.state != State::Finalizing;
        Change {
            finalize_with: source.token.clone().filter(|_| approved_now),
            notification: next.reached_outcome_since(payment).then(|| self.notification(&next)).flatten(),
            reconcile_at: (next.state == State::StepUpRequired && payment.state != next.state)
                .then(|| clock::after(self.settings.reconcile.first)),
            withdraw: next.left_a_request_since(payment, fact),
            // Without an answer the final call may have to be repeated even now.
            forget_tokens: next.state.is_outcome() && *fact != Fact::Unanswered,
            entry: HistoryEntry {
                klarna_event_id: source.event_id.clone(),
                klarna_correlation_id: fact
                    .correlation_id()
                    .map(str::to_owned)
                    .or_else(|| source.correlation_id.clone()),
                ..HistoryEntry::of_payment(&next, source.cause.unwrap_or_else(|| fact.cause()), now)
            },
            payment: next,
        }
    }

    /// A change is committed: whoever waits for it, or has work by it, hears of it.
    fn has_changed(&self, claim: &Claim, before: State, change: &Change) {
        Point::kept(claim.task).into_iter().for_each(reach);
        let (payment_id, state) = (&change.payment.id, change.payment.state);
        tracing::info!(payment_id, before = before.as_str(), now = state.as_str(), "payment changed");
        metrics::counter!("acquirer_payment_changes_total", "state" => state.as_str()).increment(1);
        self.work.wake_for(change);
        // Nobody waiting is no error.
        let _ = self.changes.send(payment_id.clone());
    }
}

fn log_old_news(payment: &Payment, fact: &Fact) {
    let (payment_id, state) = (&payment.id, payment.state.as_str());
    if fact.is_approval() && payment.state != State::Approved {
        tracing::error!(payment_id, state, "Klarna approved what had ended otherwise: look into it");
    } else {
        tracing::info!(payment_id, state, "old news about a payment");
    }
}
