//! Which entries a reader wants, and which came near where none is there.

use std::collections::HashSet;
use std::time::Duration;

use http::HeaderName;
use jiff::Timestamp;
use klarna_schemas::simulator::control::JournalQuery;
use klarna_schemas::simulator::journal::{Direction, Ending, NearMiss};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::exchange::Exchange;
use super::possible;
use super::shelf::Kept;
use crate::pattern::fits;

/// The longest that one call may wait for entries.
pub(crate) const MAX_WAIT: Duration = Duration::from_mins(1);
/// How many entries that came near are told of.
const NEAR: usize = 5;

/// A query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(super) after: u64,
    /// How many entries at most.
    pub(super) limit: Option<usize>,
    /// The payment that is wanted, if one is.
    payment: Option<Named>,
    /// A pattern of the rule that is to cite it, if one is.
    finding: Option<String>,
    /// How it is to have ended; that of an answer whose caller was gone is known late.
    ended: Option<Ending>,
    /// What is to be true of the exchange itself, for ever.
    conditions: Vec<Condition>,
}

/// A payment by a name that somebody has given, and the simulator's own once that is known.
#[derive(Debug, Clone)]
struct Named {
    given: String,
    own: Option<String>,
}

/// One thing that an entry must meet.
#[derive(Debug, Clone)]
enum Condition {
    Direction(Direction),
    /// A pattern.
    Operation(String),
    Epoch(u64),
    /// A name in lower case, and the value that it must have, if any.
    Header(String, Option<String>),
    RequestJson(String, JsonPath),
    ResponseJson(String, JsonPath),
    Status(u16),
    Fault(String),
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
    /// From a query.
    ///
    /// # Errors
    /// When something in it cannot be read, or can never be met.
    pub(crate) fn new(query: &JournalQuery) -> Result<Self, QueryMistake> {
        possible::check(query)?;
        let mut conditions = Vec::new();
        conditions.extend(query.direction.map(Condition::Direction));
        conditions.extend(query.operation.clone().map(Condition::Operation));
        conditions.extend(query.epoch.map(Condition::Epoch));
        conditions.extend(query.status.map(Condition::Status));
        conditions.extend(query.fault.clone().map(Condition::Fault));
        conditions.extend(query.since.map(Condition::Since));
        conditions.extend(query.until.map(Condition::Until));
        conditions.extend(query.header.as_deref().map(header).transpose()?);
        // Last: bodies are read only where all else is met.
        if let Some(text) = &query.request_json {
            let path = path("request_json", text)?;
            conditions.push(Condition::RequestJson(text.clone(), path));
        }
        if let Some(text) = &query.response_json {
            let path = path("response_json", text)?;
            conditions.push(Condition::ResponseJson(text.clone(), path));
        }
        let payment = query.payment.clone().map(|given| Named { given, own: None });
        let (after, limit) = (query.after.unwrap_or(0), query.limit);
        Ok(Self { after, limit, payment, finding: query.finding.clone(), ended: query.ended, conditions })
    }

    /// Says which payment is meant, by the simulator's name; one that is not there yet may come.
    pub(crate) fn resolve(&mut self, named: impl FnOnce(&str) -> Option<String>) {
        if let Some(payment) = &mut self.payment {
            // What is a name of the simulator's own is one of its epoch, though that has ended.
            let own = || possible::is_own_name(&payment.given).then(|| payment.given.clone());
            payment.own = named(&payment.given).or_else(own);
        }
    }

    /// Whether the exchange itself is wanted.
    pub(super) fn fits(&self, exchange: &Exchange) -> bool {
        self.conditions.iter().all(|condition| condition.meets(exchange))
    }

    /// Whether an entry is wanted whose exchange is, as far as is known now.
    pub(super) fn fits_now(&self, kept: &Kept) -> bool {
        self.about_payment(kept) && self.cited(kept) && self.has_ended(kept)
    }

    fn about_payment(&self, kept: &Kept) -> bool {
        let payment = &kept.exchange.payment;
        self.payment.as_ref().is_none_or(|wanted| wanted.own.is_some() && wanted.own == *payment)
    }

    fn cited(&self, kept: &Kept) -> bool {
        let cites = |pattern: &String| kept.findings.iter().any(|rule| fits(pattern, rule));
        self.finding.as_ref().is_none_or(cites)
    }

    fn has_ended(&self, kept: &Kept) -> bool {
        self.ended.is_none_or(|wanted| kept.exchange.ended == wanted)
    }

    /// The entries of these that are wanted, all but the count.
    pub(crate) fn of(&self, kept: Vec<Kept>) -> Vec<Kept> {
        kept.into_iter().filter(|kept| self.fits(&kept.exchange) && self.fits_now(kept)).collect()
    }

