//! The journal: every exchange with Klarna, both ways.

use base64::Engine as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::klarna::client_certificate::MtlsStatus;

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry {
    /// Order in which exchanges ended, from 1, never reused in a sandbox.
    pub seq: u64,
    /// The sandbox's epoch that the exchange belongs to; a reset opens a new one.
    pub epoch: u64,
    /// The simulator's name of the payment (`e2p1`), once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// Who called whom.
    pub direction: Direction,
    /// `authorize`, `payment_request.read`, `signing_key.create`, `event:<event_type>`,
    /// `journey.<act>`, `unknown`, …
    pub operation: String,
    /// Real time at which it began.
    pub started_at: Timestamp,
    /// The sandbox's time at which it began.
    pub virtual_at: Timestamp,
    /// The version of HTTP that was spoken; absent where nothing was sent, or a webhook found nobody who
    /// answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_version: Option<HttpVersion>,
    /// How long its parts took, in real time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timings: Option<RecordedTimings>,
    /// What was asked.
    pub request: RecordedRequest,
    /// What was answered, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<RecordedResponse>,
    /// How it ended.
    pub ended: Ending,
    /// What decided the outcome of an authorize, e.g. `queued`, `default`, `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The fault that was played, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How the call to Klarna was secured; absent where it came by plain http.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<RecordedTls>,
    /// Ids of the rules that found something in it.
    #[serde(default)]
    pub findings: Vec<String>,
}

/// How a call was secured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedTls {
    /// `1.2` or `1.3`.
    pub version: String,
    /// The name that the caller asked for (SNI), if it named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// What became of its client certificate.
    pub client_certificate: MtlsStatus,
}

/// How long the parts of an exchange took, in microseconds of real time; absent is what is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedTimings {
    /// Of a call: from its head until its body had come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_us: Option<u64>,
    /// Of a call: until its answer left, or it was clear that none does; absent until then. Of a webhook:
    /// from its beginning, connecting and sending with it, until the answer's head came or nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_us: Option<u64>,
    /// Of a webhook: from the answer's head to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receive_us: Option<u64>,
}

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HttpVersion {
    /// HTTP/1.0.
    #[serde(rename = "HTTP/1.0")]
    Http10,
    /// HTTP/1.1.
    #[serde(rename = "HTTP/1.1")]
    Http11,
    /// HTTP/2.
    #[serde(rename = "HTTP/2")]
    Http2,
}

impl HttpVersion {
    /// Its name, as it stands in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }
}

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Somebody called Klarna.
    Inbound,
    /// Klarna called the acquirer.
    Outbound,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// With an answer.
    Answered,
    /// Nobody answered in time.
    TimedOut,
    /// The connection failed.
    Broken,
}

/// A request as it was read or sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    /// HTTP method.
    pub method: String,
    /// Path and query as they came, or the whole URL of an outbound call.
    pub target: String,
    /// Header pairs in order; `Authorization` is replaced by its form and a fingerprint.
    pub headers: Vec<(String, String)>,
    /// Exact body bytes.
    pub body_base64: String,
    /// Whether the body was longer than it may be: then only its first 64 KiB are here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// A response as it was sent or read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedResponse {
    /// HTTP status.
    pub status: u16,
    /// Header pairs in order.
    pub headers: Vec<(String, String)>,
    /// Exact body bytes.
    pub body_base64: String,
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn decode(body_base64: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(body_base64).unwrap_or_default()
}

impl RecordedRequest {
    /// The first value of a header, by case-insensitive name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The exact body.
    pub fn body(&self) -> Vec<u8> {
        decode(&self.body_base64)
    }

    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body()).ok()
    }
}

impl RecordedResponse {
    /// The first value of a header, by case-insensitive name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The exact body.
    pub fn body(&self) -> Vec<u8> {
        decode(&self.body_base64)
    }

    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body()).ok()
    }
}

/// A page of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalPage {
    /// Matching entries, oldest first.
    pub entries: Vec<JournalEntry>,
    /// What to pass as `after` to read on.
    pub next_after: u64,
    /// How many entries the byte budget has pushed out in this epoch.
    pub dropped: u64,
    /// Whether `wait_ms` ran out before `min` entries matched.
    pub timed_out: bool,
    /// Where nothing matched: the entries that came nearest, the nearest first, at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<NearMiss>,
}

/// The last event of a stream that ends by `min` or `wait_ms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamEnd {
    /// How many entries were sent.
    pub seen: usize,
    /// Whether `wait_ms` ran out first.
    pub timed_out: bool,
    /// Where fewer than `min` came: the entries that came nearest, the nearest first, at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near: Vec<NearMiss>,
}

/// An entry that almost matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearMiss {
    /// Which.
    pub seq: u64,
    /// What it was.
    pub operation: String,
    /// Every condition that it does not meet: what was asked for, and what it is.
    pub misses: Vec<String>,
}
