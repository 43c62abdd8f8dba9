//! A sandbox and its lock: commands go in one at a time, effects start in order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use klarna_schemas::ids::{AcquirerAccountId, PartnerAccountId, PaymentRequestId, PaymentTransactionId};
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{CustomerAct, RequestEnd, SandboxView};
use klarna_schemas::simulator::finding::Finding;
use klarna_schemas::simulator::journal::{Direction, Ending};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::World;
use super::armed::{ArmedFaults, Met};
use super::counted_calls::CountedCalls;
use super::sending::{After, Dispatch, dispatch_all};
use super::snapshots::Snapshot;
use crate::api::recording::RefusedBody;
use crate::behaviour::rules::Occasion;
use crate::clock::{SandboxClock, real_now};
use crate::engine::{Decided, Effect, EndRefusal, Policies, Refusal, RequestRecord, Sandbox};
use crate::journal::{Budget, Exchange, Journal, Sent};
use crate::notify::{Cause, ClockMove, Deliveries, Misbehaviours};
use crate::rulebook::{CallContext, DeliveryContext, Ledger, RefusedContext};

/// The events whose coverage AP-19 asks for.
const STATE_CHANGES: [&str; 4] = [
    "payment.request.state-change.completed",
    "payment.request.state-change.canceled",
    "payment.request.state-change.declined",
    "payment.request.state-change.expired",
];

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

    fn is_the_partner(&self, caller: &AcquirerAccountId) -> bool {
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

    /// Writes down an authorize and judges it.
    pub(crate) fn record_call(&self, mut exchange: Exchange, call: Option<usize>) {
        let uncovered = self.uncovered_events();
        let mut state = self.lock();
        let state = &mut *state;
        exchange.number = state.machine.number();
        let payment = exchange.payment.clone();
        let seq = state.journal.append(exchange);
        let intents_declared = state.machine.intents_declared;
        let payment = payment.and_then(|name| state.machine.payment_mut(&name));
        if let Some((payment, position)) = payment.zip(call) {
            if let Some(call) = payment.calls.get_mut(position) {
                call.seq = seq;
            }
            let payment = &*payment;
            if let Some((call, earlier)) = payment.calls.get(..=position).and_then(<[_]>::split_last) {
                let found = state.ledger.call(&CallContext {
                    payment,
                    earlier,
                    call,
                    intents_declared,
                    uncovered_events: &uncovered,
                });
                self.cite(&mut state.journal, &found);
            }
        }
        self.tell();
    }

    /// Writes down an authorize whose body did not validate, and judges that.
    pub(crate) fn record_refused(&self, mut exchange: Exchange, refused: &RefusedBody) {
        let RefusedBody { raw, fields, by_policy } = refused;
        let mut state = self.lock();
        let state = &mut *state;
        exchange.number = state.machine.number();
        let seq = state.journal.append(exchange);
        let intent = state.machine.next_intent();
        let found = state.ledger.refused(&RefusedContext { seq, raw, fields, by_policy: *by_policy, intent });
        self.cite(&mut state.journal, &found);
        self.tell();
    }

    /// Writes down what the customer did at the tester's word, as if it had come by the page.
    pub(crate) fn record_act(&self, uuid: Uuid, act: CustomerAct, by: &str) {
        let state = self.lock();
        let Some(record) = state.machine.request_by_uuid(uuid) else { return };
        let (payment, target, epoch) = (record.payment.clone(), record.url.clone(), state.machine.epoch);
        drop(state);
        self.record(Exchange {
            number: 0,
            epoch,
            payment: Some(payment),
            direction: Direction::Inbound,
            operation: format!("journey.{}", act.as_str()),
            started_at: real_now(),
            virtual_at: self.clock.now(),
            method: "POST".to_owned(),
            target,
            request_headers: Vec::new(),
            request_body: Bytes::new(),
            response: None,
            ended: Ending::Answered,
            rule: Some(by.to_owned()),
            fault: None,
            sent: Sent::AsKlarnaDoes,
            tls: None,
        });
    }

    /// Writes down an exchange that no rule judges.
    pub(crate) fn record(&self, mut exchange: Exchange) -> u64 {
        let mut state = self.lock();
        exchange.number = state.machine.number();
        let seq = state.journal.append(exchange);
        drop(state);
        self.tell();
        seq
    }

    /// Writes down an attempt to deliver an event and judges it.
    pub(crate) fn record_delivery(&self, exchange: Exchange) {
        let mut state = self.lock();
        let state = &mut *state;
        let (payment, epoch, ended) = (exchange.payment.clone(), exchange.epoch, exchange.ended);
        let sent = exchange.sent;
        let event_type = exchange.operation.trim_start_matches("event:").to_owned();
        let status = exchange.response.as_ref().map(|(status, _, _)| *status);
        let seq = state.journal.append(exchange);
        if epoch == state.machine.epoch {
            let context = DeliveryContext { event_type: &event_type, seq, ended, status, sent };
            let found = state.ledger.delivery(payment.as_deref(), &context);
            self.cite(&mut state.journal, &found);
        }
        self.tell();
    }

    fn judge_token_died(&self, payment: &str) {
        let mut state = self.lock();
        let state = &mut *state;
        if let Some(payment) = state.machine.payment(payment) {
            let found = state.ledger.token_died(payment);
            self.cite(&mut state.journal, &found);
        }
        self.tell();
    }

    /// Marks the exchanges that findings cite, and counts the findings.
    fn cite(&self, journal: &mut Journal, findings: &[Finding]) {
        for finding in findings {
            journal.cite(&finding.exchanges, &finding.rule);
        }
        if let Some(world) = self.world.upgrade() {
            world.tally.count(&self.account, findings);
        }
    }

    /// Lets everything happen that is due. Returns it in words.
    pub(crate) fn tick(&self) -> Vec<String> {
        let effects = self.lock().machine.tick(self.clock.now());
        let words = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Emit(event) => Some(format!("{} ({})", event.event_type, event.payment)),
                Effect::TokenDied(payment) => Some(format!("the session token of {payment} died")),
                Effect::ActedAsPlanned { payment, act, refused, .. } => Some(match refused {
                    None => format!("journey.{} ({payment})", act.as_str()),
                    Some(why) => format!("journey.{} ({payment}) came to nothing: {why}", act.as_str()),
                }),
                Effect::Reply(_) | Effect::TokenIssued(_) | Effect::Forgot { .. } => None,
            })
            .collect();
        self.carry_out_for(Cause::Time, effects, None);
        words
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

    /// When something next falls due, in the sandbox or among the deliveries that a move waits for.
    pub(crate) fn next_due(&self, clock_move: &ClockMove) -> Option<jiff::Timestamp> {
        let machine = self.lock().machine.next_due();
        machine.into_iter().chain(clock_move.next_due()).min()
    }

    /// Tells waiting readers, and the clockwork, that something has changed.
    pub(crate) fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether the webhooks that want an event have another key than their own to sign with.
    pub(crate) fn has_other_keys(&self, event_type: &str) -> bool {
        let owner = self.lock().owner.clone();
        let world = self.world.upgrade();
        let account = owner.zip(world).and_then(|(owner, world)| world.account_by_id(&owner));
        account.is_none_or(|account| {
            let account = account.lock();
            let wanting = account.subscriptions.wanting(event_type, &account.signing_keys);
            wanting.iter().all(|to| to.other_key.is_some())
        })
    }

    fn uncovered_events(&self) -> Vec<&'static str> {
        let owner = self.lock().owner.clone();
        let world = self.world.upgrade();
        match owner.zip(world).and_then(|(owner, world)| world.account_by_id(&owner)) {
            Some(account) => account.lock().subscriptions.uncovered(&STATE_CHANGES),
            None => STATE_CHANGES.to_vec(),
        }
    }
}

/// Fires what falls due while nobody moves the clock.
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
