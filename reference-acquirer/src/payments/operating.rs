//! Cancels, captures, refunds and voids, from a Partner's request to Klarna's answer.
//!
//! As with a payment: operation, Klarna call and open work commit together, only then is Klarna
//! called, and every repetition is the same call. The Partner waits a while for the answer and is
//! notified of it in any case.

use std::sync::Arc;

use secrecy::SecretString;

use super::history::{Cause, HistoryEntry, is_name};
use super::operation::{
    AskedOperation, Failure, FailureReason, Kind, MOST_OF_A_KIND, Operation, Outcome, Target,
};
use super::payment::{Fact, Payment};
use super::service::PaymentService;
use super::view;
use crate::klarna::client::{CallError, operation_idempotency_key};
use crate::points::{Point, reach};
use crate::store::{
    Claim, Lease, NewOperation, Notification, OperationCall, OperationChange, OperationCreated, Settled,
    StoreError,
};
use crate::workers::Lane;
use crate::{chance, clock};

/// What became of a Partner's wish.
#[derive(Debug)]
pub enum OperateOutcome {
    /// A new operation.
    Made(Operation),
    /// The same was asked before, or is under way: the operation that it made.
    Repeated(Operation),
    /// The Partner used the reference for another amount.
    ReferenceTaken(String),
    /// The payment is in no state for it.
    WrongState,
    /// Klarna takes no more of this kind for one payment.
    TooMany,
}

