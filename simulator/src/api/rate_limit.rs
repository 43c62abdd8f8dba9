//! Klarna's quotas: counted for every call whose caller is known, told in its answer's headers
//! (contract `payments.md` 5.5).

use std::fmt::Write as _;
use std::time::Instant;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::error::KlarnaError;
use super::recording::{Asked, Noted, Notes};
use crate::config::{CallCategory, RateLimitMode, RateLimitSettings};
use crate::world::{AccountCell, Level, LevelStanding, SandboxCell, Standing, count};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The names of the two levels, as the header has them.
const OF_PARTNER: &str = "account";
const OF_ACQUIRER: &str = "psp";

/// Counts a call, and notes how the quotas stand for its answer. Fails where it is one too many.
pub(super) fn take(
    settings: &RateLimitSettings,
    category: CallCategory,
    notes: &Notes,
    acquirer: &AccountCell,
    partner: Option<&SandboxCell>,
) -> Result<(), KlarnaError> {
    if settings.mode == RateLimitMode::Off {
        return Ok(());
    }
    let quota = settings.quotas.of(category);
    let of_partner =
        partner.map(|cell| Level { name: OF_PARTNER, calls: cell.counted_calls(), quota: quota.account });
    let of_acquirer = Level { name: OF_ACQUIRER, calls: acquirer.counted_calls(), quota: quota.psp };
    let levels: Vec<_> = of_partner.into_iter().chain([of_acquirer]).collect();
    let standing = count(&levels, category, Instant::now());
    let refused = standing.exceeded && settings.mode == RateLimitMode::Enforce;
    let nearest = nearest(&standing.levels).map_or(0, |level| level.quota);
    notes.note(|noted| noted.quotas = Some(standing));
    if !refused {
        return Ok(());
    }
    notes.note(|noted| noted.rule = Some("rate-limit".to_owned()));
    let message = format!("more than {nearest} calls of the category {} in a second", category.name());
    Err(KlarnaError::rate_limited(message))
}

/// Puts the three headers on an answer that a tester wished for: a 429 is of quotas that are used up.
pub(super) fn stamp_fault(
    status: StatusCode,
    noted: &Noted,
    settings: &RateLimitSettings,
    headers: &mut HeaderMap,
) {
    match (status, noted.asked) {
        (StatusCode::TOO_MANY_REQUESTS, Asked::Operation(operation)) => {
            stamp(&used_up(settings, operation.category), headers);
        }
        _ => {
            if let Some(quotas) = &noted.quotas {
                stamp(quotas, headers);
            }
        }
    }
}

fn used_up(settings: &RateLimitSettings, category: CallCategory) -> Standing {
    let quota = settings.quotas.of(category);
    let levels = [(OF_PARTNER, quota.account), (OF_ACQUIRER, quota.psp)];
    let levels = levels.map(|(name, quota)| LevelStanding { name, quota, left: 0 }).to_vec();
    Standing { category, levels, exceeded: true }
}

/// Puts the three headers on an answer.
pub(super) fn stamp(standing: &Standing, headers: &mut HeaderMap) {
    let Some(nearest) = nearest(&standing.levels) else { return };
    let mut limit = nearest.quota.to_string();
    for (index, LevelStanding { name, quota, .. }) in standing.levels.iter().enumerate() {
        let comma = if index == 0 { ", " } else { "," };
        // Writing to a string does not fail.
        let _written = write!(limit, "{comma}{quota};w=1;name=\"{name}_{}\"", standing.category.name());
    }
    for (header, value) in [(LIMIT, limit), (REMAINING, nearest.left.to_string())] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
    headers.insert(RESET, HeaderValue::from_static("1"));
}

/// The level that has the fewest calls left.
fn nearest(levels: &[LevelStanding]) -> Option<&LevelStanding> {
    levels.iter().min_by_key(|level| level.left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_nearest_to_its_end_comes_first() {
        let mut headers = HeaderMap::new();
        let levels = vec![
            LevelStanding { name: OF_PARTNER, quota: 40, left: 15 },
            LevelStanding { name: OF_ACQUIRER, quota: 100, left: 16 },
        ];
        stamp(&Standing { category: CallCategory::PaymentAuthorize, levels, exceeded: false }, &mut headers);
        // Klarna's own sample.
        let limit = r#"40, 40;w=1;name="account_payment-authorize",100;w=1;name="psp_payment-authorize""#;
        assert_eq!(headers[LIMIT], limit);
        assert_eq!((&headers[REMAINING], &headers[RESET]), (&"15".parse().unwrap(), &"1".parse().unwrap()));
    }
}
