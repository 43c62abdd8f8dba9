//! The world: acquirer accounts and sandboxes. The only place that holds locks.
//!
//! A lock is never held over an `.await`.

mod account;
mod armed;
mod counted_calls;
mod followed_rules;
mod judged;
mod moved_clock;
mod sandbox_cell;
mod sending;
mod snapshots;
mod tally;
mod written_down;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId};
use klarna_schemas::simulator::journal::Ending;
use klarna_schemas::simulator::rules::RulesFileView;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub(crate) use account::{Account, AccountCell};
pub(crate) use armed::Met;
pub(crate) use counted_calls::{Level, LevelStanding, Standing, count};
use followed_rules::FollowedRules;
pub(crate) use moved_clock::MoveRefusal;
pub(crate) use sandbox_cell::SandboxCell;
pub(crate) use sending::{After, Answered, answer_and_events, answer_behind_events};
pub use tally::{Tallied, Tally};

use self::judged::Judged;
use crate::authority::Authority;
use crate::behaviour::rules::Rules;
use crate::clock;
use crate::config::{self, ConfigError, Settings, UnknownAccounts};
use crate::engine::{IdSource, Policies};
use crate::journal::{Budget, Exchange};
use crate::notify::Courier;
use crate::rulebook::ApiCall;

/// How often the rules file is looked at: file systems that are mounted into containers tell nobody of
/// changes, so it is asked for them.
const LOOK_AT_RULES: Duration = Duration::from_millis(250);

/// Everything that a running simulator knows.
#[derive(Debug)]
pub(crate) struct World {
    settings: Settings,
    policies: Policies,
    seed: u64,
    budget: Budget,
    pub(crate) courier: Courier,
    /// Who issues client certificates, and vouches for the simulator over TLS.
    pub(crate) authority: Authority,
    /// What was found since the start.
    pub(crate) tally: Arc<Tally>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
    accounts: Mutex<HashMap<AcquirerAccountId, Arc<AccountCell>>>,
    sandboxes: Mutex<HashMap<PartnerAccountId, Arc<SandboxCell>>>,
    /// Which sandbox a Purchase Journey or a token belongs to.
    journeys: Mutex<HashMap<Uuid, PartnerAccountId>>,
    tokens: Mutex<HashMap<String, PartnerAccountId>>,
    /// Partners' own keys: what each opens.
    partner_keys: Mutex<HashMap<String, PartnerAccountId>>,
    /// The rules file.
    rules: FollowedRules,
    /// What nobody's key opened: unknown paths, refused calls.
    lobby: Mutex<Judged>,
    lobby_changed: watch::Sender<u64>,
    errors: AtomicU64,
    /// What it serves, as it describes itself.
    pub(crate) document: OnceLock<serde_json::Value>,
}

/// Why a Partner account cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountRefusal {
    /// No such Partner account, and none may be made.
    Unknown,
    /// It belongs to another acquirer account.
    Foreign,
    /// There are as many sandboxes as there may be.
    Full,
}

