//! An acquirer account: its keys, its webhooks, and the journal of what has no Partner account.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use klarna_schemas::ids::AcquirerAccountId;
use klarna_schemas::klarna::notification::CreateWebhook;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::armed::ArmedFaults;
use super::counted_calls::CountedCalls;
use super::judged::Judged;
use crate::clock::real_now;
use crate::config::{AcquirerSettings, ClientCertificateMode, Misfit};
use crate::engine::{IdSource, KeyedCall, Outcome, UsedKeys};
use crate::journal::Budget;
use crate::notify::{SigningKeys, SubscriptionRefusal, Subscriptions, UrlRules};

/// An account and its lock. No sandbox reset touches it.
#[derive(Debug)]
pub(crate) struct AccountCell {
    id: AcquirerAccountId,
    state: Mutex<Account>,
    changed: watch::Sender<u64>,
    counted_calls: CountedCalls,
}

/// What an account holds.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) ids: IdSource,
    pub(crate) signing_keys: SigningKeys,
    pub(crate) subscriptions: Subscriptions,
    /// Keys of its own calls.
    used_keys: UsedKeys,
    pub(crate) judged: Judged,
    pub(crate) faults: ArmedFaults,
    /// From when calls without a valid client certificate are refused, in real time.
    pub(crate) certificates_enforced_from: Option<Timestamp>,
}

impl Account {
    /// Forgets its idempotency keys: what they had made is forgotten, too.
    pub(crate) fn forget_used_keys(&mut self) {
        self.used_keys = UsedKeys::default();
    }

    /// Whether calls need a valid client certificate at this time.
    pub(crate) fn enforces_certificates(&self, now: Timestamp) -> bool {
        self.certificates_enforced_from.is_some_and(|from| from <= now)
    }

    /// Does what a call asks for, unless its key says that this was done; and what decided then.
    pub(crate) fn once(
        &mut self,
        call: &KeyedCall,
        act: impl FnOnce(&mut Self) -> Outcome,
    ) -> (Outcome, Option<&'static str>) {
        let now = real_now();
        if let Some(repeated) = self.used_keys.repeat(call, now) {
            let by = Some(repeated.by());
            return (repeated.outcome, by);
        }
        let outcome = act(self);
        self.used_keys.remember(call, &outcome, None, now);
        (outcome, None)
    }
}

impl AccountCell {
    pub(crate) fn new(
        id: AcquirerAccountId,
        seed: u64,
        budget: Budget,
        stopping: &CancellationToken,
        certificates: ClientCertificateMode,
    ) -> Self {
        let account = Account {
            ids: IdSource::new(seed, id.as_str()),
            signing_keys: SigningKeys::default(),
            subscriptions: Subscriptions::default(),
            used_keys: UsedKeys::default(),
            judged: Judged::new(budget),
            faults: ArmedFaults::new(stopping.clone()),
            certificates_enforced_from: match certificates {
                ClientCertificateMode::Report => None,
                ClientCertificateMode::Enforce => Some(Timestamp::MIN),
            },
        };
        Self {
            id,
            state: Mutex::new(account),
            changed: watch::Sender::new(0),
            counted_calls: CountedCalls::default(),
        }
    }

    /// An account with what was registered for it before the start; `config::check` has looked at it.
    pub(crate) fn laid_down(
        settings: &AcquirerSettings,
        urls: UrlRules<'_>,
        seed: u64,
        budget: Budget,
        stopping: &CancellationToken,
        certificates: ClientCertificateMode,
    ) -> Result<Self, Misfit> {
        let cell = Self::new(settings.account.clone(), seed, budget, stopping, certificates);
        let mut state = cell.lock();
        let account = &mut *state;
        for (index, key) in settings.signing_keys.iter().enumerate() {
            let laid_down = account.signing_keys.lay_down(key.id.clone(), key.secret.clone(), real_now());
            laid_down.map_err(|full| {
                Misfit::new(format!("signing_keys[{index}]"), full.to_string(), "lay down fewer")
            })?;
        }
        for (index, webhook) in settings.webhooks.iter().enumerate() {
            let asked: CreateWebhook = webhook.clone().into();
            let made = account.subscriptions.create(
                asked,
                &account.signing_keys,
                urls,
                &mut account.ids,
                real_now(),
            );
            let (field, reason, hint) = match made {
                Ok(_) => continue,
                Err(SubscriptionRefusal::Invalid(field, reason)) => {
                    (field, reason, "see `webhooks.allow_http` and `webhooks.strict_urls`")
                }
                Err(SubscriptionRefusal::NoSuchKey(_) | SubscriptionRefusal::NoSuchWebhook(_)) => {
                    let reason = format!("there is no signing key {}", webhook.signing_key_id);
                    ("signing_key_id", reason, "lay the key down in the account's signing_keys")
                }
                Err(SubscriptionRefusal::Duplicate(_)) => {
                    let reason = "another webhook has the same url and event types".to_owned();
                    ("url", reason, "leave one of the two out")
                }
            };
            return Err(Misfit::new(format!("webhooks[{index}].{field}"), reason, hint));
        }
        drop(state);
        Ok(cell)
    }

    pub(crate) fn id(&self) -> &AcquirerAccountId {
        &self.id
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Account> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its calls of the current second, over all Partner accounts.
    pub(crate) fn counted_calls(&self) -> &CountedCalls {
        &self.counted_calls
    }

    /// Tells waiting readers that the journal has grown.
    pub(crate) fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
