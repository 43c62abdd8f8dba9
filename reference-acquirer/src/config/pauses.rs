//! How long to wait between attempts.

use std::time::Duration;

use serde::Deserialize;

use super::reading::milliseconds;

/// Bounded retries with growing pauses.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Calls in all, the first included.
    pub attempts: u32,
    /// First pause.
    #[serde(rename = "first_ms", deserialize_with = "milliseconds")]
    pub first: Duration,
    /// Longest pause.
    #[serde(rename = "max_ms", deserialize_with = "milliseconds")]
    pub max: Duration,
}

impl Retry {
    /// The pause after so many failures, or `None` when that was the last attempt.
    pub fn pause(&self, failures: u32, share: f64) -> Option<Duration> {
        let backoff = Backoff { first: self.first, max: self.max };
        (failures < self.attempts).then(|| backoff.pause(failures, share))
    }
}

/// Growing pauses without an end.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backoff {
    /// First pause.
    #[serde(rename = "first_ms", deserialize_with = "milliseconds")]
    pub first: Duration,
    /// Longest pause.
    #[serde(rename = "max_ms", deserialize_with = "milliseconds")]
    pub max: Duration,
}

impl Backoff {
    /// The pause after so many failures (from 1), shortened by `share` (0 to 1).
    pub fn pause(&self, failures: u32, share: f64) -> Duration {
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.min(self.max).mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_attempts_are_counted() {
        let millis = Duration::from_millis;
        let retry = Retry { attempts: 6, first: millis(100), max: millis(500) };
        let pauses: Vec<_> = (1..=7).map(|failures| retry.pause(failures, 1.0)).collect();
        let expected = [Some(100), Some(200), Some(400), Some(500), Some(500), None, None];
        assert_eq!(pauses, expected.map(|pause| pause.map(millis)));
        assert_eq!(retry.pause(2, 0.5), Some(millis(100)));
        // After ever so many failures too.
        let backoff = Backoff { first: millis(100), max: millis(500) };
        assert_eq!(backoff.pause(u32::MAX, 1.0), millis(500));
    }
}
