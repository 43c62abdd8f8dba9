//! One Partner account's isolated world: its payments, requests, tokens and what was promised.

use std::collections::{HashMap, HashSet, VecDeque};

use indexmap::{IndexMap, IndexSet};
use jiff::{SignedDuration, Timestamp};
use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, PaymentTransactionId};
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::klarna::webhook::STATE_CHANGE_PREFIX;
use klarna_schemas::simulator::control::{Intent, MintedTokenState, QueuedOutcome};
use uuid::Uuid;

use super::authorization::IdempotencyRecord;
use super::command::IdempotencyKey;
use super::effect::{Effect, EventDraft, EventPayload};
use super::idempotency::UsedKeys;
use super::ids::IdSource;
use super::payment::Payment;
use super::payment_request::RequestRecord;
use super::policies::Policies;
use super::post_purchase::owner_of;
use super::presentation::Presenting;
use super::token::{CompletedSession, TokenMeaning, TokenRecord};
use super::transaction::TransactionRecord;
use crate::behaviour::choosing::Behaviour;
use crate::behaviour::plan::TooManyOutcomes;

/// How many names of earlier epochs are remembered, so that late traffic is told from new.
const RETIRED_NAMES: usize = 10_000;

/// The state of one sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Sandbox {
    pub(crate) account: PartnerAccountId,
    pub(crate) epoch: u64,
    pub(crate) seed: u64,
    pub(crate) policies: Policies,
    pub(super) ids: IdSource,
    /// What weights are drawn from.
    pub(super) chance: IdSource,
    pub(crate) payments: VecDeque<Payment>,
    /// How many payments this epoch has had, those forgotten included.
    pub(super) payments_opened: u64,
    pub(super) requests: IndexMap<PaymentRequestId, RequestRecord>,
    pub(super) by_uuid: HashMap<Uuid, PaymentRequestId>,
    pub(super) transactions: HashMap<PaymentTransactionId, TransactionRecord>,
    pub(super) tokens: HashMap<String, TokenRecord>,
    pub(super) idempotency: HashMap<IdempotencyKey, IdempotencyRecord>,
    /// Customer tokens that were issued, in order.
    pub(super) customer_tokens: IndexSet<String>,
    /// Keys of all calls but authorize.
    pub(super) used_keys: UsedKeys,
    /// How many effects have been numbered.
    effects: u64,
    /// What the tester asked for.
    pub(crate) behaviour: Behaviour,
    pub(super) presenting: Presenting,
    /// Declared and not yet bound to a payment.
    pub(super) intent: Option<Intent>,
    /// Whether this epoch works with intents: only then is a payment without one a finding.
    pub(crate) intents_declared: bool,
    /// Tokens, ids of requests and transactions, and keys of earlier epochs, and which epoch.
    retired: HashMap<String, u64>,
}

impl Sandbox {
    pub(crate) fn new(account: PartnerAccountId, seed: u64, policies: Policies) -> Self {
        let behaviour = Behaviour::new(policies.magic_values);
        Self::in_epoch(account, 1, seed, policies, behaviour, HashMap::new())
    }

    fn in_epoch(
        account: PartnerAccountId,
        epoch: u64,
        seed: u64,
        policies: Policies,
        behaviour: Behaviour,
        retired: HashMap<String, u64>,
    ) -> Self {
        let ids = IdSource::new(seed, format!("{account}#{epoch}"));
        Self {
            account,
            epoch,
            seed,
            policies,
            ids,
            // Neither of the account nor of the epoch: the same seed and calls draw the same.
            chance: IdSource::new(seed, "chance"),
            payments: VecDeque::new(),
            payments_opened: 0,
            requests: IndexMap::new(),
            by_uuid: HashMap::new(),
            transactions: HashMap::new(),
            tokens: HashMap::new(),
            idempotency: HashMap::new(),
            customer_tokens: IndexSet::new(),
            used_keys: UsedKeys::default(),
            effects: 0,
            behaviour,
            presenting: Presenting::default(),
            intent: None,
            intents_declared: false,
            retired,
        }
    }

    /// The sandbox after a reset: the next epoch, with nothing in it but the names of what was.
    pub(crate) fn reset(&self, seed: u64) -> Self {
        let mut retired = self.retired.clone();
        let epoch = self.epoch;
        let keys = self.idempotency.keys().chain(self.used_keys.keys()).map(|key| key.0.clone());
        let requests = self.requests.keys().map(|id| id.0.clone());
        let transactions = self.transactions.keys().map(|id| id.0.clone());
        for name in self.tokens.keys().cloned().chain(keys).chain(requests).chain(transactions) {
            if retired.len() < RETIRED_NAMES {
                retired.insert(name, epoch);
            }
        }
        let behaviour = self.behaviour.after_reset();
        Self::in_epoch(self.account.clone(), epoch + 1, seed, self.policies.clone(), behaviour, retired)
    }

