//! Compact facts of a call to any operation of Klarna's API, and what is remembered of earlier ones.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use klarna_schemas::klarna::{IDEMPOTENCY_KEY_HEADER, INTEGRATION_METADATA_HEADER};
use klarna_schemas::simulator::journal::{Ending, RecordedTls};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::engine::TokenHeader;
use crate::journal::Exchange;

/// How many calls of each kind are remembered in an epoch: the newest.
const REMEMBERED: usize = 2_000;

/// What an action is told by: its operation, place, token and body, whatever its key.
type Fingerprint = [u8; 32];

/// What is known of a call at the edge only, where its key and its sandbox are.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The host that was called, without its port: of the URL with HTTP/2, else of its header.
    pub(crate) host: Option<String>,
    /// Whether a credential or a token stands in the URL.
    pub(crate) secret_in_url: bool,
    /// Whether it came into the sandbox of a Partner account.
    pub(crate) entered: bool,
}

/// One call, before it has a place in the journal.
#[derive(Debug, Clone)]
pub(crate) struct ApiCall {
    /// The journal's name of the operation, e.g. `payment_request.update`.
    pub(crate) operation: String,
    pub(crate) method: String,
    /// The simulator's name of the payment that it is about, if it is about one.
    pub(crate) payment: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    /// The body; null where it is no JSON.
    pub(crate) body: Value,
    pub(crate) tls: Option<RecordedTls>,
    /// Status of the answer, if the caller could hear it whole.
    pub(crate) heard: Option<u16>,
    /// Klarna's `error_code`, where it refused.
    pub(crate) error_code: Option<String>,
    /// Klarna's `error_message`, where it refused.
    pub(crate) error_message: Option<String>,
    /// The fields that did not validate, where it refused.
    pub(crate) wrong_fields: Vec<String>,
    /// Whether its answer was a fault at the tester's word.
    pub(crate) by_fault: bool,
    /// Whether only a policy of the tester's refused it.
    by_policy: bool,
    /// Whether its path names a Partner account.
    pub(crate) names_an_account: bool,
    /// What else was seen of it at the edge.
    pub(crate) seen: Seen,
    /// How long Klarna says that the quota is used up, after a 429.
    pub(crate) quota_reset: Option<Duration>,
    /// When it came, in real time.
    pub(crate) at: Timestamp,
    action: Fingerprint,
}

impl ApiCall {
    /// The facts of an exchange.
    pub(crate) fn of(exchange: &Exchange, seen: Seen) -> Self {
        let body: Value = serde_json::from_slice(&exchange.request_body).unwrap_or_default();
        let heard = exchange.response.as_ref().filter(|_| exchange.ended == Ending::Answered);
        let of_answer = |name: &str| {
            let (_, headers, _) = heard?;
            headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let status = heard.map(|(status, ..)| *status);
        let limited = status == Some(429);
        let reset = of_answer("x-ratelimit-reset").filter(|_| limited);
        let refused = heard.filter(|(status, ..)| (400..500).contains(status));
        let answer = refused.and_then(|(.., body)| serde_json::from_slice::<Value>(body).ok());
        let said = |name: &str| Some(answer.as_ref()?.get(name)?.as_str()?.to_owned());
        let fields = answer.as_ref().and_then(|answer| answer.get("validation_errors")?.as_array());
        let wrong_fields = fields.into_iter().flatten().filter_map(|field| field.get("parameter")?.as_str());
        Self {
            action: action(exchange, &body),
            operation: exchange.operation.clone(),
            method: exchange.method.clone(),
            payment: exchange.payment.clone(),
            headers: exchange.request_headers.clone(),
            seen,
            names_an_account: exchange.target.starts_with("/v2/accounts/"),
            by_fault: exchange.fault.is_some(),
            by_policy: exchange.rule.as_deref() == Some("policy"),
            tls: exchange.tls.clone(),
            heard: status,
            error_code: said("error_code"),
            error_message: said("error_message"),
            wrong_fields: wrong_fields.map(str::to_owned).collect(),
            quota_reset: reset.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs),
            at: exchange.started_at,
            body,
        }
    }

    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// `Klarna-Idempotency-Key`, unless it is empty.
    pub(crate) fn key(&self) -> Option<&str> {
        self.header(IDEMPOTENCY_KEY_HEADER).filter(|key| !key.is_empty())
    }

    pub(crate) fn integration_metadata(&self) -> Option<&str> {
        self.header(INTEGRATION_METADATA_HEADER)
    }

    /// Whether an idempotency key belongs on it.
    pub(crate) fn takes_a_key(&self) -> bool {
        ["POST", "PATCH"].contains(&self.method.as_str())
    }

    /// Whether it changes something.
    pub(crate) fn writes(&self) -> bool {
        !["GET", "HEAD"].contains(&self.method.as_str())
    }

    /// Whether Klarna refused it for good, and not a policy of the tester's alone.
    pub(crate) fn is_refused(&self) -> bool {
        !self.by_policy && self.heard.is_some_and(|status| (400..500).contains(&status) && status != 429)
    }

    /// Whether Klarna did what it asks for.
    pub(crate) fn succeeded(&self) -> bool {
        self.heard.is_some_and(|status| (200..300).contains(&status))
    }

    /// Where a finding is, in this call.
    pub(crate) fn at(&self, part: &str) -> String {
        format!("{} request, {part}", self.operation)
    }
}

