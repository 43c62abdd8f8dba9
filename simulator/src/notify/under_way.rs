//! Which deliveries of a sandbox are under way, and what a move of its clock waits for and tells.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::world::SandboxCell;

/// Which deliveries of a sandbox are under way, and which wait for their next attempt.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    state: Mutex<InFlight>,
    changed: watch::Sender<u64>,
}

/// When a delivery has begun, as moves of the clock count it: one waits for what has begun before it, and
/// for what falls due by it, and not for what callers set going meanwhile, of which there may be no end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Era(u64);

/// Something of an era that holds up moves of the clock until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    deliveries: Arc<Deliveries>,
    era: Era,
}

impl Counted {
    /// Counts something that follows from what is counted in this era.
    pub(crate) fn begin_in(deliveries: Arc<Deliveries>, era: Era) -> Self {
        deliveries.begin_in(era);
        Self { deliveries, era }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.deliveries.finish(self.era);
    }
}

/// What sets a delivery going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Somebody did something.
    Act,
    /// Its time has come: the move under way has brought it about, whoever noticed first.
    Time,
}

#[derive(Debug, Default)]
struct InFlight {
    /// What is set going now begins in this era. A move of the clock ends it.
    era: Era,
    /// The move under way: moves of one sandbox's clock go one after another.
    moving: Option<Moving>,
    active: BTreeMap<Era, usize>,
    waiting: BTreeMap<(Timestamp, Era), usize>,
    /// The sandbox is gone, and its deliveries with it.
    closed: bool,
}

/// What a move of the clock has brought about, and has not told yet.
#[derive(Debug)]
struct Moving {
    /// The era that ended with it.
    era: Era,
    /// When it began: what was due by then is not its work.
    from: Timestamp,
    /// What fell due, in words, in order.
    fallen_due: Vec<String>,
    attempted: Vec<Attempted>,
}

/// An attempt that has ended, for the move of the clock that has brought it about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempted {
    /// When it was to begin.
    pub(super) fell_due: Timestamp,
    /// Where its event stands among the effects of the sandbox.
    pub(super) event: u64,
    /// What it was and how it ended.
    pub(super) words: String,
}

/// A move of the clock, from its first step to its last.
#[derive(Debug)]
pub(crate) struct ClockMove {
    deliveries: Arc<Deliveries>,
    era: Era,
}

impl ClockMove {
    /// Begins one at `from`: what is set going from now on does not hold it up. Only one is under way at
    /// a time.
    pub(crate) fn begin(deliveries: Arc<Deliveries>, from: Timestamp) -> Self {
        let mut state = deliveries.lock();
        let era = state.era;
        state.era = Era(era.0 + 1);
        state.moving = Some(Moving { era, from, fallen_due: Vec::new(), attempted: Vec::new() });
        drop(state);
        Self { deliveries, era }
    }

    /// What has happened since it was asked last, whoever noticed first: what fell due, in order, and then
    /// the attempts, which run side by side, in the order of their events.
    pub(crate) fn happened(&self) -> Vec<String> {
        let mut state = self.deliveries.lock();
        let Some(moving) = &mut state.moving else { return Vec::new() };
        let mut happened = std::mem::take(&mut moving.fallen_due);
        let mut attempted = std::mem::take(&mut moving.attempted);
        attempted.sort_by(|one, other| (one.event, &one.words).cmp(&(other.event, &other.words)));
        happened.extend(attempted.into_iter().map(|attempted| attempted.words));
        happened
    }

    /// When the next attempt falls due that it waits for.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let state = self.deliveries.lock();
        // What was on its way when the sandbox was reset may still say that it waits, and never wakes.
        let mut waiting = state.waiting.keys().filter(|(_, begun)| !state.closed && *begun <= self.era);
        waiting.next().map(|(due, _)| *due)
    }

    /// Returns when no attempt that it waits for is under way, and none that was due by `now` still
    /// waits.
    pub(crate) async fn settled(&self, now: Timestamp) {
        let mut changed = self.deliveries.changed.subscribe();
        // The sender lives as long as `self`.
        let _settled = changed.wait_for(|_| !self.deliveries.lock().holds_up(self.era, now)).await;
    }
}

impl Drop for ClockMove {
    fn drop(&mut self) {
        self.deliveries.lock().moving = None;
    }
}

impl InFlight {
    fn begin(&mut self, cause: Cause) -> Era {
        let moved = self.moving.as_ref().filter(|_| cause == Cause::Time);
        let era = moved.map_or(self.era, |moving| moving.era);
        add(&mut self.active, era);
        era
    }

    /// Whether something of this era or an earlier one is under way, or is late at `now`.
    fn holds_up(&self, era: Era, now: Timestamp) -> bool {
        let active = self.active.keys().next().is_some_and(|begun| *begun <= era);
        let late = || self.waiting.keys().take_while(|(due, _)| *due <= now).any(|(_, begun)| *begun <= era);
        !self.closed && (active || late())
    }
}

impl Deliveries {
    /// Returns when nothing is delivered any more.
    async fn closed(&self) {
        let mut changed = self.changed.subscribe();
        // The sender lives as long as `self`.
        let _closed = changed.wait_for(|_| self.lock().closed).await;
    }

    /// Nothing is delivered any more: whoever waits for it may go.
    pub(crate) fn close(&self) {
        self.change(|state| {
            state.closed = true;
            state.waiting.clear();
        });
    }

    /// Counts an attempt that is about to begin, and says in which era.
    pub(crate) fn begin(&self, cause: Cause) -> Era {
        self.change(|state| state.begin(cause))
    }

    /// Counts what has fallen due until its effects are carried out, and tells the move under way of it.
    pub(crate) fn fall_due(&self, words: impl Iterator<Item = String>) -> Era {
        self.change(|state| {
            if let Some(moving) = &mut state.moving {
                moving.fallen_due.extend(words);
            }
            state.begin(Cause::Time)
        })
    }

    /// Tells the move under way of an attempt of this era, if it has brought it about.
    pub(super) fn tell(&self, era: Era, attempted: Attempted) {
        let mut state = self.lock();
        if let Some(moving) = &mut state.moving
            && era <= moving.era
            && attempted.fell_due > moving.from
        {
            moving.attempted.push(attempted);
        }
    }

    /// Counts an attempt that follows from one of this era.
    pub(crate) fn begin_in(&self, era: Era) {
        self.change(|state| add(&mut state.active, era));
    }

    /// Lets one wait for its time. Whether that came: what was there before a reset never leaves after it.
    pub(super) async fn reached(&self, cell: &SandboxCell, era: Era, due: Timestamp) -> bool {
        self.wait(era, due);
        tokio::select! {
            () = cell.clock().reached(due) => {
                self.wake(era, due);
                true
            }
            () = self.closed() => false,
        }
    }

    fn wait(&self, era: Era, due: Timestamp) {
        self.change(|state| {
            take(&mut state.active, era);
            add(&mut state.waiting, (due, era));
        });
    }

    fn wake(&self, era: Era, due: Timestamp) {
        self.change(|state| {
            take(&mut state.waiting, (due, era));
            add(&mut state.active, era);
        });
    }

    /// Counts one that has ended.
    pub(crate) fn finish(&self, era: Era) {
        self.change(|state| take(&mut state.active, era));
    }

    fn change<T>(&self, change: impl FnOnce(&mut InFlight) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.send_modify(|version| *version += 1);
        changed
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, InFlight> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    *counts.entry(key).or_default() += 1;
}

/// Takes one away; a key without any is gone.
fn take<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}
