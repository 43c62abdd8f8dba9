//! How a sandbox's events leave it: in the order in which they happened, to each webhook that wants them.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use klarna_schemas::simulator::control::Evolution;

use super::World;
use super::sandbox_cell::SandboxCell;
use crate::engine::EventDraft;
use crate::notify::{Cause, Deliveries, Era, Letter, Manner};

/// Events to be sent, and when: once the answer that they follow is out.
#[derive(Debug)]
pub(super) struct Dispatch {
    pub(super) events: Vec<EventDraft>,
    /// Where they are counted, and as what.
    pub(super) deliveries: Arc<Deliveries>,
    pub(super) era: Era,
    /// Ends (or is dropped) when the answer has been handed to the network.
    pub(super) after: Option<oneshot::Receiver<()>>,
}

impl SandboxCell {
    /// An event as it goes to each webhook that wants it.
    pub(crate) fn letters(&self, event: &EventDraft, manner: &Manner) -> Vec<Letter> {
        let Some(world) = self.world.upgrade() else { return Vec::new() };
        let wanting = world
            .account_by_id(&event.recipient)
            .map(|account| account.lock().subscriptions.wanting(&event.event_type))
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

    /// Sends letters once each; returns how many, when all attempts have ended.
    pub(crate) async fn deliver_once(self: &Arc<Self>, letters: Vec<Letter>) -> usize {
        let Some(world) = self.world.upgrade() else { return 0 };
        let deliveries = self.deliveries();
        let attempts: Vec<_> = letters
            .into_iter()
            .map(|letter| {
                let era = deliveries.begin(Cause::Act);
                let attempt =
                    world.courier.clone().deliver_once(self.clone(), deliveries.clone(), era, letter);
                world.tasks.spawn(self.stopped.clone().run_until_cancelled_owned(attempt))
            })
            .collect();
        let count = attempts.len();
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

    /// Starts the deliveries of an event; each is told of the end of its first attempt.
    fn start_deliveries(
        self: &Arc<Self>,
        world: &World,
        deliveries: &Arc<Deliveries>,
        era: Era,
        event: &EventDraft,
        manner: &Manner,
    ) -> Vec<oneshot::Receiver<()>> {
        let letters = self.letters(event, manner);
        let copies = letters.iter().filter(|_| manner.twice).map(Letter::copied).collect::<Vec<_>>();
        let start = |letter| {
            let (ended, first_attempt) = oneshot::channel();
            deliveries.begin_in(era);
            let delivery =
                world.courier.clone().deliver(self.clone(), deliveries.clone(), era, letter, ended);
            world.tasks.spawn(self.stopped.clone().run_until_cancelled_owned(delivery));
            first_attempt
        };
        letters.into_iter().chain(copies).map(start).collect()
    }
}

/// Starts deliveries in the order in which their events happened.
pub(super) async fn dispatch_all(cell: Arc<SandboxCell>, mut inbox: mpsc::Receiver<Dispatch>) {
    while let Some(dispatch) = inbox.recv().await {
        if let Some(after) = dispatch.after {
            // Whether the answer went out or its reader was gone: the events follow now.
            let _answer_is_out = after.await;
        }
        let Some(world) = cell.world.upgrade() else { return };
        for event in dispatch.events {
            let manner = cell.lock().misbehaviours.befall(&event);
            if let Some(manner) = manner {
                drop(cell.start_deliveries(&world, &dispatch.deliveries, dispatch.era, &event, &manner));
            }
        }
        dispatch.deliveries.finish(dispatch.era);
    }
}
