//! Which entries a reader wants, and which came near where none is there.

use std::sync::LazyLock;
use std::time::Duration;

use http::HeaderName;
use jiff::Timestamp;
use klarna_schemas::klarna::webhook::EVENT_TYPES;
use klarna_schemas::nearest::nearest;
use klarna_schemas::simulator::control::{CustomerAct, JournalQuery};
use klarna_schemas::simulator::journal::{Direction, Ending, NearMiss};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::exchange::Exchange;
use crate::pattern::fits;

/// The longest that one call may wait for entries.
pub(crate) const MAX_WAIT: Duration = Duration::from_mins(1);
/// How many entries that came near are told of.
const NEAR: usize = 5;

/// A query, resolved against one journal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) after: u64,
    /// How many entries at most.
    pub(crate) limit: Option<usize>,
    conditions: Vec<Condition>,
}

/// One thing that an entry must meet.
#[derive(Debug, Clone)]
enum Condition {
    Direction(Direction),
    /// A pattern.
    Operation(String),
    /// By the simulator's name.
    Payment(String),
    /// The name given fits no payment (yet).
    NobodysPayment(String),
    Epoch(u64),
    /// A name in lower case, and the value that it must have, if any.
    Header(String, Option<String>),
    RequestJson(String, JsonPath),
    ResponseJson(String, JsonPath),
    Status(u16),
    Ended(Ending),
    Fault(String),
    Finding(String),
    Since(Timestamp),
    Until(Timestamp),
}

/// Why a query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryMistake {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Filter {
    /// From a query; `resolve` turns any name of a payment into the simulator's.
    ///
    /// # Errors
    /// When something in it cannot be read, or can never be met.
    pub(crate) fn new(
        query: &JournalQuery,
        resolve: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, QueryMistake> {
        let mut conditions = Vec::new();
        conditions.extend(query.direction.map(Condition::Direction));
        if let Some(pattern) = &query.operation {
            check_operation(pattern)?;
            conditions.push(Condition::Operation(pattern.clone()));
        }
        conditions.extend(query.payment.as_deref().map(|name| match resolve(name) {
            Some(name) => Condition::Payment(name),
            None => Condition::NobodysPayment(name.to_owned()),
        }));
        conditions.extend(query.epoch.map(Condition::Epoch));
        conditions.extend(query.header.as_deref().map(header).transpose()?);
        let path = |name, text: &String| {
            let path = JsonPath::parse(text).map_err(|error| QueryMistake {
                message: format!("{name}: no JSONPath: {error}"),
                hint: "such as $.currency, or $[?@.currency == \"SEK\"]".to_owned(),
            });
            path.map(|path| (text.clone(), path))
        };
        if let Some(text) = &query.request_json {
            let (text, path) = path("request_json", text)?;
            conditions.push(Condition::RequestJson(text, path));
        }
        if let Some(text) = &query.response_json {
            let (text, path) = path("response_json", text)?;
            conditions.push(Condition::ResponseJson(text, path));
        }
        conditions.extend(query.status.map(Condition::Status));
        conditions.extend(query.ended.map(Condition::Ended));
        conditions.extend(query.fault.clone().map(Condition::Fault));
        if let Some(pattern) = &query.finding {
            check_rule(pattern)?;
            conditions.push(Condition::Finding(pattern.clone()));
        }
        if let (Some(since), Some(until)) = (query.since, query.until)
            && since >= until
        {
            return Err(QueryMistake {
                message: "since and until: nothing lies between them".to_owned(),
                hint: "since is the earlier one".to_owned(),
            });
        }
        conditions.extend(query.since.map(Condition::Since));
        conditions.extend(query.until.map(Condition::Until));
        Ok(Self { after: query.after.unwrap_or(0), limit: query.limit, conditions })
    }

    /// Whether an entry is wanted.
    pub(super) fn takes(&self, seq: u64, exchange: &Exchange, findings: &[String]) -> bool {
        seq > self.after && self.conditions.iter().all(|condition| condition.meets(exchange, findings))
    }

    /// The entries that came nearest, of which none is wanted.
    pub(super) fn near<'a>(
        &self,
        entries: impl Iterator<Item = (u64, &'a Exchange, &'a [String])>,
    ) -> Vec<NearMiss> {
        let mut near: Vec<NearMiss> = entries
            .filter(|(seq, ..)| *seq > self.after)
            .map(|(seq, exchange, findings)| NearMiss {
                seq,
                operation: exchange.operation.clone(),
                misses: self
                    .conditions
                    .iter()
                    .filter(|wanted| !wanted.meets(exchange, findings))
                    .map(|wanted| wanted.miss(exchange, findings))
                    .collect(),
            })
            // What meets nothing at all is not near.
            .filter(|miss| miss.misses.len() < self.conditions.len())
            .collect();
        // The newest of those that are as near.
        near.sort_by_key(|miss| (miss.misses.len(), u64::MAX - miss.seq));
        near.truncate(NEAR);
        near
    }
}

