//! A journal as a file that people look at, keep, and hand on.

mod blackened;
mod har;
mod script;
mod volatile;

use klarna_schemas::simulator::journal::JournalEntry;

pub(crate) use blackened::blacken;
pub(crate) use har::har;
pub(crate) use script::curl;
pub(crate) use volatile::stable;

/// One entry a line.
pub(crate) fn ndjson(entries: &[JournalEntry]) -> String {
    entries.iter().map(|entry| serde_json::to_string(entry).unwrap_or_default() + "\n").collect()
}