impl World {
    pub(crate) fn new(
        settings: Settings,
        public_base: &str,
        courier: Courier,
        authority: Authority,
    ) -> Result<Arc<Self>, ConfigError> {
        let seed = settings.seed;
        let budget = Budget::new(settings.limits.journal_bytes);
        let stopping = CancellationToken::new();
        config::check(&settings)?;
        config::check_guard(&settings)?;
        // Configured accounts are there from the start, so that their journals can be awaited.
        let configured = settings.acquirers.iter().enumerate().map(|(index, acquirer)| {
            let cell = AccountCell::laid_down(
                acquirer,
                (&settings.webhooks).into(),
                seed,
                budget.clone(),
                &stopping,
                settings.tls.client_certificates,
            )
            .map_err(|misfit| misfit.of(&settings, index))?;
            Ok((acquirer.account.clone(), Arc::new(cell)))
        });
        let accounts = Mutex::new(configured.collect::<Result<_, ConfigError>>()?);
        let world = Self {
            policies: policies(&settings, public_base),
            rules: FollowedRules::start(&settings.rules.file)?,
            lobby: Mutex::new(Judged::new(budget.clone())),
            lobby_changed: watch::Sender::new(0),
            budget,
            seed,
            courier,
            authority,
            tally: Arc::default(),
            tasks: TaskTracker::new(),
            stopping,
            accounts,
            sandboxes: Mutex::default(),
            journeys: Mutex::default(),
            tokens: Mutex::default(),
            partner_keys: Mutex::default(),
            errors: AtomicU64::new(0),
            document: OnceLock::new(),
            settings,
        };
        Ok(Arc::new(world))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Writes down what belongs to no account, and judges it where it is a call to Klarna's API.
    pub(crate) fn record_in_lobby(&self, exchange: Exchange, call: Option<&ApiCall>) -> u64 {
        let (seq, found) = self.lobby().record(exchange, call);
        self.tally.count("nobody's calls", &found);
        self.lobby_changed.send_modify(|version| *version += 1);
        seq
    }

    /// Says of what was written down there how it has ended after all.
    pub(crate) fn amend_in_lobby(&self, seq: u64, ended: Ending) {
        self.lobby().journal.amend(seq, ended);
        self.lobby_changed.send_modify(|version| *version += 1);
    }

    /// Tells of each entry that belongs to no account.
    pub(crate) fn lobby_changes(&self) -> watch::Receiver<u64> {
        self.lobby_changed.subscribe()
    }

    /// The journal of what belongs to no account, and what was found in it.
    pub(crate) fn lobby(&self) -> MutexGuard<'_, Judged> {
        self.lobby.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fresh `error_id`.
    pub(crate) fn error_id(&self) -> Uuid {
        let ordinal = self.errors.fetch_add(1, Ordering::Relaxed);
        IdSource::new(self.seed, format!("error#{ordinal}")).uuid("error")
    }

    /// The acquirer account that a key opens: a configured one its own, any other test key an
    /// account of its own too, while there is room.
    pub(crate) fn account(&self, key: &str) -> Option<Arc<AccountCell>> {
        const TEST_KEY: &str = "klarna_test_api_";
        let mut accounts = lock(&self.accounts);
        if let Some(configured) = self.settings.acquirers.iter().find(|acquirer| acquirer.holds(key)) {
            return accounts.get(&configured.account).cloned();
        }
        if !key.starts_with(TEST_KEY) || key.len() == TEST_KEY.len() {
            return None;
        }
        let partner = lock(&self.partner_keys).get(key).cloned();
        let id = partner.map_or_else(|| account_of(key), |partner| AcquirerAccountId(partner.0));
        if !accounts.contains_key(&id) && accounts.len() >= self.settings.limits.accounts {
            tracing::warn!("there are as many acquirer accounts as there may be");
            return None;
        }
        let new = || {
            let certificates = self.settings.tls.client_certificates;
            AccountCell::new(id.clone(), self.seed, self.budget.clone(), &self.stopping, certificates)
        };
        Some(accounts.entry(id.clone()).or_insert_with(|| Arc::new(new())).clone())
    }

    /// A key of the Partner's own, made on the first wish: what it opens is the Partner's account.
    pub(crate) fn partner_key(&self, account: &PartnerAccountId) -> String {
        let key =
            format!("klarna_test_api_{}", IdSource::new(self.seed, account.as_str()).text("api-key", 32));
        lock(&self.partner_keys).insert(key.clone(), account.clone());
        key
    }

    /// An acquirer account by its id.
    pub(crate) fn account_by_id(&self, id: &AcquirerAccountId) -> Option<Arc<AccountCell>> {
        lock(&self.accounts).get(id).cloned()
    }

    /// All acquirer accounts.
    pub(crate) fn accounts(&self) -> Vec<Arc<AccountCell>> {
        lock(&self.accounts).values().cloned().collect()
    }

    /// A sandbox that exists.
    pub(crate) fn sandbox(&self, account: &PartnerAccountId) -> Option<Arc<SandboxCell>> {
        lock(&self.sandboxes).get(account).cloned()
    }

    /// All sandboxes, by account.
    pub(crate) fn sandboxes(&self) -> Vec<Arc<SandboxCell>> {
        let mut cells: Vec<_> = lock(&self.sandboxes).values().cloned().collect();
        cells.sort_by(|one, other| one.account().cmp(other.account()));
        cells
    }

    /// The sandbox that an acquirer calls: made on the first call, where that is allowed.
    pub(crate) fn sandbox_for(
        self: &Arc<Self>,
        account: &PartnerAccountId,
        acquirer: &AcquirerAccountId,
    ) -> Result<Arc<SandboxCell>, AccountRefusal> {
        let known = self.sandbox(account);
        let cell = match (known, self.settings.accounts.unknown) {
            (Some(cell), _) => cell,
            (None, UnknownAccounts::Refuse) => return Err(AccountRefusal::Unknown),
            (None, UnknownAccounts::Create) => {
                self.ensure_sandbox(account, None).ok_or(AccountRefusal::Full)?
            }
        };
        if cell.is_open_to(acquirer) { Ok(cell) } else { Err(AccountRefusal::Foreign) }
    }

    /// Makes a sandbox, or returns the one that is there. `None` where there is no room.
    pub(crate) fn ensure_sandbox(
        self: &Arc<Self>,
        account: &PartnerAccountId,
        seed: Option<u64>,
    ) -> Option<Arc<SandboxCell>> {
        let mut sandboxes = lock(&self.sandboxes);
        if let Some(known) = sandboxes.get(account) {
            return Some(known.clone());
        }
        if sandboxes.len() >= self.settings.limits.sandboxes {
            return None;
        }
        let seed = seed.unwrap_or(self.seed);
        let cell =
            SandboxCell::start(self, account.clone(), seed, self.policies.clone(), self.budget.clone());
        cell.lock().machine.behaviour.follow_file(self.file_rules(account));
        sandboxes.insert(account.clone(), cell.clone());
        Some(cell)
    }

    /// The rules of the file for a Partner account.
    fn file_rules(&self, account: &PartnerAccountId) -> Rules {
        self.rules.of_account(account.as_str())
    }

    /// Reads the rules file again, for every sandbox; what they have served is forgotten with them.
    pub(crate) fn reload_rules(&self) -> RulesFileView {
        if self.rules.read_again() {
            for cell in self.sandboxes() {
                let rules = self.file_rules(cell.account());
                cell.lock().machine.behaviour.follow_file(rules);
            }
        }
        self.rules.view()
    }

    /// How the rules file stands.
    pub(crate) fn rules_view(&self) -> RulesFileView {
        self.rules.view()
    }

    /// Reads the rules file again whenever it changes, until the end.
    pub(crate) async fn follow_rules(self: Arc<Self>) {
        if !self.rules.has_file() {
            return;
        }
        while self.stopping.run_until_cancelled(clock::pause(LOOK_AT_RULES)).await.is_some() {
            if self.rules.has_changed() {
                self.reload_rules();
            }
        }
    }

    /// Takes a sandbox out of the world.
    pub(crate) fn remove_sandbox(&self, account: &PartnerAccountId) -> bool {
        let removed = lock(&self.sandboxes).remove(account);
        if let Some(cell) = &removed {
            cell.stop();
            lock(&self.journeys).retain(|_, of| of != account);
            lock(&self.tokens).retain(|_, of| of != account);
            lock(&self.partner_keys).retain(|_, of| of != account);
        }
        removed.is_some()
    }

    /// The seed of a sandbox that names none.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn know_journey(&self, uuid: Uuid, account: &PartnerAccountId) {
        lock(&self.journeys).insert(uuid, account.clone());
    }

