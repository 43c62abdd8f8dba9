//! Waiting, within limits, for what others learn.

use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::operation::{Operation, Outcome};
use super::payment::Payment;
use super::service::PaymentService;
use crate::store::StoreError;

/// What somebody can wait for.
pub(super) trait Awaited {
    /// The payment whose changes are news about it.
    fn payment_id(&self) -> &str;
}

impl Awaited for Payment {
    fn payment_id(&self) -> &str {
        &self.id
    }
}

impl Awaited for Operation {
    fn payment_id(&self) -> &str {
        &self.payment_id
    }
}

impl PaymentService {
    /// Looks at something until it is as awaited, the time is up, or the server stops.
    pub(super) async fn await_change<T: Awaited, F: Future<Output = Result<Option<T>, StoreError>>>(
        &self,
        mut changes: broadcast::Receiver<String>,
        wait: Duration,
        look: impl Fn() -> F,
        awaited: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, StoreError> {
        let began = Instant::now();
        loop {
            let Some(thing) = look().await? else { return Ok(None) };
            let left = wait.saturating_sub(began.elapsed());
            if awaited(&thing) || left.is_zero() || self.stop.is_cancelled() {
                return Ok(Some(thing));
            }
            let news = async {
                loop {
                    match changes.recv().await {
                        Ok(other) if other != thing.payment_id() => {}
                        Ok(_) | Err(_) => return,
                    }
                }
            };
            tokio::select! {
                // Another process may make the change, so look now and then all the same.
                _ = tokio::time::timeout(left.min(self.settings.outbox.poll), news) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// An operation as soon as Klarna has answered, or the time is up.
    pub(super) async fn await_answer(
        &self,
        changes: broadcast::Receiver<String>,
        operation_id: &str,
    ) -> Result<Option<Operation>, StoreError> {
        let look = || self.store.operation(operation_id);
        let answered = |operation: &Operation| operation.outcome != Outcome::Pending;
        self.await_change(changes, self.settings.create.answer, look, answered).await
    }
}
