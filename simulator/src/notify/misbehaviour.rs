//! Which events to come misbehave, and which are kept back.

use std::collections::VecDeque;

use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::simulator::control::{
    HeldWebhook, ReleaseWebhooks, WaitingMisbehaviour, WebhookWish, WebhooksView,
};

use super::Manner;
use super::manner::Leaving;
use crate::engine::EventDraft;
use crate::pattern::fits;

/// The most events that are held, and the most misbehaviours that wait, in one sandbox.
const MAX_WAITING: usize = 1_000;

/// What an event must be of to misbehave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Of {
    /// A Payment Request.
    Request(PaymentRequestId),
    /// A payment, by the simulator's name of it.
    Payment(String),
    /// Anything.
    Any,
}

impl Of {
    fn fits(&self, event: &EventDraft) -> bool {
        match self {
            Self::Request(id) => event.payload.request() == Some(id),
            Self::Payment(name) => event.payment == *name,
            Self::Any => true,
        }
    }
}

/// Events to come, and how they shall misbehave.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) of: Of,
    /// Which events, and what befalls them.
    pub(crate) wish: WebhookWish,
    /// What that means.
    pub(crate) manner: Manner,
}

impl Expected {
    /// How many such events there still are to befall.
    fn left(&self) -> u32 {
        self.wish.times.unwrap_or(1)
    }

    /// For the tester.
    fn view(&self) -> WaitingMisbehaviour {
        let (payment_request_id, payment) = match &self.of {
            Of::Request(id) => (Some(id.clone()), None),
            Of::Payment(name) => (None, Some(name.clone())),
            Of::Any => (None, None),
        };
        let wish = WebhookWish { times: Some(self.left()), ..self.wish.clone() };
        WaitingMisbehaviour { payment_request_id, payment, wish }
    }
}

/// An event on its way out.
#[derive(Debug)]
pub(crate) struct Departing {
    pub(crate) event: EventDraft,
    pub(crate) manner: Manner,
    /// Earlier events of the payment that leave when its first attempt is over.
    pub(crate) behind: Vec<(EventDraft, Manner)>,
}

/// What awaits the events of one sandbox, and the events that are held.
#[derive(Debug, Clone, Default)]
pub(crate) struct Misbehaviours {
    next: VecDeque<Expected>,
    held: VecDeque<(EventDraft, Manner)>,
}

/// As many wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_WAITING} misbehaviours wait already")]
pub(crate) struct TooManyMisbehaviours;

impl Misbehaviours {
    /// Lets the next such events misbehave.
    pub(crate) fn expect(&mut self, expected: Expected) -> Result<(), TooManyMisbehaviours> {
        if self.next.len() >= MAX_WAITING {
            return Err(TooManyMisbehaviours);
        }
        self.next.push_back(expected);
        Ok(())
    }

    /// Lets events of a payment misbehave as a rule or an outcome says. Wishes are looked at where they are
    /// laid down; what there is no room for is left out, and the log says so.
    pub(crate) fn wish(&mut self, payment: &str, wishes: &[WebhookWish]) {
        for wish in wishes {
            let Ok(manner) = Manner::of_wish(wish) else { continue };
            let expected = Expected { of: Of::Payment(payment.to_owned()), wish: wish.clone(), manner };
            if let Err(full) = self.expect(expected) {
                tracing::error!(payment, %full, "a webhook will not misbehave as it should");
            }
        }
    }

    /// How an event that has happened leaves; `None` where it is kept back.
    pub(crate) fn befall(&mut self, event: EventDraft) -> Option<Departing> {
        let manner = self.take(&event).unwrap_or_default();
        if matches!(manner.leaving, Leaving::Held | Leaving::Reordered) {
            if self.held.len() < MAX_WAITING {
                self.held.push_back((event, manner));
                return None;
            }
            tracing::error!("too many events are held: this one is sent");
        }
        // Nothing follows what never leaves.
        let follows = |(held, held_as): &(EventDraft, Manner)| {
            manner.leaving != Leaving::Lost
                && held_as.leaving == Leaving::Reordered
                && held.payment == event.payment
        };
        let (behind, held) = self.held.drain(..).partition(follows);
        self.held = held;
        let behind: VecDeque<_> = behind;
        Some(Departing { event, manner, behind: behind.into() })
    }

