//! Which entries of a journal a reader wants.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::simulator::journal::{Direction, Ending};

/// Query of `GET /sandboxes/{a}/journal`, `GET /accounts/{acquirer}/journal` and `GET /journal`. An entry is
/// wanted that meets every condition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalQuery {
    /// Only entries with a greater `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only this direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Only this operation; a `*` at the end matches any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Only this payment: the simulator's name of it, its payment request id, or its transaction
    /// reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// Only this epoch of the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Only requests with this header: `Name`, or `Name: value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Only where this JSONPath (RFC 9535) finds something in the request's body, such as
    /// `$[?@.currency == "SEK"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_json: Option<String>,
    /// The same for the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_json: Option<String>,
    /// Only answers with this HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Only exchanges that ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ending>,
    /// Only those that met this fault or misbehaviour; a `*` at the end matches any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Only those that this rule of the rulebook cites; a `*` at the end matches any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Only those that began at this time of the sandbox (`virtual_at`) or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Only those that began before this time of the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many entries at most, the oldest first; `next_after` reads on behind them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// How many entries to wait for; 1 when `wait_ms` is given without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<usize>,
    /// How long to wait for them, in real milliseconds, at most 60 000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// How a journal is written out: the query's members beside these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalExport {
    /// As what.
    pub format: ExportFormat,
    /// Whether secrets and personal data are blackened; they are when absent, but in `stable` NDJSON.
    pub redact: Option<bool>,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// HTTP Archive 1.2, which the developer tools of browsers open.
    Har,
    /// A script of curl lines that make the calls again.
    Curl,
    /// One entry a line, as JSON.
    Ndjson,
    /// The same without what differs between two runs with the same seed and calls.
    Stable,
}
