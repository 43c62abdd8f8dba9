//! A journal as a file that people look at, keep, and hand on.

mod blackened;
mod har;
mod script;
mod secrets;
mod volatile;

use klarna_schemas::simulator::journal::JournalEntry;

use super::shelf::Kept;

pub(crate) use blackened::blacken;
pub(crate) use har::{Sizes, har};
pub(crate) use script::curl;
pub(crate) use secrets::Secrets;
pub(crate) use volatile::stable;

/// One entry a line.
pub(crate) fn ndjson(entries: &[JournalEntry]) -> String {
    entries.iter().map(|entry| serde_json::to_string(entry).unwrap_or_default() + "\n").collect()
}

/// In the order in which things came about instead of ended, numbered anew from 1: of an event and its
/// copies, which go side by side, the sound one first.
pub(crate) fn in_order(mut kept: Vec<Kept>) -> Vec<JournalEntry> {
    kept.sort_by_cached_key(|kept| {
        let exchange = &kept.exchange;
        let (target, fault) = (exchange.target.clone(), exchange.fault.clone());
        // Twins are one event to one webhook: what they are called tells them apart, not who ended first.
        (exchange.epoch, exchange.virtual_at, exchange.number, target, fault)
    });
    (1..).zip(kept).map(|(seq, kept)| JournalEntry { seq, ..kept.entry() }).collect()
}
