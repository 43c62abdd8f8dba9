//! How a sandbox's events leave it: in the order in which they happened, to each webhook that wants them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use klarna_schemas::simulator::control::Evolution;

use super::World;
use super::sandbox_cell::SandboxCell;
use crate::clock::pause;
use crate::engine::EventDraft;
use crate::notify::{Cause, Counted, Courier, Deliveries, Departing, Era, Leaving, Letter, Manner, Repeated};

/// The answer's end of the tie between an answer and the events that follow from the same call.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Dropped when the answer has been handed to the network.
    _out: oneshot::Sender<()>,
    may_leave: oneshot::Receiver<()>,
}

/// The events' end of it.
#[derive(Debug)]
pub(crate) struct After {
    /// What events in their turn wait for; none where they go out at once.
    out: Option<oneshot::Receiver<()>>,
    /// Dropped when the answer need not wait any longer.
    held: oneshot::Sender<()>,
}

/// Ties an answer to the events that follow from the same call.
pub(crate) fn answer_and_events() -> (Answered, After) {
    let (out, is_out) = oneshot::channel();
    let (held, may_leave) = oneshot::channel();
    (Answered { _out: out, may_leave }, After { out: Some(is_out), held })
}

/// Ties an answer only to those events that shall arrive before it: no other one waits for it.
pub(crate) fn answer_behind_events() -> (Answered, After) {
    let (answered, after) = answer_and_events();
    (answered, After { out: None, ..after })
}

impl Answered {
    /// Returns when no event shall arrive before the answer any more, at the latest after so long.
    pub(crate) async fn may_leave(&mut self, at_most: Duration) {
        tokio::select! {
            _let_go = &mut self.may_leave => {}
            () = pause(at_most) => {}
        }
    }
}

/// Events to be sent, and when.
#[derive(Debug)]
pub(super) struct Dispatch {
    events: Vec<Departing>,
    /// Where they are counted, and as what.
    deliveries: Arc<Deliveries>,
    era: Era,
    when: Turn,
}

/// The end of a first attempt, with what counts what follows from it; an error where its sandbox was reset.
type FirstAttempt = oneshot::Receiver<Counted>;

/// When events are sent.
#[derive(Debug)]
enum Turn {
    /// At once.
    Now,
    /// Once the answer is out.
    Behind(oneshot::Receiver<()>),
    /// At once, and the answer waits until their first attempts are over.
    Ahead(oneshot::Sender<()>),
}

impl SandboxCell {
    /// Puts events into the queue: the few that shall arrive before the answer, and then the others.
    pub(super) fn send_off(&self, cause: Cause, events: Vec<EventDraft>, after: Option<After>) {
        if events.is_empty() {
            return;
        }
        let departing: Vec<_> = {
            let mut state = self.lock();
            events.into_iter().filter_map(|event| state.misbehaviours.befall(event)).collect()
        };
        let is_ahead = |departing: &Departing| departing.manner.leaving == Leaving::BeforeResponse;
        let Some(After { out, held }) = after else {
            return self.enqueue(cause, departing.into_iter().map(before_nothing).collect(), Turn::Now);
        };
        let (ahead, behind): (Vec<_>, Vec<_>) = departing.into_iter().partition(is_ahead);
        self.enqueue(cause, ahead, Turn::Ahead(held));
        self.enqueue(cause, behind, out.map_or(Turn::Now, Turn::Behind));
    }

    fn enqueue(&self, cause: Cause, events: Vec<Departing>, when: Turn) {
        if events.is_empty() {
            return;
        }
        let deliveries = self.deliveries();
        let era = deliveries.begin(cause);
        let dispatch = Dispatch { events, deliveries: deliveries.clone(), era, when };
        if self.outbox.try_send(dispatch).is_err() {
            deliveries.finish(era);
            tracing::error!(account = %self.account, "the webhook queue is full: events were lost");
        }
    }

    /// An event as it goes to each webhook that wants it.
    pub(crate) fn letters(&self, event: &EventDraft, manner: &Manner) -> Vec<Letter> {
        let Some(world) = self.world.upgrade() else { return Vec::new() };
        let wanting = world
            .account_by_id(&event.recipient)
            .map(|account| {
                let account = account.lock();
                account.subscriptions.wanting(&event.event_type, &account.signing_keys)
            })
            .unwrap_or_default();
        let evolved = self.lock().machine.behaviour.evolved();
        let letter = |event, to, manner| Letter::new(event, &self.account, to, manner, &evolved);
        let mut letters: Vec<_> = wanting.iter().map(|to| letter(event, to, manner)).collect();
        if evolved.has(Evolution::NewEventTypes) && event.payload.request().is_some() {
            let (new, soundly) = (event.of_a_new_type(), Manner::default());
            letters.extend(wanting.iter().map(|to| letter(&new, to, &soundly)));
        }
        letters
    }

