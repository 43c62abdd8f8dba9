//! Time: the only place that reads the real clock, and each sandbox's own time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::simulator::control::SetClock;
use tokio::sync::watch;

/// The longest that a tester can let something wait on a sandbox's clock: more than all attempts to deliver
/// an event take, and far from the end of time, where what is due would be due at once.
pub(crate) const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Real time.
pub(crate) fn real_now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this module owns the clock")]
    Timestamp::now()
}

/// Measures real time, whatever becomes of the wall clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run since it was started, or since the last lap.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// The same, and begins anew.
    pub(crate) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.0, now))
    }
}

/// One sandbox's time: real time plus an offset, or standing still.
#[derive(Debug)]
pub(crate) struct SandboxClock {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    offset: SignedDuration,
    frozen_at: Option<Timestamp>,
}

/// How a clock stood once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    at: Timestamp,
    frozen: bool,
}

impl Standing {
    /// Its time then.
    pub(crate) fn now(self) -> Timestamp {
        self.at
    }
}

/// Why a clock cannot be moved so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClockRefusal {
    #[error("a sandbox's clock never goes backwards: it is {now}, and {asked} was asked for")]
    Backwards { now: Timestamp, asked: Timestamp },
    #[error("that is beyond the end of time")]
    OutOfRange,
}

impl SandboxClock {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State { offset: SignedDuration::ZERO, frozen_at: None }),
            changed: watch::Sender::new(0),
        }
    }

    /// How it stands, to go back to.
    pub(crate) fn standing(&self) -> Standing {
        let state = *self.lock();
        Standing { at: now(state), frozen: state.frozen_at.is_some() }
    }

    /// Goes back to how it stood. Only a sandbox as a whole goes back in time.
    pub(crate) fn go_back_to(&self, Standing { at, frozen }: Standing) {
        *self.lock() = State { offset: at.duration_since(real_now()), frozen_at: frozen.then_some(at) };
        self.tell();
    }

    /// The sandbox's time.
    pub(crate) fn now(&self) -> Timestamp {
        now(*self.lock())
    }

    /// Where a move would lead, without making it.
    pub(crate) fn target(&self, change: &SetClock) -> Result<Timestamp, ClockRefusal> {
        let now = self.now();
        let asked = match change {
            SetClock::Freeze(_) => now,
            SetClock::Set(at) => *at,
            SetClock::Advance(by) => now.checked_add(*by).map_err(|_| ClockRefusal::OutOfRange)?,
        };
        if asked < now { Err(ClockRefusal::Backwards { now, asked }) } else { Ok(asked) }
    }

    /// Real time again, as at the start.
    pub(crate) fn restart(&self) {
        *self.lock() = State { offset: SignedDuration::ZERO, frozen_at: None };
        self.tell();
    }

    /// Stands still, or goes on from where it stands.
    pub(crate) fn freeze(&self, frozen: bool) {
        let mut state = self.lock();
        let at = now(*state);
        *state = State { offset: at.duration_since(real_now()), frozen_at: frozen.then_some(at) };
        drop(state);
        self.tell();
    }

    /// Goes forward to `at`; a time that is past already changes nothing.
    pub(crate) fn go_to(&self, at: Timestamp) {
        let mut state = self.lock();
        if at > now(*state) {
            *state = State { offset: at.duration_since(real_now()), frozen_at: state.frozen_at.map(|_| at) };
        }
        drop(state);
        self.tell();
    }

    /// Returns when the sandbox's time has reached `at`, however it gets there.
    pub(crate) async fn reached(&self, at: Timestamp) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let state = *self.lock();
            let now = now(state);
            if now >= at {
                return;
            }
            let left = Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
            let moved = changed.changed();
            if state.frozen_at.is_some() {
                // The sender lives as long as `self`, so this ends only by a move.
                let _moved = moved.await;
            } else {
                tokio::select! {
                    _moved = moved => {}
                    () = pause(left) => {}
                }
            }
        }
    }

    fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pause in real time.
pub(crate) async fn pause(duration: Duration) {
    #[expect(clippy::disallowed_methods, reason = "this module owns the clock")]
    tokio::time::sleep(duration).await;
}

fn now(state: State) -> Timestamp {
    state.frozen_at.unwrap_or_else(|| real_now().checked_add(state.offset).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_moved() {
        let clock = SandboxClock::new();
        clock.freeze(true);
        let before = clock.now();
        assert_eq!(clock.now(), before);
        let target = clock.target(&SetClock::Advance(SignedDuration::from_hours(1))).unwrap();
        clock.go_to(target);
        assert_eq!(clock.now().duration_since(before), SignedDuration::from_hours(1));
    }

    #[test]
    fn backwards_is_refused() {
        let clock = SandboxClock::new();
        clock.freeze(true);
        let past = clock.now().checked_sub(SignedDuration::from_secs(1)).unwrap();
        assert!(matches!(clock.target(&SetClock::Set(past)), Err(ClockRefusal::Backwards { .. })));
    }

    #[tokio::test]
    async fn waiting_ends_when_the_clock_is_moved_there() {
        let clock = std::sync::Arc::new(SandboxClock::new());
        clock.freeze(true);
        let at = clock.now().checked_add(SignedDuration::from_hours(12)).unwrap();
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.reached(at).await }
        });
        clock.go_to(at);
        waiting.await.unwrap();
    }
}