    /// The entries that came nearest, of which none is wanted: those that miss least, the newest first.
    /// Where each misses all that was asked for, one for each way to miss it.
    pub(super) fn near(&self, all: &[Kept]) -> Vec<NearMiss> {
        let now = [self.payment.is_some(), self.finding.is_some(), self.ended.is_some()];
        let asked = self.conditions.len() + now.into_iter().filter(|asked| *asked).count();
        let misses = all.iter().rev().map(|kept| (kept, self.misses(kept)));
        let mut near: Vec<NearMiss> = misses
            .filter(|(_, misses)| !misses.is_empty())
            .map(|(kept, misses)| NearMiss {
                seq: kept.seq,
                operation: kept.exchange.operation.clone(),
                misses,
            })
            .collect();
        near.sort_by_key(|miss| miss.misses.len());
        if near.first().is_some_and(|nearest| nearest.misses.len() < asked) {
            near.retain(|miss| miss.misses.len() < asked);
        } else {
            let mut ways = HashSet::new();
            near.retain(|miss| ways.insert(miss.misses.clone()));
        }
        near.truncate(NEAR);
        near
    }

    /// What an entry misses of what was asked for, in words.
    fn misses(&self, kept: &Kept) -> Vec<String> {
        let unmet = self.conditions.iter().filter(|wanted| !wanted.meets(&kept.exchange));
        let mut misses: Vec<String> = unmet.map(|wanted| wanted.miss(&kept.exchange)).collect();
        if let Some(wanted) = self.payment.as_ref().filter(|_| !self.about_payment(kept)) {
            let is = kept.exchange.payment.as_deref().unwrap_or("about none");
            misses.push(miss("payment", wanted.own.as_ref().unwrap_or(&wanted.given), is));
        }
        if let Some(pattern) = self.finding.as_ref().filter(|_| !self.cited(kept)) {
            let by = kept.findings.join(", ");
            misses.push(miss("finding", pattern, if by.is_empty() { "cited by none" } else { &by }));
        }
        if let Some(wanted) = self.ended.filter(|_| !self.has_ended(kept)) {
            misses.push(miss("ended", ended(wanted), ended(kept.exchange.ended)));
        }
        misses
    }
}

fn miss(name: &str, wanted: &str, is: &str) -> String {
    format!("{name}: {wanted} was asked for, {is} it is")
}

fn path(name: &str, text: &str) -> Result<JsonPath, QueryMistake> {
    JsonPath::parse(text).map_err(|error| QueryMistake {
        message: format!("{name}: no JSONPath: {error}"),
        hint: "such as $.currency, or $[?@.currency == \"SEK\"]".to_owned(),
    })
}

impl Condition {
    /// Whether an entry meets this. It is asked of every entry at every look, and so makes no words.
    fn meets(&self, exchange: &Exchange) -> bool {
        match self {
            Self::Direction(wanted) => exchange.direction == *wanted,
            Self::Operation(pattern) => fits(pattern, &exchange.operation),
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
            Self::Fault(pattern) => exchange.fault.as_deref().is_some_and(|fault| fits(pattern, fault)),
            Self::Since(at) => exchange.virtual_at >= *at,
            Self::Until(at) => exchange.virtual_at < *at,
        }
    }

    /// What was asked for and what an entry is that does not meet this.
    fn miss(&self, exchange: &Exchange) -> String {
        match self {
            Self::Direction(wanted) => {
                let word = |direction| if direction == Direction::Inbound { "inbound" } else { "outbound" };
                miss("direction", word(*wanted), word(exchange.direction))
            }
            Self::Operation(pattern) => miss("operation", pattern, &exchange.operation),
            Self::Epoch(wanted) => miss("epoch", &wanted.to_string(), &exchange.epoch.to_string()),
            Self::Header(name, wanted) => {
                if let (Some(wanted), Some(is)) = (wanted, values(exchange, name).next()) {
                    return miss(&format!("header {name}"), wanted, is);
                }
                let mut names: Vec<&str> =
                    exchange.request_headers.iter().map(|(name, _)| name.as_str()).collect();
                names.dedup();
                format!("header: there is no {name}, but {}", listed(&names))
            }
            Self::RequestJson(text, _) => {
                format!("request_json: {text} finds nothing, {}", shape(&exchange.request_body))
            }
            Self::ResponseJson(text, _) => {
                let body = exchange.response.as_ref().map(|(_, _, body)| body.as_ref());
                format!("response_json: {text} finds nothing, {}", shape(body.unwrap_or_default()))
            }
            Self::Status(wanted) => {
                let is = status(exchange).map_or_else(|| "no answer".to_owned(), |status| status.to_string());
                miss("status", &wanted.to_string(), &is)
            }
            Self::Fault(pattern) => {
                miss("fault", pattern, exchange.fault.as_deref().unwrap_or("without any"))
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

/// A body in a few words: what a path could have found.
fn shape(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        _ if body.is_empty() => "there is no body".to_owned(),
        Err(_) => "the body is no JSON".to_owned(),
        Ok(Value::Object(members)) => {
            let names: Vec<&str> = members.keys().map(String::as_str).collect();
            format!("the body has {}", listed(&names))
        }
        Ok(_) => "the body is no object".to_owned(),
    }
}

/// A few names, and how many more there are.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown = names.get(..SHOWN).unwrap_or(names).join(", ");
    match names.len().checked_sub(SHOWN) {
        _ if names.is_empty() => "none at all".to_owned(),
        None | Some(0) => shown,
        Some(more) => format!("{shown}, and {more} more"),
    }
}