    /// Sends letters once each; returns how many, when the attempts have ended that begin at once.
    pub(crate) async fn deliver_once(self: &Arc<Self>, letters: Vec<Letter>) -> usize {
        let Some(world) = self.world.upgrade() else { return 0 };
        let deliveries = self.deliveries();
        let count = letters.len();
        let mut attempts = Vec::new();
        for letter in letters {
            let era = deliveries.begin(Cause::Act);
            let at_once = letter.leaves_at_once();
            let attempt = world.courier.clone().deliver_once(self.clone(), deliveries.clone(), era, letter);
            let attempt = world.tasks.spawn(self.stopped.clone().run_until_cancelled_owned(attempt));
            if at_once {
                attempts.push(attempt);
            }
        }
        futures::future::join_all(attempts).await;
        count
    }

    /// Delivers an event; returns to how many webhooks, when the first attempts have ended.
    pub(crate) async fn deliver(self: &Arc<Self>, event: &EventDraft, manner: &Manner) -> usize {
        let Some(world) = self.world.upgrade() else { return 0 };
        let deliveries = self.deliveries();
        // Counted itself until each of its deliveries is.
        let era = deliveries.begin(Cause::Act);
        let first_attempts = self.start_deliveries(&world, &deliveries, era, event, manner);
        deliveries.finish(era);
        let count = first_attempts.len();
        futures::future::join_all(first_attempts).await;
        count
    }

    /// Starts the deliveries of an event; returns the ends of the first attempts, which all fall due at one
    /// time: copies that come late are not among them.
    fn start_deliveries(
        self: &Arc<Self>,
        world: &World,
        deliveries: &Arc<Deliveries>,
        era: Era,
        event: &EventDraft,
        manner: &Manner,
    ) -> Vec<FirstAttempt> {
        let letters = self.letters(event, manner);
        if manner.leaving == Leaving::Lost {
            for letter in &letters {
                Courier::lose(self, letter);
            }
            return Vec::new();
        }
        let start = |letter: Letter| {
            let copy_is_late = matches!(manner.repeated, Repeated::Late(_)) && !letter.leaves_at_once();
            let (ended, first_attempt) = oneshot::channel();
            deliveries.begin_in(era);
            let delivery =
                world.courier.clone().deliver(self.clone(), deliveries.clone(), era, letter, ended);
            world.tasks.spawn(self.stopped.clone().run_until_cancelled_owned(delivery));
            (!copy_is_late).then_some(first_attempt)
        };
        letters.into_iter().flat_map(|letter| letter.repeated(manner)).filter_map(start).collect()
    }
}

/// An event that no answer waits for: it goes in its turn, and the journal does not say otherwise.
fn before_nothing(mut departing: Departing) -> Departing {
    if departing.manner.leaving == Leaving::BeforeResponse {
        let (payment, event) = (&departing.event.payment, &departing.event.event_type);
        tracing::warn!(payment, event, "no answer waits for this event, so it cannot come before one");
        departing.manner.leaving = Leaving::BeforeNothing;
    }
    departing
}

/// Starts deliveries in the order in which their events happened.
pub(super) async fn dispatch_all(cell: Arc<SandboxCell>, mut inbox: mpsc::Receiver<Dispatch>) {
    while let Some(Dispatch { events, deliveries, era, when }) = inbox.recv().await {
        let held = match when {
            Turn::Now => None,
            Turn::Behind(out) => {
                // Whether the answer went out or its reader was gone: the events follow now.
                let _answer_is_out = out.await;
                None
            }
            Turn::Ahead(held) => Some(held),
        };
        let Some(world) = cell.world.upgrade() else { return };
        let mut first_attempts = Vec::new();
        for Departing { event, manner, behind } in events {
            let mut started = cell.start_deliveries(&world, &deliveries, era, &event, &manner);
            if behind.is_empty() {
                first_attempts.append(&mut started);
                continue;
            }
            // Where no webhook wanted the later event, nothing else counts what follows now.
            let counted = started.is_empty().then(|| Counted::begin_in(deliveries.clone(), era));
            let follow = follow(cell.clone(), deliveries.clone(), era, started, behind);
            let follow = async move {
                follow.await;
                drop(counted);
            };
            world.tasks.spawn(cell.stopped.clone().run_until_cancelled_owned(follow));
        }
        if let Some(held) = held {
            let let_go = async move {
                futures::future::join_all(first_attempts).await;
                drop(held);
            };
            world.tasks.spawn(cell.stopped.clone().run_until_cancelled_owned(let_go));
        }
        deliveries.finish(era);
    }
}

/// Sends what was kept back until the first attempts of a later event are over, and nothing if they never
/// come to that. Until then it is they that hold up moves of the clock, or do not.
async fn follow(
    cell: Arc<SandboxCell>,
    deliveries: Arc<Deliveries>,
    era: Era,
    first_attempts: Vec<FirstAttempt>,
    behind: Vec<(EventDraft, Manner)>,
) {
    let Ok(_counted) = futures::future::try_join_all(first_attempts).await else { return };
    for (event, manner) in behind {
        let Some(world) = cell.world.upgrade() else { return };
        drop(cell.start_deliveries(&world, &deliveries, era, &event, &manner));
    }
}