impl Condition {
    /// Whether an entry meets this. It is asked of every entry at every look, and so makes no words.
    fn meets(&self, exchange: &Exchange, findings: &[String]) -> bool {
        match self {
            Self::Direction(wanted) => exchange.direction == *wanted,
            Self::Operation(pattern) => fits(pattern, &exchange.operation),
            Self::Payment(wanted) => exchange.payment.as_ref() == Some(wanted),
            Self::NobodysPayment(_) => false,
            Self::Epoch(wanted) => exchange.epoch == *wanted,
            Self::Header(name, wanted) => {
                values(exchange, name).any(|value| wanted.as_deref().is_none_or(|wanted| value == wanted))
            }
            Self::RequestJson(_, path) => !path.query(&json(&exchange.request_body)).is_empty(),
            Self::ResponseJson(_, path) => {
                let body = exchange.response.as_ref().map(|(_, _, body)| json(body));
                !path.query(&body.unwrap_or_default()).is_empty()
            }
            Self::Status(wanted) => status(exchange) == Some(*wanted),
            Self::Ended(wanted) => exchange.ended == *wanted,
            Self::Fault(pattern) => exchange.fault.as_deref().is_some_and(|fault| fits(pattern, fault)),
            Self::Finding(pattern) => findings.iter().any(|rule| fits(pattern, rule)),
            Self::Since(at) => exchange.virtual_at >= *at,
            Self::Until(at) => exchange.virtual_at < *at,
        }
    }

    /// What was asked for and what an entry is that does not meet this.
    fn miss(&self, exchange: &Exchange, findings: &[String]) -> String {
        let miss = |name: &str, wanted: &str, is: &str| format!("{name}: {wanted} was asked for, {is} it is");
        match self {
            Self::Direction(wanted) => {
                let word = |direction| if direction == Direction::Inbound { "inbound" } else { "outbound" };
                miss("direction", word(*wanted), word(exchange.direction))
            }
            Self::Operation(pattern) => miss("operation", pattern, &exchange.operation),
            Self::Payment(wanted) | Self::NobodysPayment(wanted) => {
                miss("payment", wanted, exchange.payment.as_deref().unwrap_or("about none"))
            }
            Self::Epoch(wanted) => miss("epoch", &wanted.to_string(), &exchange.epoch.to_string()),
            Self::Header(name, wanted) => match (wanted, values(exchange, name).next()) {
                (Some(wanted), Some(is)) => miss(&format!("header {name}"), wanted, is),
                _ => format!("header: there is no {name}"),
            },
            Self::RequestJson(text, _) => format!("request_json: {text} finds nothing"),
            Self::ResponseJson(text, _) => format!("response_json: {text} finds nothing"),
            Self::Status(wanted) => {
                let is = status(exchange).map_or_else(|| "no answer".to_owned(), |status| status.to_string());
                miss("status", &wanted.to_string(), &is)
            }
            Self::Ended(wanted) => miss("ended", ended(*wanted), ended(exchange.ended)),
            Self::Fault(pattern) => {
                miss("fault", pattern, exchange.fault.as_deref().unwrap_or("without any"))
            }
            Self::Finding(pattern) => {
                let is = if findings.is_empty() { "cited by none".to_owned() } else { findings.join(", ") };
                miss("finding", pattern, &is)
            }
            Self::Since(_) => format!("since: it began at {}", exchange.virtual_at),
            Self::Until(_) => format!("until: it began at {}", exchange.virtual_at),
        }
    }
}

/// The values of a request's header, whose name is in lower case.
fn values<'a>(exchange: &'a Exchange, name: &'a str) -> impl Iterator<Item = &'a str> {
    let called_so = move |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
    exchange.request_headers.iter().filter(called_so).map(|(_, value)| value.as_str())
}

/// A body as JSON; `null` where it is none.
fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn status(exchange: &Exchange) -> Option<u16> {
    exchange.response.as_ref().map(|(status, _, _)| *status)
}

fn ended(ended: Ending) -> &'static str {
    match ended {
        Ending::Answered => "answered",
        Ending::TimedOut => "timed_out",
        Ending::Broken => "broken",
    }
}

fn header(text: &str) -> Result<Condition, QueryMistake> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
        None => (text.trim(), None),
    };
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Err(QueryMistake {
            message: format!("header: {name:?} is no name of a header"),
            hint: "write header=Name, or header=Name: value".to_owned(),
        });
    }
    Ok(Condition::Header(name.to_ascii_lowercase(), value))
}

/// Refuses the pattern of an operation that no journal can have: whoever awaits it waits in vain.
fn check_operation(pattern: &str) -> Result<(), QueryMistake> {
    static KNOWN: LazyLock<Vec<String>> = LazyLock::new(|| {
        let operations = crate::api::operations::OPERATIONS.iter().map(|operation| operation.id.to_owned());
        let acts = CustomerAct::ALL.map(|act| format!("journey.{}", act.as_str()));
        let events = EVENT_TYPES.iter().copied().chain([crate::behaviour::evolution::NEW_EVENT]);
        let events = events.map(|event| format!("event:{event}"));
        operations.chain(acts).chain(events).chain(["unknown".to_owned()]).collect()
    });
    check_name("operation", pattern, &KNOWN.iter().map(String::as_str).collect::<Vec<_>>())
}

fn check_rule(pattern: &str) -> Result<(), QueryMistake> {
    check_name("finding", pattern, &crate::rulebook::rules().map(|rule| rule.id).collect::<Vec<_>>())
}

fn check_name(what: &str, pattern: &str, known: &[&str]) -> Result<(), QueryMistake> {
    if known.iter().any(|name| fits(pattern, name)) {
        return Ok(());
    }
    let hint = match nearest(pattern.trim_end_matches('*'), known) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "a * at the end matches any rest; docs/journal.md lists the names".to_owned(),
    };
    Err(QueryMistake { message: format!("{what}: no entry is ever called {pattern}"), hint })
}
