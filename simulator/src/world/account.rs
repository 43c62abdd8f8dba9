//! An acquirer account: its keys, its webhooks, and the journal of what has no Partner account.

use std::sync::{Mutex, MutexGuard, PoisonError};

use klarna_schemas::ids::AcquirerAccountId;
use tokio::sync::watch;

use crate::engine::IdSource;
use crate::journal::{Budget, Journal};
use crate::notify::{SigningKeys, Subscriptions};

/// An account and its lock. No sandbox reset touches it.
#[derive(Debug)]
pub(crate) struct AccountCell {
    id: AcquirerAccountId,
    state: Mutex<Account>,
    changed: watch::Sender<u64>,
}

/// What an account holds.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) ids: IdSource,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) journal: Journal,
}

impl AccountCell {
    pub(crate) fn new(id: AcquirerAccountId, seed: u64, budget: Budget) -> Self {
        let account = Account {
            ids: IdSource::new(seed, id.as_str()),
            signing_keys: SigningKeys::default(),
            subscriptions: Subscriptions::default(),
            journal: Journal::new(budget),
        };
        Self { id, state: Mutex::new(account), changed: watch::Sender::new(0) }
    }

    pub(crate) fn id(&self) -> &AcquirerAccountId {
        &self.id
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Account> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells waiting readers that the journal has grown.
    pub(crate) fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
