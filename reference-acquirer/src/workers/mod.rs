//! Goes on with what is not finished: rows of the outbox, claimed with a lease.
//!
//! Two loops claim what is due and start a task for each row: one for the payments themselves, one
//! for telling Partners, so that a Partner who does not listen holds up no payment. A loop is woken
//! when there is new work, and looks by itself when a retry becomes due, and now and then: for rows
//! whose owner fell silent. A task that fails with a database error leaves its row to the lease.

pub mod finalize;
pub mod notify;
pub mod reconcile;
mod wake;
pub mod withdraw;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use self::notify::Notifier;
pub use self::wake::{Lane, Wake};
use crate::clock;
use crate::payments::service::PaymentService;
use crate::store::{Claim, Lease, Task};

/// How soon to look again for rows that were due and could not be claimed: another process is taking
/// them, or the database fails.
const PASSED_BY: Duration = Duration::from_millis(20);

/// The loops and what their tasks need.
#[derive(Debug, Clone)]
pub struct Workers {
    /// Payments.
    pub payments: Arc<PaymentService>,
    /// Partners' ears.
    pub notifier: Arc<Notifier>,
}

impl Workers {
    /// Runs until told to stop; tasks under way are the tracker's.
    pub async fn run(self) {
        tokio::join!(self.run_lane(Lane::Payments), self.run_lane(Lane::Telling));
    }

    async fn run_lane(&self, lane: Lane) {
        let payments = &self.payments;
        let outbox = &payments.settings.outbox;
        let permits = Arc::new(Semaphore::new(outbox.concurrency));
        while !payments.stop.is_cancelled() {
            let permit = tokio::select! {
                permit = Arc::clone(&permits).acquire_owned() => permit,
                () = payments.stop.cancelled() => return,
            };
            let Ok(permit) = permit else { return };
            // Read first: most looks find nothing, and a claim is a commit.
            let pause = self.pause(lane).await;
            if !pause.is_zero() {
                drop(permit);
                self.rest(lane, pause).await;
                continue;
            }
            let limit = 1 + permits.available_permits();
            let lease = Lease { owner: payments.owner.clone(), until: clock::after(outbox.lease) };
            let claimed = payments.store.claim(&lease, clock::now(), limit, lane.tasks()).await;
            let claims = claimed.unwrap_or_else(|error| {
                tracing::error!(%error, "the outbox cannot be read");
                Vec::new()
            });
            if claims.is_empty() {
                drop(permit);
                self.rest(lane, PASSED_BY).await;
                continue;
            }
            let mut permit = Some(permit);
            for claim in claims {
                // Nobody else takes permits, so there is one for each claim.
                let permit = permit.take().or_else(|| Arc::clone(&permits).try_acquire_owned().ok());
                let workers = self.clone();
                payments.tasks.spawn(async move {
                    workers.work_on(&claim).await;
                    drop(permit);
                });
            }
        }
    }

    /// Waits until there is work, the time is up, or the server stops.
    async fn rest(&self, lane: Lane, pause: Duration) {
        let woken = self.payments.work.woken(lane);
        tokio::select! {
            _ = tokio::time::timeout(pause, woken) => {}
            () = self.payments.stop.cancelled() => {}
        }
    }

    /// How long there is nothing to do: until the next row becomes due, and never longer than the
    /// settings say, as another process may have written a row.
    async fn pause(&self, lane: Lane) -> Duration {
        let poll = self.payments.settings.outbox.poll;
        match self.payments.store.next_due(lane.tasks()).await {
            Ok(Some(due)) => poll.min(clock::until(due)),
            Ok(None) => poll,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                poll
            }
        }
    }

    async fn work_on(&self, claim: &Claim) {
        let result = match claim.task {
            Task::Authorize => self.payments.authorize(claim).await,
            Task::Event => self.payments.act_on_event(claim).await,
            Task::Finalize => finalize::run(&self.payments, claim).await,
            Task::Operate => self.payments.perform(claim).await,
            Task::Notify => self.notifier.run(claim).await,
            Task::Reconcile => reconcile::run(&self.payments, claim).await,
            Task::Withdraw => withdraw::run(&self.payments, claim).await,
        };
        if let Err(error) = result {
            tracing::error!(%error, task = claim.task.as_str(), "open work could not be settled; it will be taken up again");
        }
    }
}
