//! A Klarna that hangs or is down must not take the Partner API with it.
//!
//! Only so many calls are under way at once; one too many is put off like one that got no answer. And
//! after so many calls in a row without an answer none is made for a while: then one goes out to see,
//! and its answer lets the others follow. What is put off is never lost: it waits in the outbox.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::client::CallError;
use crate::config::Breaker as Settings;

/// Counts calls, and those without an answer.
#[derive(Debug)]
pub(super) struct Breaker {
    places: Semaphore,
    settings: Settings,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Calls go out; so many in a row had no answer.
    Closed { failures: u32 },
    /// No call goes out until then.
    Open { until: Instant },
    /// One has gone out to see.
    Probing,
}

/// A call that may be made.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    _place: SemaphorePermit<'a>,
    judged: bool,
}

impl Breaker {
    pub(super) fn new(settings: Settings) -> Self {
        let state = Mutex::new(State::Closed { failures: 0 });
        Self { places: Semaphore::new(settings.calls), settings, state }
    }

    /// Lets a call pass, or says why it has to wait and how long.
    pub(super) fn pass(&self) -> Result<Pass<'_>, CallError> {
        let put_off =
            |reason: &str, not_before| CallError::TryAgain { reason: reason.to_owned(), not_before };
        let place = self.places.try_acquire();
        let place =
            place.map_err(|_| put_off("as many calls to Klarna as may be are under way", Duration::ZERO))?;
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => {}
            State::Open { until } if Instant::now() < until => {
                let left = until.saturating_duration_since(Instant::now());
                return Err(put_off("Klarna has not answered for a while; no call is made", left));
            }
            State::Open { .. } => *state = State::Probing,
            State::Probing => {
                let why = "Klarna has not answered for a while; one call is under way to see";
                return Err(put_off(why, self.settings.open));
            }
        }
        Ok(Pass { breaker: self, _place: place, judged: false })
    }

    /// Whether calls are held back.
    pub(super) fn holds_back(&self) -> bool {
        match *self.lock() {
            State::Closed { .. } => false,
            State::Open { until } => Instant::now() < until,
            State::Probing => true,
        }
    }

    fn answered(&self) {
        let mut state = self.lock();
        if !matches!(*state, State::Closed { .. }) {
            tracing::info!("Klarna answers again");
            metrics::gauge!("acquirer_klarna_breaker_open").set(0.0);
        }
        *state = State::Closed { failures: 0 };
    }

    fn not_answered(&self) {
        let mut state = self.lock();
        let failures = match *state {
            State::Closed { failures } => failures + 1,
            State::Open { .. } => return,
            State::Probing => self.settings.failures,
        };
        *state = if failures < self.settings.failures {
            State::Closed { failures }
        } else {
            tracing::error!(failures, "Klarna does not answer; calls wait");
            metrics::gauge!("acquirer_klarna_breaker_open").set(1.0);
            State::Open { until: Instant::now() + self.settings.open }
        };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// What became of the call: whether Klarna itself has answered, whatever it said.
    pub(super) fn ended(mut self, answered: bool) {
        self.judged = true;
        if answered {
            self.breaker.answered();
        } else {
            self.breaker.not_answered();
        }
    }
}

impl Drop for Pass<'_> {
    /// A call that was given up from outside has had no answer.
    fn drop(&mut self) {
        if !self.judged {
            self.breaker.not_answered();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(calls: usize, failures: u32, open: Duration) -> Breaker {
        Breaker::new(Settings { calls, failures, open })
    }

    #[test]
    fn so_many_in_a_row_without_an_answer_hold_the_others_back() {
        let breaker = breaker(10, 3, Duration::from_mins(1));
        for answered in [false, false, true, false, false] {
            breaker.pass().unwrap().ended(answered);
        }
        assert!(!breaker.holds_back(), "an answer in between counts");
        breaker.pass().unwrap().ended(false);
        assert!(breaker.holds_back());
        let Err(CallError::TryAgain { not_before, .. }) = breaker.pass() else { panic!("it passed") };
        assert!(not_before > Duration::from_secs(50));
    }

    #[test]
    fn one_goes_out_to_see_and_its_answer_decides() {
        for answered in [true, false] {
            let breaker = breaker(10, 1, Duration::ZERO);
            breaker.pass().unwrap().ended(false);
            let probe = breaker.pass().unwrap();
            assert!(breaker.pass().is_err(), "one, and no more");
            probe.ended(answered);
            assert_eq!(matches!(*breaker.lock(), State::Closed { .. }), answered);
        }
    }

    #[test]
    fn one_that_is_given_up_is_no_probe_for_ever() {
        let breaker = breaker(10, 1, Duration::ZERO);
        breaker.pass().unwrap().ended(false);
        drop(breaker.pass().unwrap());
        assert!(breaker.pass().is_ok(), "another one may see");
    }

    #[test]
    fn one_too_many_at_once_is_put_off() {
        let breaker = breaker(2, 9, Duration::ZERO);
        let (one, _two) = (breaker.pass().unwrap(), breaker.pass().unwrap());
        assert!(breaker.pass().is_err());
        one.ended(true);
        assert!(breaker.pass().is_ok());
    }
}