    /// The same in another epoch, which goes on from here: what it issues next is what it would have been.
    pub(crate) fn in_next_epoch(self, epoch: u64) -> Self {
        Self { epoch, ..self }
    }

    /// What the world tells sandboxes apart by: the Purchase Journeys and the tokens that are known here.
    pub(crate) fn known_outside(&self) -> (Vec<Uuid>, Vec<String>) {
        (self.by_uuid.keys().copied().collect(), self.tokens.keys().cloned().collect())
    }

    /// The epoch that a token belongs to, or the id of a request, of a transaction or of a part of one:
    /// this one, unless an earlier one issued it.
    pub(crate) fn epoch_of_id(&self, id: &str) -> u64 {
        let retired = self.retired.get(id).or_else(|| self.retired.get(owner_of(id)));
        retired.copied().unwrap_or(self.epoch)
    }

    /// The epoch that an idempotency key belongs to. Whoever works by hand repeats keys after a
    /// reset and means a new call; where intents are declared, a known key is late traffic.
    pub(crate) fn epoch_of_key(&self, key: &IdempotencyKey) -> u64 {
        if self.intents_declared { self.epoch_of_id(&key.0) } else { self.epoch }
    }

    /// Declares what the Partner is about to ask, in the place of what was declared and not asked;
    /// binds to the next new payment.
    pub(crate) fn declare(&mut self, intent: Intent) {
        self.intents_declared = true;
        self.intent = Some(intent);
    }

    /// The intent that the next new payment will be bound to.
    pub(crate) fn next_intent(&self) -> Option<&Intent> {
        self.intent.as_ref()
    }

    /// Queues outcomes.
    pub(crate) fn queue(&mut self, outcomes: Vec<QueuedOutcome>) -> Result<(), TooManyOutcomes> {
        self.behaviour.queue(outcomes)
    }

    /// A fresh `error_id`, which is the correlation id of an answer.
    pub(crate) fn error_id(&mut self) -> Uuid {
        self.ids.uuid("error")
    }

    /// The next number: of an event, or of a call that was answered. Numbers are drawn under the sandbox's
    /// lock, so they tell the order in which things came about, whatever the network makes of it.
    pub(crate) fn number(&mut self) -> u64 {
        self.effects += 1;
        self.effects
    }

    /// Mints a session token of exactly `length` characters.
    pub(crate) fn mint(&mut self, length: usize, state: MintedTokenState, now: Timestamp) -> String {
        const PREFIX: &str = "krn:network:eu1:test:session-token:";
        let opaque = self.ids.text("minted-token", length.saturating_sub(PREFIX.len()).max(1));
        let token = format!("{PREFIX}{opaque}");
        let (stands_for, expires_at) = match state {
            MintedTokenState::Unused => (TokenMeaning::Unused, None),
            MintedTokenState::Completed => (
                TokenMeaning::Completed(Box::new(CompletedSession {
                    request: None,
                    approved: None,
                    spent: None,
                })),
                now.checked_add(SignedDuration::from_mins(super::payment_request::TOKEN_LIFE_MINUTES)).ok(),
            ),
        };
        self.tokens.insert(token.clone(), TokenRecord { stands_for, expires_at });
        token
    }

    /// A session token and its older name, in one of the shapes seen in the wild, so that nobody
    /// takes one apart.
    pub(super) fn draw_session_tokens(&mut self) -> (String, String) {
        let ordinal = self.ids.ordinal("session-token-shape");
        let token = if ordinal.is_multiple_of(2) {
            format!("krn:payment:eu1:klarna-network-session-token:{}", self.ids.uuid("session-token"))
        } else {
            format!("krn:network:eu1:test:session-token:{}", self.ids.text("session-token", 420))
        };
        (token, format!("krn:payment:eu1:payment-token:{}", self.ids.uuid("payment-token")))
    }