    /// The first manner that waits for such an event.
    fn take(&mut self, event: &EventDraft) -> Option<Manner> {
        let waits_for = |expected: &Expected| {
            expected.of.fits(event) && fits(&expected.wish.event_type, &event.event_type)
        };
        let position = self.next.iter().position(waits_for)?;
        let expected = self.next.get_mut(position)?;
        let manner = expected.manner.clone();
        let left = expected.left().saturating_sub(1);
        expected.wish.times = Some(left);
        if left == 0 {
            self.next.remove(position);
        }
        Some(manner)
    }

    /// What waits, for the tester.
    pub(crate) fn view(&self) -> WebhooksView {
        let held = self.held.iter().map(|(event, _)| HeldWebhook {
            event_id: event.event_id.clone(),
            event_type: event.event_type.clone(),
            payment: event.payment.clone(),
        });
        WebhooksView { next: self.next.iter().map(Expected::view).collect(), held: held.collect() }
    }

    /// Takes out what is held and fits, in order.
    pub(crate) fn release(&mut self, which: &ReleaseWebhooks) -> Vec<(EventDraft, Manner)> {
        let fits = |event: &EventDraft| {
            which.payment_request_id.as_ref().is_none_or(|id| event.payload.request() == Some(id))
                && which.event_type.as_ref().is_none_or(|name| *name == event.event_type)
        };
        let (released, held) = self.held.drain(..).partition(|(event, _)| fits(event));
        self.held = held;
        let released: VecDeque<_> = released;
        released.into()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::engine::EventPayload;

    fn event(payment: &str, event_type: &str) -> EventDraft {
        EventDraft {
            number: 0,
            event_id: "e".to_owned(),
            event_type: event_type.to_owned(),
            occurred_at: Timestamp::UNIX_EPOCH,
            recipient: "krn:acquirer".into(),
            payload: EventPayload::Other(json!({})),
            payment: payment.to_owned(),
            epoch: 1,
        }
    }

    fn expected(of: Of, event_type: &str, leaving: Leaving, times: u32) -> Expected {
        let manner = Manner { leaving, ..Manner::default() };
        let wish = serde_json::from_value(json!({"event_type": event_type, "times": times})).unwrap();
        Expected { of, wish, manner }
    }

    #[test]
    fn a_misbehaviour_befalls_so_many_events_of_a_payment() {
        let mut all = Misbehaviours::default();
        all.expect(expected(Of::Payment("e1p2".to_owned()), "payment.*", Leaving::Lost, 2)).unwrap();
        let mut leaves = |payment: &str, name: &str| {
            all.befall(event(payment, name)).map(|departing| departing.manner.leaving)
        };
        assert_eq!(leaves("e1p1", "payment.a"), Some(Leaving::InTurn));
        assert_eq!(leaves("e1p2", "other.a"), Some(Leaving::InTurn));
        assert_eq!(leaves("e1p2", "payment.a"), Some(Leaving::Lost));
        assert_eq!(leaves("e1p2", "payment.b"), Some(Leaving::Lost));
        assert_eq!(leaves("e1p2", "payment.c"), Some(Leaving::InTurn));
    }

    #[test]
    fn what_is_reordered_follows_the_next_event_of_its_payment() {
        let mut all = Misbehaviours::default();
        all.expect(expected(Of::Any, "a", Leaving::Reordered, 1)).unwrap();
        assert!(all.befall(event("e1p1", "a")).is_none());
        let mut behind = |payment: &str| all.befall(event(payment, "b")).unwrap().behind.len();
        assert_eq!((behind("e1p2"), behind("e1p1"), behind("e1p1")), (0, 1, 0));
    }
}