    pub(crate) fn know_token(&self, token: &str, account: &PartnerAccountId) {
        lock(&self.tokens).insert(token.to_owned(), account.clone());
    }

    /// Whether Klarna has issued a token, to whomever.
    pub(crate) fn knows_token(&self, token: &str) -> bool {
        lock(&self.tokens).contains_key(token)
    }

    /// Forgets Purchase Journeys and tokens.
    pub(crate) fn forget(&self, journeys: &[Uuid], tokens: &[String]) {
        for uuid in journeys {
            lock(&self.journeys).remove(uuid);
        }
        let mut known = lock(&self.tokens);
        for token in tokens {
            known.remove(token);
        }
    }

    /// The sandbox whose Purchase Journey this is.
    pub(crate) fn journey(&self, uuid: Uuid) -> Option<Arc<SandboxCell>> {
        let account = lock(&self.journeys).get(&uuid)?.clone();
        self.sandbox(&account)
    }

    /// Whether a token was issued to another Partner account than this.
    pub(crate) fn token_is_foreign(&self, token: &str, account: &PartnerAccountId) -> bool {
        lock(&self.tokens).get(token).is_some_and(|of| of != account)
    }
}

/// What holds for every sandbox.
pub(crate) fn policies(settings: &Settings, public_base: &str) -> Policies {
    Policies {
        default_outcome: settings.outcome.result(),
        magic_values: settings.rules.magic_values,
        payments: settings.limits.payments,
        journey_base: public_base.trim_end_matches('/').to_owned(),
        chosen: settings.policies,
    }
}

/// The account of a key that nobody has configured.
fn account_of(key: &str) -> AcquirerAccountId {
    let tail = IdSource::new(0, key).text("account", 24).to_ascii_uppercase().replace(['-', '_'], "");
    let tail: String = tail.chars().take(16).collect();
    AcquirerAccountId(format!("krn:partner:global:account:test:{tail}"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