impl PaymentService {
    /// Does something with a payment. `id` names the operation if it turns out to be a new one.
    pub async fn operate(
        self: &Arc<Self>,
        payment: &Payment,
        asked: &AskedOperation,
        id: String,
    ) -> Result<OperateOutcome, StoreError> {
        let earlier = self.store.operations(&payment.id).await?;
        if let Some(same) = earlier.iter().find(|earlier| asked.is_named_as(earlier, &id)) {
            return self.repeated(same.clone(), asked).await;
        }
        // A cancel may have ended between the caller's look at the payment and ours at its operations.
        let now = if earlier.is_empty() { None } else { self.store.payment(&payment.id).await? };
        let reference = asked.reference_after(&earlier, &id);
        let Some(new) = self.new_operation(now.as_ref().unwrap_or(payment), asked, id, reference) else {
            return Ok(OperateOutcome::WrongState);
        };
        if earlier.iter().filter(|earlier| earlier.kind == asked.kind).count() >= MOST_OF_A_KIND {
            return Ok(OperateOutcome::TooMany);
        }
        reach(Point::OperationAsked);
        let claim = match self.store.create_operation(&new).await? {
            OperationCreated::Stored(claim) => claim,
            OperationCreated::Exists(operation) => return self.repeated(*operation, asked).await,
        };
        reach(Point::OperationStored);
        // On its own, so that a Partner who hangs up cannot break it off.
        let changes = self.changes.subscribe();
        let service = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(error) = service.perform(&claim).await {
                tracing::error!(operation_id = claim.subject, %error, "an operation could not be settled yet");
            }
        });
        let operation = self.await_answer(changes, &new.operation.id).await?;
        Ok(OperateOutcome::Made(operation.unwrap_or(new.operation)))
    }

    /// Tells the same wish from another one under the same reference.
    async fn repeated(
        &self,
        operation: Operation,
        asked: &AskedOperation,
    ) -> Result<OperateOutcome, StoreError> {
        if operation.amount != asked.amount {
            return Ok(OperateOutcome::ReferenceTaken(operation.reference));
        }
        let answered = self.await_answer(self.changes.subscribe(), &operation.id).await?;
        Ok(OperateOutcome::Repeated(answered.unwrap_or(operation)))
    }

    /// The call to Klarna. The worker comes here too, after a failure or a restart.
    pub async fn perform(&self, claim: &Claim) -> Result<(), StoreError> {
        let operation = self.store.operation(&claim.subject).await?;
        let Some(operation) = operation.filter(|operation| operation.outcome == Outcome::Pending) else {
            return self.store.finish(claim, clock::now()).await;
        };
        let call = self.store.operation_call(&operation.id).await?;
        let payment = self.store.payment(&operation.payment_id).await?;
        let (Some(call), Some(payment)) = (call, payment) else {
            tracing::error!(operation_id = operation.id, "a call was never written down");
            return self.store.finish(claim, clock::now()).await;
        };
        reach(Point::OperationCall);
        let asked = match &call.target {
            Target::Request(request) => {
                self.klarna.cancel_request(&payment.account, request, &payment.id).await.map(|id| (None, id))
            }
            Target::Transaction(transaction) => {
                self.klarna.operate(operation.kind, &payment.account, transaction, &call).await
            }
        };
        reach(Point::OperationAnswered);
        let (outcome, correlation_id) = match asked {
            Ok((klarna_id, correlation_id)) => {
                (Outcome::Succeeded { klarna_id: klarna_id.filter(|id| is_name(id)) }, correlation_id)
            }
            Err(CallError::Refused { code, correlation_id, .. }) => (
                Outcome::Failed(Failure {
                    reason: FailureReason::Refused,
                    klarna_error_code: code.filter(|code| is_name(code)),
                }),
                correlation_id,
            ),
            Err(CallError::TryAgain { reason, not_before }) => {
                if let Some(pause) = self.settings.klarna.operations.pause(claim.attempt, chance::jitter()) {
                    tracing::warn!(operation_id = operation.id, reason, "will call Klarna again");
                    return self.put_off(claim, not_before.saturating_add(pause)).await;
                }
                tracing::error!(
                    operation_id = operation.id,
                    reason,
                    "gave up an operation: whether Klarna did it is not known, look into it"
                );
                (
                    Outcome::Failed(Failure { reason: FailureReason::Unanswered, klarna_error_code: None }),
                    None,
                )
            }
        };
        self.settle_operation(claim, Operation { outcome, ..operation }, correlation_id).await
    }

    /// Operation, the payment that it may end, what the Partner is told and the end of the claim
    /// commit together.
    async fn settle_operation(
        &self,
        claim: &Claim,
        operation: Operation,
        correlation_id: Option<String>,
    ) -> Result<(), StoreError> {
        let ends_the_payment =
            operation.kind == Kind::Cancel && matches!(operation.outcome, Outcome::Succeeded { .. });
        while let Some(payment) = self.store.payment(&operation.payment_id).await? {
            let now = clock::now();
            let operation = Operation { updated_at: now, ..operation.clone() };
            // Klarna's own event may have been quicker.
            let canceled = ends_the_payment.then(|| payment.after(Fact::RequestCanceled)).flatten();
            let told = [
                self.told(&payment.partner, &payment.id, || view::operation_body(&operation, &payment, now)),
                canceled.as_ref().and_then(|payment| self.notification(payment)),
            ];
            let unanswered = matches!(&operation.outcome, Outcome::Failed(failure) if failure.reason == FailureReason::Unanswered);
            let cause = if unanswered { Cause::Unanswered } else { Cause::KlarnaAnswered };
            let entries = [
                Some(HistoryEntry::of_operation(&operation, cause, now)),
                canceled.as_ref().map(|it| HistoryEntry::of_payment(it, Cause::RequestCanceled, now)),
            ];
            let change = OperationChange {
                entries: entries
                    .into_iter()
                    .flatten()
                    .map(|entry| HistoryEntry { klarna_correlation_id: correlation_id.clone(), ..entry })
                    .collect(),
                operation,
                payment: canceled,
                notifications: told.into_iter().flatten().collect(),
            };
            match self.store.settle_operation(claim, &change, now).await? {
                Settled::Done => {
                    reach(Point::OperationKept);
                    let operation = change.operation;
                    let (kind, status) = (operation.kind.as_str(), operation.outcome.status());
                    tracing::info!(
                        payment_id = payment.id,
                        operation_id = operation.id,
                        kind,
                        status,
                        "operation ended"
                    );
                    metrics::counter!("acquirer_operations_total", "kind" => kind, "status" => status)
                        .increment(1);
                    if !change.notifications.is_empty() {
                        self.work.wake(Lane::Telling);
                    }
                    // Nobody waiting is no error.
                    let _ = self.changes.send(payment.id);
                    return Ok(());
                }
                Settled::Overtaken => {}
                Settled::LeaseLost => {
                    tracing::warn!(
                        operation_id = change.operation.id,
                        "the lease ran out; somebody else goes on"
                    );
                    return Ok(());
                }
            }
        }
        self.store.finish(claim, clock::now()).await
    }

    fn new_operation(
        &self,
        payment: &Payment,
        asked: &AskedOperation,
        id: String,
        reference: String,
    ) -> Option<NewOperation> {
        let now = clock::now();
        Some(NewOperation {
            call: OperationCall {
                target: payment.target_of(asked.kind)?,
                payment_id: payment.id.clone(),
                idempotency_key: operation_idempotency_key(&payment.id, &id),
                body: asked.klarna_body(&reference).map(SecretString::from),
            },
            lease: Lease { owner: self.owner.clone(), until: clock::after(self.settings.outbox.lease) },
            operation: Operation {
                id,
                payment_id: payment.id.clone(),
                kind: asked.kind,
                reference,
                amount: asked.amount,
                outcome: Outcome::Pending,
                created_at: now,
                updated_at: now,
            },
        })
    }

    /// What a Partner is told, if it has ears.
    pub(super) fn told(
        &self,
        partner: &str,
        payment_id: &str,
        body: impl FnOnce() -> String,
    ) -> Option<Notification> {
        let partner = self.settings.partners.iter().find(|known| known.name == partner)?;
        self.settings.notification_url(partner)?;
        Some(Notification {
            id: chance::new_id("msg"),
            payment_id: payment_id.to_owned(),
            partner: partner.name.clone(),
            body: body(),
        })
    }
}