    /// A payment by its name.
    pub(crate) fn payment(&self, name: &str) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.name == name)
    }

    pub(crate) fn payment_mut(&mut self, name: &str) -> Option<&mut Payment> {
        self.payments.iter_mut().find(|payment| payment.name == name)
    }

    /// Any name of a payment (its own, the id of a request or transaction, its reference) as the simulator's name.
    pub(crate) fn payment_named(&self, any: &str) -> Option<&Payment> {
        // A reference may come again: then the newest is meant.
        self.payments.iter().rev().find(|payment| {
            payment.name == any
                || payment.reference.as_deref() == Some(any)
                || payment.requests().any(|id| id.as_str() == any)
                || payment.transactions.iter().any(|id| id.as_str() == any)
        })
    }

    /// Forgets the oldest payment, with all that belongs to it, while there are too many.
    pub(super) fn make_room(&mut self, effects: &mut Vec<Effect>) {
        while self.payments.len() > self.policies.payments {
            let Some(oldest) = self.payments.pop_front() else { return };
            let requests: Vec<_> =
                oldest.requests().filter_map(|id| self.requests.shift_remove(id)).collect();
            let journeys: Vec<Uuid> = requests.iter().map(|request| request.uuid).collect();
            for uuid in &journeys {
                self.by_uuid.remove(uuid);
            }
            for id in &oldest.transactions {
                self.transactions.remove(id);
            }
            let tokens = requests.into_iter().filter_map(|request| request.tokens);
            let tokens: Vec<String> = tokens.flat_map(|(token, older)| [token, older]).collect();
            self.tokens.retain(|token, _| !tokens.contains(token));
            self.idempotency.retain(|_, record| !record.is_of(&oldest.name));
            effects.push(Effect::Forgot { payment: oldest.name, journeys, tokens });
        }
    }

    /// A Payment Request by its id.
    pub(crate) fn request(&self, id: &PaymentRequestId) -> Option<&RequestRecord> {
        self.requests.get(id)
    }

    /// A Payment Request by what its URL carries.
    pub(crate) fn request_by_uuid(&self, uuid: Uuid) -> Option<&RequestRecord> {
        self.requests.get(self.by_uuid.get(&uuid)?)
    }

    pub(super) fn request_by_uuid_mut(&mut self, uuid: Uuid) -> Option<&mut RequestRecord> {
        self.requests.get_mut(self.by_uuid.get(&uuid)?)
    }

    /// Moves a request and says so by an event.
    pub(super) fn move_request(
        &mut self,
        uuid: Uuid,
        state: PaymentRequestState,
        reason: Option<&str>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(record) = self.request_by_uuid_mut(uuid) else { return };
        record.enter(state, reason, now);
        let record = record.clone();
        effects.push(Effect::Emit(Box::new(self.announce(&record, now))));
    }

    /// When something next falls due: an act of a customer, the end of a request, a token or an
    /// authorization.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let planned = self.next_planned().map(|(due, _)| due);
        planned.into_iter().chain(self.next_end()).chain(self.next_lapse()).min()
    }

    /// When a request or a token next ends.
    fn next_end(&self) -> Option<Timestamp> {
        self.requests.values().filter_map(|record| self.due_of(record)).min()
    }

    /// Lets everything happen that is due by `now`.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        // Whoever acts in the moment in which a request ends comes too late.
        while let Some((due, uuid)) = self.next_planned().filter(|(due, _)| *due <= now) {
            self.end_what_is_due(due, now, &mut effects);
            self.act_as_planned(uuid, now, &mut effects);
        }
        self.end_what_is_due(now, now, &mut effects);
        self.lapse(now, &mut effects);
        effects
    }

    /// Ends the requests and tokens that are due by `by`.
    fn end_what_is_due(&mut self, by: Timestamp, now: Timestamp, effects: &mut Vec<Effect>) {
        let mut due: Vec<(Timestamp, Uuid)> = self
            .requests
            .values()
            .filter_map(|record| Some((self.due_of(record)?, record.uuid)))
            .filter(|(due, _)| *due <= by)
            .collect();
        due.sort_unstable();
        let mut dead: HashSet<String> = HashSet::new();
        for (_, uuid) in due {
            let Some(record) = self.request_by_uuid(uuid) else { continue };
            if let Some((token, older)) = record.tokens.clone() {
                effects.push(Effect::TokenDied(record.payment.clone()));
                dead.extend([token, older]);
            }
            self.move_request(uuid, PaymentRequestState::Expired, None, now, effects);
        }
        for token in dead {
            if let Some(record) = self.tokens.get_mut(&token) {
                record.expires_at = record.expires_at.map(|at| at.min(now));
            }
        }
    }

    /// When a request ends by itself: open ones at their expiry, completed ones with their token.
    fn due_of(&self, record: &RequestRecord) -> Option<Timestamp> {
        match record.state {
            PaymentRequestState::Submitted | PaymentRequestState::InProgress => Some(record.expires_at),
            PaymentRequestState::Completed if !record.finalised => {
                let (token, _) = record.tokens.as_ref()?;
                self.tokens.get(token)?.expires_at
            }
            _ => None,
        }
    }
}

impl Sandbox {
    /// The event that tells where a request stands now.
    pub(super) fn announce(&mut self, record: &RequestRecord, now: Timestamp) -> EventDraft {
        EventDraft {
            number: self.number(),
            event_id: format!("{}{}", self.ids.uuid("event"), self.tail_of_ids()),
            event_type: format!("{STATE_CHANGE_PREFIX}{}", record.state.event_suffix()),
            occurred_at: now,
            recipient: record.acquirer.clone(),
            payload: EventPayload::Request(Box::new(record.payload(self.policies.chosen.token_in_events))),
            payment: record.payment.clone(),
            epoch: self.epoch,
        }
    }
}
