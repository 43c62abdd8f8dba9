//! One exchange as it is written down: raw bytes, headers in order, credentials left out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Version};
use jiff::Timestamp;
use klarna_schemas::simulator::journal::{
    Direction, Ending, HttpVersion, JournalEntry, RecordedRequest, RecordedResponse, RecordedTls,
};

use super::header_text::text_of;
use super::took::Took;

/// Header names and values in order.
pub(crate) type HeaderPairs = Vec<(String, String)>;

/// An exchange before it has a place in a journal.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// Where it stands among the effects of its sandbox; 0 where it is in none.
    pub(crate) number: u64,
    pub(crate) epoch: u64,
    pub(crate) payment: Option<String>,
    pub(crate) direction: Direction,
    pub(crate) operation: String,
    pub(crate) started_at: Timestamp,
    pub(crate) virtual_at: Timestamp,
    /// The version of HTTP that was spoken, where anything was.
    pub(crate) version: Option<Version>,
    pub(crate) took: Took,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) request_headers: HeaderPairs,
    pub(crate) request_body: Bytes,
    /// Whether only the beginning of the body is kept.
    pub(crate) truncated: bool,
    pub(crate) response: Option<(u16, HeaderPairs, Bytes)>,
    pub(crate) ended: Ending,
    pub(crate) rule: Option<String>,
    /// The fault or misbehaviour that was played, if one was.
    pub(crate) fault: Option<String>,
    /// How a webhook compares with what Klarna sends by itself.
    pub(crate) sent: Sent,
    /// How a call to Klarna was secured, if it was.
    pub(crate) tls: Option<RecordedTls>,
}

/// How a webhook compares with what Klarna sends by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It is what Klarna would send; also said of everything that is no webhook.
    #[default]
    AsKlarnaDoes,
    /// Rightly signed, but changed at the tester's word.
    Oddly,
    /// Its signature does not fit, at the tester's word.
    FalselySigned,
}

impl Exchange {
    /// What it costs of the journal's budget, in bytes.
    pub(crate) fn cost(&self) -> usize {
        const FIXED: usize = 256;
        let pairs = |headers: &HeaderPairs| {
            headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
        };
        let response = self.response.as_ref().map_or(0, |(_, headers, body)| pairs(headers) + body.len());
        FIXED + self.target.len() + pairs(&self.request_headers) + self.request_body.len() + response
    }

    /// The entry as the control API shows it.
    pub(crate) fn entry(&self, seq: u64, findings: &[String]) -> JournalEntry {
        JournalEntry {
            seq,
            epoch: self.epoch,
            payment: self.payment.clone(),
            direction: self.direction,
            operation: self.operation.clone(),
            started_at: self.started_at,
            virtual_at: self.virtual_at,
            http_version: self.version.and_then(named),
            timings: self.took.recorded(),
            request: RecordedRequest {
                method: self.method.clone(),
                target: self.target.clone(),
                headers: self.request_headers.clone(),
                body_base64: STANDARD.encode(&self.request_body),
                truncated: self.truncated,
            },
            response: self.response.as_ref().map(|(status, headers, body)| RecordedResponse {
                status: *status,
                headers: headers.clone(),
                body_base64: STANDARD.encode(body),
            }),
            ended: self.ended,
            rule: self.rule.clone(),
            fault: self.fault.clone(),
            tls: self.tls.clone(),
            findings: findings.to_vec(),
        }
    }
}

/// A version of HTTP as it is called.
fn named(version: Version) -> Option<HttpVersion> {
    match version {
        Version::HTTP_10 => Some(HttpVersion::Http10),
        Version::HTTP_11 => Some(HttpVersion::Http11),
        Version::HTTP_2 => Some(HttpVersion::Http2),
        _ => None,
    }
}

/// Header pairs fit to be kept: `authorization` is replaced by what the caller says of it.
pub(crate) fn redacted(headers: &HeaderMap, authorization: &str) -> HeaderPairs {
    headers
        .iter()
        .map(|(name, value)| {
            let text = if name == http::header::AUTHORIZATION {
                authorization.to_owned()
            } else {
                text_of(value.as_bytes())
            };
            (name.as_str().to_owned(), text)
        })
        .collect()
}
