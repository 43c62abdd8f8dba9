//! Calls of the current second, counted by category: what rate limits are kept by.
//!
//! They go by real time: a sandbox whose clock stands still goes on being called.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::CallCategory;

/// What calls are counted in (contract `payments.md` 5.5: `w=1`).
const WINDOW: Duration = Duration::from_secs(1);

/// The calls of an account, by category.
#[derive(Debug, Default)]
pub(crate) struct CountedCalls(Mutex<[Option<Window>; CallCategory::ALL.len()]>);

/// A second that began with a call.
#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    calls: u32,
}

/// A level at which calls are counted, with its quota.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level<'a> {
    /// Its name in the header: `account` or `psp`.
    pub(crate) name: &'static str,
    pub(crate) calls: &'a CountedCalls,
    /// Calls a second.
    pub(crate) quota: u32,
}

/// How a level stands after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LevelStanding {
    pub(crate) name: &'static str,
    pub(crate) quota: u32,
    pub(crate) left: u32,
}

/// How the quotas of a call stand after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) category: CallCategory,
    pub(crate) levels: Vec<LevelStanding>,
    /// Whether it was a call too many; it is not counted then.
    pub(crate) exceeded: bool,
}

/// Counts a call at each level, unless one of them has no room for it.
pub(crate) fn count(levels: &[Level<'_>], category: CallCategory, now: Instant) -> Standing {
    let exceeded = levels.iter().any(|level| level.calls.used(category, now) >= level.quota);
    let standing = |level: &Level<'_>| {
        let used = if exceeded { level.calls.used(category, now) } else { level.calls.add(category, now) };
        LevelStanding { name: level.name, quota: level.quota, left: level.quota.saturating_sub(used) }
    };
    Standing { category, levels: levels.iter().map(standing).collect(), exceeded }
}

impl CountedCalls {
    fn used(&self, category: CallCategory, now: Instant) -> u32 {
        self.with(category, |window| open(*window, now).map_or(0, |window| window.calls))
    }

    /// Counts a call, and tells how many there are with it.
    fn add(&self, category: CallCategory, now: Instant) -> u32 {
        self.with(category, |window| {
            let mut current = open(*window, now).unwrap_or(Window { began: now, calls: 0 });
            current.calls = current.calls.saturating_add(1);
            *window = Some(current);
            current.calls
        })
    }

    fn with<T>(&self, category: CallCategory, act: impl FnOnce(&mut Option<Window>) -> T) -> T {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut none = None;
        // Each category has a place: they are counted by the same list.
        act(windows.get_mut(category as usize).unwrap_or(&mut none))
    }
}

/// The window, unless its second is over.
fn open(window: Option<Window>, now: Instant) -> Option<Window> {
    window.filter(|window| now.saturating_duration_since(window.began) < WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORIZE: CallCategory = CallCategory::PaymentAuthorize;

    #[test]
    fn categories_have_places_of_their_own() {
        let places: Vec<usize> = CallCategory::ALL.iter().map(|category| *category as usize).collect();
        assert_eq!(places, (0..CallCategory::ALL.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_second_holds_as_many_calls_as_the_quota_and_the_next_as_many_again() {
        let (calls, start) = (CountedCalls::default(), Instant::now());
        let at = |ms: u64, category| {
            let level = Level { name: "account", calls: &calls, quota: 2 };
            let standing = count(&[level], category, start + Duration::from_millis(ms));
            (standing.exceeded, standing.levels[0].left)
        };
        assert_eq!(at(0, AUTHORIZE), (false, 1));
        assert_eq!(at(400, AUTHORIZE), (false, 0));
        assert_eq!(at(999, AUTHORIZE), (true, 0));
        // Another category has calls of its own.
        assert_eq!(at(999, CallCategory::Notification), (false, 1));
        assert_eq!(at(1000, AUTHORIZE), (false, 1));
    }

    #[test]
    fn a_call_that_one_level_refuses_is_counted_at_none() {
        let (account, other, psp, now) =
            (CountedCalls::default(), CountedCalls::default(), CountedCalls::default(), Instant::now());
        let call = |account| {
            let levels = [
                Level { name: "account", calls: account, quota: 1 },
                Level { name: "psp", calls: &psp, quota: 2 },
            ];
            let standing = count(&levels, AUTHORIZE, now);
            (standing.exceeded, standing.levels.iter().map(|level| level.left).collect::<Vec<_>>())
        };
        assert_eq!(call(&account), (false, vec![0, 1]));
        assert_eq!(call(&account), (true, vec![0, 1]));
        assert_eq!(call(&other), (false, vec![0, 0]));
        assert_eq!(call(&CountedCalls::default()), (true, vec![1, 0]));
    }
}