/// The same JSON makes the same action, in whatever order and with whatever spaces.
fn action(exchange: &Exchange, body: &Value) -> Fingerprint {
    let token = TokenHeader::ALL.iter().find_map(|header| {
        let name = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(header.name());
        exchange.request_headers.iter().find(name)
    });
    let token = token.map_or("", |(_, value)| value.as_str());
    let mut hash = Sha256::new();
    for part in [exchange.method.as_str(), exchange.target.as_str(), token] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    match body {
        Value::Null => hash.update(&exchange.request_body),
        body => hash.update(sorted(body).to_string().as_bytes()),
    }
    hash.finalize().into()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, &Value> = fields.iter().collect();
            fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// What is remembered of the calls of one sandbox and epoch, or of one account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic {
    keys: HashMap<String, Used>,
    keys_in_order: VecDeque<String>,
    references: HashMap<(&'static str, String), Used>,
    references_in_order: VecDeque<(&'static str, String)>,
    refused: VecDeque<Refused>,
    limited: VecDeque<Limited>,
}

/// By which action something was used first.
#[derive(Debug, Clone, Copy)]
struct Used {
    action: Fingerprint,
    seq: u64,
}

/// A call that Klarna refused for good.
#[derive(Debug, Clone)]
struct Refused {
    action: Fingerprint,
    operation: String,
    payment: Option<String>,
    seq: u64,
}

/// A call that was one too many.
#[derive(Debug, Clone)]
struct Limited {
    action: Fingerprint,
    seq: u64,
    at: Timestamp,
    reset: Duration,
}

/// How something that was used before was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Not at all.
    Never,
    /// By the same action: this is a repeat.
    ByTheSame,
    /// By another one, in this exchange.
    ByAnother(u64),
}

/// A call in the traffic before it.
pub(crate) struct ApiContext<'a> {
    pub(crate) call: &'a ApiCall,
    pub(crate) seq: u64,
    pub(crate) earlier: &'a Traffic,
}

impl ApiContext<'_> {
    /// How the key of this call was used before.
    pub(crate) fn key_before(&self) -> Before {
        let used = self.call.key().and_then(|key| self.earlier.keys.get(key));
        self.before(used)
    }

    /// How a reference of one kind was used before.
    pub(crate) fn reference_before(&self, kind: &'static str, reference: &str) -> Before {
        self.before(self.earlier.references.get(&(kind, reference.to_owned())))
    }

    fn before(&self, used: Option<&Used>) -> Before {
        match used {
            None => Before::Never,
            Some(used) if used.action == self.call.action => Before::ByTheSame,
            Some(used) => Before::ByAnother(used.seq),
        }
    }

    /// The refusal of this very action, if it was refused before.
    pub(crate) fn refusal_of_the_same(&self) -> Option<u64> {
        let mut refused = self.earlier.refused.iter();
        refused.find(|refused| refused.action == self.call.action).map(|refused| refused.seq)
    }

    /// Whether a call of the same operation and payment was refused before.
    pub(crate) fn something_was_refused(&self) -> bool {
        let like = |refused: &Refused| {
            refused.operation == self.call.operation && refused.payment == self.call.payment
        };
        self.earlier.refused.iter().any(like)
    }

    /// The newest 429 to this very action: the exchange, how long ago, and how long the quota is used up.
    pub(crate) fn limited_before(&self) -> Option<(u64, Duration, Duration)> {
        let limited = self.earlier.limited.iter().rev().find(|limited| limited.action == self.call.action)?;
        let ago = Duration::try_from(self.call.at.duration_since(limited.at)).unwrap_or_default();
        Some((limited.seq, ago, limited.reset))
    }
}

impl Traffic {
    /// Remembers a call that has been judged.
    pub(crate) fn remember(&mut self, call: &ApiCall, seq: u64, answered_at: Timestamp) {
        let used = Used { action: call.action, seq };
        if let Some(key) = call.key().filter(|_| call.takes_a_key()) {
            keep(&mut self.keys, &mut self.keys_in_order, key.to_owned(), used);
        }
        for (kind, reference) in own_references(call) {
            keep(&mut self.references, &mut self.references_in_order, (kind, reference.to_owned()), used);
        }
        if call.is_refused() && call.writes() {
            let (operation, payment) = (call.operation.clone(), call.payment.clone());
            push(&mut self.refused, Refused { action: call.action, operation, payment, seq });
        }
        if let Some(reset) = call.quota_reset {
            push(&mut self.limited, Limited { action: call.action, seq, at: answered_at, reset });
        }
    }
}

/// The acquirer's own references of what it does to a transaction, by kind.
pub(crate) fn own_references(call: &ApiCall) -> impl Iterator<Item = (&'static str, &str)> {
    ["payment_capture_reference", "payment_refund_reference", "refund_reference"]
        .into_iter()
        .filter_map(|kind| Some((kind, call.body.get(kind)?.as_str()?)))
}

/// The first use counts; beyond so many the oldest is forgotten.
fn keep<K: Clone + Eq + std::hash::Hash>(
    known: &mut HashMap<K, Used>,
    in_order: &mut VecDeque<K>,
    key: K,
    used: Used,
) {
    if known.contains_key(&key) {
        return;
    }
    known.insert(key.clone(), used);
    in_order.push_back(key);
    if in_order.len() > REMEMBERED
        && let Some(oldest) = in_order.pop_front()
    {
        known.remove(&oldest);
    }
}

fn push<T>(queue: &mut VecDeque<T>, item: T) {
    queue.push_back(item);
    if queue.len() > REMEMBERED {
        queue.pop_front();
    }
}
