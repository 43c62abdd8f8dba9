//! A sandbox and its lock: commands go in one at a time, effects start in order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId, PaymentRequestId, PaymentTransactionId};
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{RequestEnd, SandboxView};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::World;
use super::account::AccountCell;
use super::armed::{ArmedFaults, Met};
use super::counted_calls::CountedCalls;
use super::sending::{After, Dispatch, dispatch_all};
use super::snapshots::Snapshot;
use crate::behaviour::rules::Occasion;
use crate::clock::SandboxClock;
use crate::engine::{Decided, Effect, EndRefusal, Policies, Refusal, RequestRecord, Sandbox};
use crate::journal::{Budget, Journal};
use crate::notify::{Cause, Deliveries, Misbehaviours};
use crate::rulebook::Ledger;

/// One sandbox.
#[derive(Debug)]
pub(crate) struct SandboxCell {
    pub(super) account: PartnerAccountId,
    pub(super) world: Weak<World>,
    clock: SandboxClock,
    /// Those of this epoch: a reset leaves the ones that are under way to themselves.
    deliveries: Mutex<Arc<Deliveries>>,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    /// Events in the order in which they happened.
    pub(super) outbox: mpsc::Sender<Dispatch>,
    pub(super) stopped: CancellationToken,
    counted_calls: CountedCalls,
    /// Moves of the clock go one after another.
    pub(super) turn_to_move: Semaphore,
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) machine: Sandbox,
    pub(crate) journal: Journal,
    pub(crate) ledger: Ledger,
    pub(crate) faults: ArmedFaults,
    pub(crate) misbehaviours: Misbehaviours,
    pub(super) snapshots: Vec<Snapshot>,
    owner: Option<AcquirerAccountId>,
}

impl State {
    /// The fault that an authorize meets by a rule and is not served for.
    pub(crate) fn met_by_rule(&mut self, occasion: &Occasion<'_>) -> Option<Met> {
        self.machine.kept_from_serving(occasion).map(|(fault, by)| self.faults.met(fault, Some(by)))
    }

    /// The fault that a call to another operation meets by a rule.
    pub(crate) fn fault_by_rule(&mut self, occasion: &Occasion<'_>) -> Option<Met> {
        self.machine.fault_of_rule(occasion).map(|(fault, by)| self.faults.met(fault, Some(by)))
    }
}

impl SandboxCell {
    /// Makes a sandbox and starts its two tasks: the FIFO of events, and the clockwork.
    pub(crate) fn start(
        world: &Arc<World>,
        account: PartnerAccountId,
        seed: u64,
        policies: Policies,
        budget: Budget,
    ) -> Arc<Self> {
        let stopped = world.stopping.child_token();
        let (outbox, inbox) = mpsc::channel(world.settings().limits.webhooks_queued);
        let cell = Arc::new(Self {
            account: account.clone(),
            world: Arc::downgrade(world),
            clock: SandboxClock::new(),
            deliveries: Mutex::default(),
            state: Mutex::new(State {
                machine: Sandbox::new(account, seed, policies),
                journal: Journal::new(budget),
                ledger: Ledger::default(),
                faults: ArmedFaults::new(stopped.clone()),
                misbehaviours: Misbehaviours::default(),
                snapshots: Vec::new(),
                owner: None,
            }),
            changed: watch::Sender::new(0),
            outbox,
            stopped,
            counted_calls: CountedCalls::default(),
            turn_to_move: Semaphore::new(1),
        });
        world.tasks.spawn(cell.stopped.clone().run_until_cancelled_owned(dispatch_all(cell.clone(), inbox)));
        world.tasks.spawn(cell.stopped.clone().run_until_cancelled_owned(clockwork(cell.clone())));
        cell
    }

    pub(crate) fn account(&self) -> &PartnerAccountId {
        &self.account
    }

    pub(crate) fn clock(&self) -> &SandboxClock {
        &self.clock
    }

    /// The Partner account's calls of the current second.
    pub(crate) fn counted_calls(&self) -> &CountedCalls {
        &self.counted_calls
    }

