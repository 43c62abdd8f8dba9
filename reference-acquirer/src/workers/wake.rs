//! Which work goes together, and how the loops hear of new work.

use tokio::sync::Notify;

use crate::store::{Change, Task};

/// Work that shares a loop and its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What decides payments: it talks to Klarna.
    Payments,
    /// What tells Partners: it talks to their servers, which may be slow or gone.
    Telling,
}

impl Lane {
    /// The tasks of this lane. Every task is in exactly one.
    pub fn tasks(self) -> &'static [Task] {
        match self {
            Self::Payments => &[
                Task::Authorize,
                Task::Event,
                Task::Finalize,
                Task::Operate,
                Task::Reconcile,
                Task::Withdraw,
            ],
            Self::Telling => &[Task::Notify],
        }
    }
}

/// Wakes the loops. A wake while a loop is busy is not lost.
#[derive(Debug, Default)]
pub struct Wake {
    payments: Notify,
    telling: Notify,
}

impl Wake {
    /// There is new work in a lane, or work that was put off.
    pub fn wake(&self, lane: Lane) {
        self.of(lane).notify_one();
    }

    /// A change of a payment was committed: wakes those lanes that it gave work to.
    pub fn wake_for(&self, change: &Change) {
        if change.finalize_with.is_some() || change.reconcile_at.is_some() || change.withdraw {
            self.wake(Lane::Payments);
        }
        if change.notification.is_some() {
            self.wake(Lane::Telling);
        }
    }

    /// Returns when there is.
    pub async fn woken(&self, lane: Lane) {
        self.of(lane).notified().await;
    }

    fn of(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Payments => &self.payments,
            Lane::Telling => &self.telling,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_in_exactly_one_lane() {
        for task in Task::ALL {
            let lanes = [Lane::Payments, Lane::Telling];
            let lanes = lanes.iter().filter(|lane| lane.tasks().contains(&task)).count();
            assert_eq!(lanes, 1, "{}", task.as_str());
        }
    }
}
