//! What reached the Partner, and those who wait for it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::{Notification, ReturnVisit, ShopOrder};

/// Everything that came, in order; whoever waits is woken at each arrival.
#[derive(Debug)]
pub(super) struct Record {
    kept: Mutex<Kept>,
    arrivals: watch::Sender<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    next_seq: u64,
    pub(super) notifications: Vec<Notification>,
    by_payment: HashMap<String, Vec<usize>>,
    pub(super) visits: HashMap<String, Vec<ReturnVisit>>,
    /// Payments whose next word of an end is refused, and how.
    refusals: HashMap<String, StatusCode>,
    /// Orders of the shop, by marker.
    orders: HashMap<String, ShopOrder>,
}

impl Default for Record {
    fn default() -> Self {
        Self { kept: Mutex::default(), arrivals: watch::channel(0).0 }
    }
}

impl Kept {
    /// Notifications about one payment, in order.
    pub(super) fn notifications_of(&self, payment_id: &str) -> impl Iterator<Item = &Notification> {
        let indices = self.by_payment.get(payment_id).into_iter().flatten();
        indices.filter_map(|index| self.notifications.get(*index))
    }

    fn seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq
    }
}

impl Record {
    pub(super) fn look<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn notification(&self, mut notification: Notification) {
        self.arrive(|kept| {
            notification.seq = kept.seq();
            if let Some(payment_id) = &notification.payment_id {
                kept.by_payment.entry(payment_id.clone()).or_default().push(kept.notifications.len());
            }
            kept.notifications.push(notification);
        });
    }

    pub(super) fn refuse_next(&self, payment_id: &str, status: StatusCode) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.refusals.insert(payment_id.to_owned(), status);
    }

    /// How a notification that the payment has ended is to be refused, if it is; once.
    pub(super) fn take_refusal(&self, payment_id: &str) -> Option<StatusCode> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).refusals.remove(payment_id)
    }

    pub(super) fn take_order(&self, marker: &str, order: ShopOrder) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).orders.insert(marker.to_owned(), order);
    }

    /// An order, and what was notified about it.
    pub(super) fn order(&self, marker: &str) -> Option<(ShopOrder, Vec<Notification>)> {
        self.look(|kept| {
            let order = kept.orders.get(marker)?.clone();
            let heard = kept.notifications_of(order.payment_id()).cloned().collect();
            Some((order, heard))
        })
    }

    pub(super) fn visit(&self, marker: &str, mut visit: ReturnVisit) {
        self.arrive(|kept| {
            visit.seq = kept.seq();
            kept.visits.entry(marker.to_owned()).or_default().push(visit);
        });
    }

    fn arrive(&self, keep: impl FnOnce(&mut Kept)) {
        keep(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        self.arrivals.send_modify(|count| *count += 1);
    }

    /// What `find` finds, now or after an arrival; `None` when the deadline passes first.
    pub(super) async fn wait<T>(&self, deadline: Duration, find: impl Fn(&Kept) -> Option<T>) -> Option<T> {
        let end = Instant::now() + deadline;
        // Subscribed before the first look, so that nothing can come unseen between the two.
        let mut arrivals = self.arrivals.subscribe();
        loop {
            if let Some(found) = self.look(&find) {
                return Some(found);
            }
            if timeout_at(end, arrivals.changed()).await.is_err() {
                return self.look(&find);
            }
        }
    }
}