    /// The deliveries of this epoch.
    pub(crate) fn deliveries(&self) -> Arc<Deliveries> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Turns to new deliveries; nobody waits for the old ones any more.
    pub(super) fn renew_deliveries(&self) {
        let mut deliveries = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *deliveries).close();
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is no more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.is_cancelled()
    }

    /// Ends the sandbox's tasks, and the waits of its readers.
    pub(crate) fn stop(&self) {
        self.stopped.cancel();
        self.tell();
        self.deliveries().close();
    }

    /// Whether this caller may call here: the sandbox is its own, or nobody's yet, or the caller is the
    /// Partner itself.
    pub(crate) fn is_open_to(&self, caller: &AcquirerAccountId) -> bool {
        self.is_the_partner(caller) || self.lock().owner.as_ref().is_none_or(|owner| owner == caller)
    }

    /// Whether this caller may use the sandbox; the first acquirer whose authorize validates owns it.
    pub(crate) fn claim(&self, caller: &AcquirerAccountId) -> bool {
        if self.is_the_partner(caller) {
            return true;
        }
        let mut state = self.lock();
        state.owner.get_or_insert_with(|| caller.clone()) == caller
    }

    /// Whether the caller is the Partner whose account this is, with a key of its own.
    pub(crate) fn is_the_partner(&self, caller: &AcquirerAccountId) -> bool {
        caller.as_str() == self.account.as_str()
    }

    /// The sandbox as the control API shows it.
    pub(crate) fn view(&self) -> SandboxView {
        let state = self.lock();
        SandboxView { account: self.account.clone(), epoch: state.machine.epoch, seed: state.machine.seed }
    }

    /// Opens a new epoch at real time. The journal stays while there is room: its entries carry their
    /// epochs.
    pub(crate) fn reset(&self, seed: u64) {
        let mut state = self.lock();
        state.machine = state.machine.reset(seed);
        state.ledger = Ledger::default();
        state.faults.lift();
        state.misbehaviours = Misbehaviours::default();
        state.owner = None;
        let epoch = state.machine.epoch;
        state.journal.retire(epoch);
        self.renew_deliveries();
        self.clock.restart();
        drop(state);
        self.tell();
    }

    /// Carries out the effects of what somebody did: learns tokens, queues events. Returns the reply among
    /// them, if one is.
    pub(crate) fn carry_out(&self, effects: Vec<Effect>, after: Option<After>) -> Option<Decided> {
        self.carry_out_for(Cause::Act, effects, after)
    }

    /// The same for what somebody did or what has fallen due.
    fn carry_out_for(&self, cause: Cause, effects: Vec<Effect>, after: Option<After>) -> Option<Decided> {
        let mut reply = None;
        let mut events = Vec::new();
        for effect in effects {
            match effect {
                Effect::Reply(decided) => reply = Some(*decided),
                Effect::Emit(event) => events.push(*event),
                Effect::TokenIssued(token) => {
                    if let Some(world) = self.world.upgrade() {
                        world.know_token(&token, &self.account);
                    }
                }
                Effect::Forgot { payment, journeys, tokens } => {
                    self.lock().ledger.forget(&payment);
                    if let Some(world) = self.world.upgrade() {
                        world.forget(&journeys, &tokens);
                    }
                }
                Effect::TokenDied(payment) => self.judge_token_died(&payment),
                Effect::ActedAsPlanned { uuid, act, refused: None, .. } => {
                    self.record_act(uuid, act, "planned");
                }
                Effect::ActedAsPlanned { payment, act, refused: Some(why), .. } => {
                    tracing::warn!(payment, act = act.as_str(), why, "the customer cannot act as planned");
                }
            }
        }
        self.send_off(cause, events, after);
        reply
    }

    /// Lets everything happen that is due. A move of the clock that is under way tells of it, whoever
    /// noticed first.
    pub(crate) fn tick(&self) {
        let mut state = self.lock();
        let effects = state.machine.tick(self.clock.now());
        if effects.is_empty() {
            return;
        }
        // Under the lock: who sees by it that nothing is due any more must see that this is under way.
        let deliveries = self.deliveries();
        let era = deliveries.fall_due(effects.iter().filter_map(in_words));
        drop(state);
        self.carry_out_for(Cause::Time, effects, None);
        deliveries.finish(era);
    }

    /// Ends a Payment Request; its event follows once `after` ends.
    pub(crate) fn end_request(
        &self,
        id: &PaymentRequestId,
        how: RequestEnd,
        reason: Option<&str>,
        after: Option<After>,
    ) -> Result<RequestRecord, EndRefusal> {
        self.tick();
        let mut state = self.lock();
        let effects = state.machine.end_request(id, how, reason, self.clock.now())?;
        let record = state.machine.request(id).cloned().ok_or(EndRefusal::Unknown)?;
        drop(state);
        self.carry_out(effects, after);
        self.tell();
        Ok(record)
    }

    /// Cancels a token; the event of the Payment Request that it ends follows once `after` ends.
    pub(crate) fn cancel_token(&self, token: &str, reason: &str, after: After) -> Result<(), Refusal> {
        self.tick();
        let effects = self.lock().machine.cancel_token(token, reason, self.clock.now())?;
        self.carry_out(effects, Some(after));
        self.tell();
        Ok(())
    }

    /// Takes money of a transaction back for the customer. Answers with the chargeback.
    pub(crate) fn charge_back(
        &self,
        id: &PaymentTransactionId,
        amount: MinorUnits,
    ) -> Result<Value, Refusal> {
        let (outcome, effects) = self.lock().machine.charge_back(id, amount, self.clock.now());
        self.carry_out(effects, None);
        self.tell();
        outcome
    }

    /// Tells waiting readers, and the clockwork, that something has changed.
    pub(crate) fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether the webhooks that want an event have another key than their own to sign with: those of the
    /// acquirer whose sandbox it is or, as long as it is nobody's, of any whose it may become.
    pub(crate) fn has_other_keys(&self, event_type: &str) -> bool {
        let accounts = match self.owners_account() {
            Some(account) => vec![account],
            None => self.world.upgrade().map(|world| world.accounts()).unwrap_or_default(),
        };
        let wanting = accounts.iter().map(|account| {
            let account = account.lock();
            account.subscriptions.wanting(event_type, &account.signing_keys)
        });
        let mut wanting = wanting.filter(|wanting| !wanting.is_empty()).peekable();
        let nobody_wants_it = wanting.peek().is_none();
        nobody_wants_it || wanting.any(|wanting| wanting.iter().all(|to| to.other_key.is_some()))
    }

    /// The account of the acquirer whose sandbox it is, once it is somebody's.
    pub(super) fn owners_account(&self) -> Option<Arc<AccountCell>> {
        let owner = self.lock().owner.clone();
        let world = self.world.upgrade();
        owner.zip(world).and_then(|(owner, world)| world.account_by_id(&owner))
    }
}

/// What has fallen due, as a move of the clock tells of it.
fn in_words(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Emit(event) => Some(format!("{} ({})", event.event_type, event.payment)),
        Effect::TokenDied(payment) => Some(format!("the session token of {payment} died")),
        Effect::ActedAsPlanned { payment, act, refused, .. } => Some(match refused {
            None => format!("journey.{} ({payment})", act.as_str()),
            Some(why) => format!("journey.{} ({payment}) came to nothing: {why}", act.as_str()),
        }),
        Effect::Reply(_) | Effect::TokenIssued(_) | Effect::Forgot { .. } => None,
    }
}

/// Fires what falls due, whether its time comes by itself or somebody moves the clock.
async fn clockwork(cell: Arc<SandboxCell>) {
    let mut changed = cell.changes();
    loop {
        changed.mark_unchanged();
        let due = cell.lock().machine.next_due();
        match due {
            None => {
                if changed.changed().await.is_err() {
                    return;
                }
            }
            Some(due) => {
                tokio::select! {
                    () = cell.clock.reached(due) => { cell.tick(); }
                    _changed = changed.changed() => {}
                }
            }
        }
    }
}
