//! Whether a query can be met at all: who awaits what never comes waits in vain.

use std::sync::LazyLock;

use klarna_schemas::klarna::webhook::EVENT_TYPES;
use klarna_schemas::nearest::nearest;
use klarna_schemas::simulator::control::{CustomerAct, JournalQuery, Misbehaviour};
use klarna_schemas::simulator::journal::Direction;

use super::query::QueryMistake;
use crate::pattern::fits;

/// Faults whose name in the journal ends there.
const FAULTS: [&str; 7] = ["stall", "reset", "garbage", "lose_answer", "cut", "truncate", "wrong_length"];
/// Faults whose name goes on with a number.
const NUMBERED_FAULTS: [&str; 3] = ["status ", "delay ", "drip "];

/// Refuses a query that no entry can ever meet.
pub(super) fn check(query: &JournalQuery) -> Result<(), QueryMistake> {
    if let Some(pattern) = &query.operation {
        check_operation(pattern, query.direction)?;
    }
    if let Some(pattern) = &query.finding {
        let rules = crate::rulebook::rules().map(|rule| rule.id).collect::<Vec<_>>();
        check_name("finding", pattern, &rules)?;
    }
    if let Some(pattern) = &query.fault {
        check_fault(pattern)?;
    }
    if let Some(status) = query.status.filter(|status| !(100..=999).contains(status)) {
        return never(format!("status: no answer ever has {status}"), "a status of HTTP, such as 200");
    }
    if query.epoch == Some(0) {
        return never("epoch: there is none before the first", "epochs are counted from 1");
    }
    if let Some(name) = query.payment.as_deref().filter(|name| looks_own(name) && !is_own_name(name)) {
        let message = format!("payment: none is ever called {name}");
        return never(message, "epochs and payments are counted from 1: e1p1");
    }
    if let (Some(since), Some(until)) = (query.since, query.until)
        && since >= until
    {
        return never("since and until: nothing lies between them", "since is the earlier one");
    }
    Ok(())
}

fn never(message: impl Into<String>, hint: &str) -> Result<(), QueryMistake> {
    Err(QueryMistake { message: message.into(), hint: hint.to_owned() })
}

/// Whether a payment could be called so by the simulator: `e1p1`.
pub(super) fn is_own_name(name: &str) -> bool {
    numbers(name).is_some_and(|(epoch, payment)| epoch > 0 && payment > 0)
}

fn looks_own(name: &str) -> bool {
    numbers(name).is_some()
}

fn numbers(name: &str) -> Option<(u64, u64)> {
    let (epoch, payment) = name.strip_prefix('e')?.split_once('p')?;
    Some((epoch.parse().ok()?, payment.parse().ok()?))
}

fn check_operation(pattern: &str, direction: Option<Direction>) -> Result<(), QueryMistake> {
    static INBOUND: LazyLock<Vec<String>> = LazyLock::new(|| {
        let operations = crate::api::operations::OPERATIONS.iter().map(|operation| operation.id.to_owned());
        let acts = CustomerAct::ALL.map(|act| format!("journey.{}", act.as_str()));
        operations.chain(acts).chain(["unknown".to_owned()]).collect()
    });
    static OUTBOUND: LazyLock<Vec<String>> = LazyLock::new(|| {
        let events = EVENT_TYPES.iter().copied().chain([crate::behaviour::evolution::NEW_EVENT]);
        events.map(|event| format!("event:{event}")).collect()
    });
    let known: Vec<&str> = INBOUND.iter().chain(OUTBOUND.iter()).map(String::as_str).collect();
    check_name("operation", pattern, &known)?;
    let (names, word) = match direction {
        None => return Ok(()),
        Some(Direction::Inbound) => (&*INBOUND, "inbound"),
        Some(Direction::Outbound) => (&*OUTBOUND, "outbound"),
    };
    if names.iter().any(|name| fits(pattern, name)) {
        return Ok(());
    }
    let message = format!("direction and operation: {pattern} is never {word}");
    never(message, "webhooks (event:…) are outbound, all else is inbound")
}

fn check_fault(pattern: &str) -> Result<(), QueryMistake> {
    let numbered = |known: &str| match pattern.strip_suffix('*') {
        Some(start) => start.starts_with(known) || known.starts_with(start),
        None => pattern.starts_with(known),
    };
    if NUMBERED_FAULTS.into_iter().any(numbered) {
        return Ok(());
    }
    let misbehaviours = Misbehaviour::ALL.map(Misbehaviour::as_str);
    let webhooks: Vec<String> =
        misbehaviours.into_iter().chain(["patched"]).map(|word| format!("webhook {word}")).collect();
    let known: Vec<&str> = FAULTS
        .into_iter()
        .chain(webhooks.iter().map(String::as_str))
        .chain(["status *", "delay *", "drip *"])
        .collect();
    check_name("fault", pattern, &known)
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
