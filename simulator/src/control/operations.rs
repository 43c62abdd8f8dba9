//! Every operation of the control API, in one table: what documents and commands are made of.

use klarna_schemas::catalogue;
use serde_json::json;

pub(crate) use super::query::Query;

/// In front of every path.
pub(crate) const BASE: &str = "/_simulator/v1";

/// One operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ControlOperation {
    /// Its name: a noun and what is done to it.
    pub(crate) id: &'static str,
    pub(crate) method: &'static str,
    /// Below [`BASE`].
    pub(crate) path: &'static str,
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// The schema of its body, if it takes one.
    pub(crate) body: Option<&'static str>,
    /// What a success is: its status, and the schema of its body, if it has one.
    pub(crate) answer: (u16, Option<&'static str>),
    /// What its query takes.
    pub(crate) query: Query,
}

impl ControlOperation {
    /// Whether it can do nothing without a body: an empty one stands for an empty object.
    pub(crate) fn needs_body(&self) -> bool {
        let wrong = |schema| catalogue::check(schema, &json!({})).is_ok_and(|wrong| !wrong.is_empty());
        self.body.is_some_and(wrong)
    }
}

/// The operations at a path, which is given with what stands in front of it.
pub(crate) fn at(path: &str) -> impl Iterator<Item = &'static ControlOperation> {
    CONTROL.iter().filter(move |one| path.strip_prefix(BASE) == Some(one.path))
}

const fn operation(
    id: &'static str,
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: Option<&'static str>,
    answer: (u16, Option<&'static str>),
) -> ControlOperation {
    ControlOperation { id, method, path, summary, body, answer, query: Query::Nothing }
}

const fn reading(
    id: &'static str,
    path: &'static str,
    summary: &'static str,
    answer: Option<&'static str>,
    query: Query,
) -> ControlOperation {
    ControlOperation { id, method: "GET", path, summary, body: None, answer: (200, answer), query }
}

const SANDBOX: Option<&str> = Some("simulator/sandbox");
const PAGE: Option<&str> = Some("simulator/journal-page");

/// The table.
pub(crate) const CONTROL: &[ControlOperation] = &[
    reading(
        "sandboxes.list",
        "/sandboxes",
        "All sandboxes, by account",
        Some("simulator/sandboxes"),
        Query::Nothing,
    ),
    operation(
        "sandbox.put",
        "PUT",
        "/sandboxes/{account}",
        "Make a sandbox, or reset it into a new epoch",
        Some("simulator/put-sandbox"),
        (200, SANDBOX),
    ),
    reading("sandbox.read", "/sandboxes/{account}", "Look at a sandbox", SANDBOX, Query::Nothing),
    operation(
        "sandbox.delete",
        "DELETE",
        "/sandboxes/{account}",
        "Delete a sandbox and all that is in it",
        None,
        (204, None),
    ),
    operation(
        "intent.put",
        "PUT",
        "/sandboxes/{account}/intent",
        "Say what the Partner is about to ask; it binds to the next new payment",
        Some("simulator/intent"),
        (200, SANDBOX),
    ),
    operation(
        "presentation.put",
        "PUT",
        "/sandboxes/{account}/presentation",
        "Say what payment forms show of Klarna",
        Some("simulator/presentation-wish"),
        (200, SANDBOX),
    ),
    operation(
        "session_token.mint",
        "POST",
        "/sandboxes/{account}/session-tokens",
        "Mint a session token that a Partner can bring",
        Some("simulator/mint-session-token"),
        (201, Some("simulator/minted-session-token")),
    ),
    operation(
        "key.make",
        "POST",
        "/sandboxes/{account}/keys",
        "The Partner's own key, the same at each call",
        None,
        (201, Some("simulator/partner-key")),
    ),
    operation(
        "outcomes.queue",
        "POST",
        "/sandboxes/{account}/outcomes",
        "Queue outcomes for the authorize calls to come",
        Some("simulator/queued-outcomes"),
        (200, SANDBOX),
    ),
    operation(
        "rules.put",
        "PUT",
        "/sandboxes/{account}/rules",
        "Lay the sandbox's own rules down, in the place of those before",
        Some("simulator/rules-file"),
        (200, Some("simulator/rules-view")),
    ),
    reading(
        "rules.read",
        "/sandboxes/{account}/rules",
        "The rules that hold, and how often each has served",
        Some("simulator/rules-view"),
        Query::Nothing,
    ),
    operation(
        "explain",
        "POST",
        "/sandboxes/{account}/explain",
        "What would be decided on a call, and why; nothing changes",
        Some("simulator/explain"),
        (200, Some("simulator/explanation")),
    ),
    operation(
        "evolution.put",
        "PUT",
        "/sandboxes/{account}/evolution",
        "Let Klarna evolve in these ways, and in no others",
        Some("simulator/set-evolution"),
        (200, Some("simulator/set-evolution")),
    ),
    reading(
        "evolution.read",
        "/sandboxes/{account}/evolution",
        "In which ways Klarna has evolved",
        Some("simulator/set-evolution"),
        Query::Nothing,
    ),
    operation(
        "customer.act",
        "POST",
        "/sandboxes/{account}/customer",
        "Do what the Customer does, at once or after a while",
        Some("simulator/act-as-customer"),
        (200, Some("simulator/customer-acted")),
    ),
    operation(
        "fault.arm",
        "POST",
        "/sandboxes/{account}/faults",
        "Arm a fault for calls to come",
        Some("simulator/arm-fault"),
        (200, SANDBOX),
    ),
    reading(
        "faults.read",
        "/sandboxes/{account}/faults",
        "The faults that are armed, and how many calls each still meets",
        Some("simulator/faults-view"),
        Query::Nothing,
    ),
    operation(
        "faults.lift",
        "DELETE",
        "/sandboxes/{account}/faults",
        "Take all faults back, and let go the calls that one of them holds",
        None,
        (200, SANDBOX),
    ),
    operation(
        "webhook.send",
        "POST",
        "/sandboxes/{account}/webhooks",
        "Send a webhook out of turn, or let the next one misbehave",
        Some("simulator/send-webhook"),
        (200, Some("simulator/webhooks-sent")),
    ),
    reading(
        "webhooks.read",
        "/sandboxes/{account}/webhooks",
        "The misbehaviours that wait for their webhooks, and the webhooks that are held",
        Some("simulator/webhooks-view"),
        Query::Nothing,
    ),
    operation(
        "webhooks.release",
        "POST",
        "/sandboxes/{account}/webhooks/release",
        "Send the webhooks that are held",
        Some("simulator/release-webhooks"),
        (200, Some("simulator/webhooks-sent")),
    ),
    operation(
        "payment_request.end",
        "POST",
        "/sandboxes/{account}/payment-requests",
        "Let Klarna's side cancel or expire a Payment Request",
        Some("simulator/end-payment-request"),
        (200, Some("simulator/payment-request-ended")),
    ),
    operation(
        "transaction.charge_back",
        "POST",
        "/sandboxes/{account}/transactions/{id}/chargeback",
        "Take captured money back for the Customer",
        Some("simulator/charge-back"),
        (201, Some("klarna/payment-chargeback")),
    ),
    operation(
        "clock.set",
        "POST",
        "/sandboxes/{account}/clock",
        "Move, set or stop the sandbox's clock; answers when the world has settled",
        Some("simulator/set-clock"),
        (200, Some("simulator/clock")),
    ),
    operation(
        "snapshot.take",
        "POST",
        "/sandboxes/{account}/snapshots",
        "Take a snapshot of the sandbox",
        Some("simulator/make-snapshot"),
        (201, Some("simulator/snapshot")),
    ),
    reading(
        "snapshots.list",
        "/sandboxes/{account}/snapshots",
        "The sandbox's snapshots",
        Some("simulator/snapshots"),
        Query::Nothing,
    ),
    operation(
        "snapshot.delete",
        "DELETE",
        "/sandboxes/{account}/snapshots/{name}",
        "Forget a snapshot",
        None,
        (204, None),
    ),
    operation(
        "snapshot.restore",
        "POST",
        "/sandboxes/{account}/snapshots/{name}/restore",
        "Go back to a snapshot, in a new epoch",
        None,
        (200, SANDBOX),
    ),
    reading(
        "journal.read",
        "/sandboxes/{account}/journal",
        "Entries of the sandbox's journal, awaited if need be",
        PAGE,
        Query::Journal,
    ),
    reading(
        "journal.follow",
        "/sandboxes/{account}/journal/stream",
        "Entries as they are written down, as server-sent events",
        None,
        Query::Stream,
    ),
    reading(
        "journal.export",
        "/sandboxes/{account}/journal/export",
        "The journal as a file: HAR, curl lines, NDJSON",
        None,
        Query::Export,
    ),
    reading(
        "findings.read",
        "/sandboxes/{account}/findings",
        "What the rulebook found, judged, and did not judge",
        Some("simulator/findings"),
        Query::Payment,
    ),
    reading(
        "account.journal.read",
        "/accounts/{acquirer}/journal",
        "Entries of an acquirer account's journal",
        PAGE,
        Query::Journal,
    ),
    reading(
        "account.journal.follow",
        "/accounts/{acquirer}/journal/stream",
        "The same, as server-sent events",
        None,
        Query::Stream,
    ),
    reading(
        "account.journal.export",
        "/accounts/{acquirer}/journal/export",
        "The same, as a file",
        None,
        Query::Export,
    ),
    reading(
        "account.findings.read",
        "/accounts/{acquirer}/findings",
        "What the rulebook found in calls without a Partner account in their path",
        Some("simulator/findings"),
        Query::Nothing,
    ),
    operation(
        "account.fault.arm",
        "POST",
        "/accounts/{acquirer}/faults",
        "Arm a fault for calls without a Partner account in their path",
        Some("simulator/arm-fault"),
        (204, None),
    ),
    reading(
        "account.faults.read",
        "/accounts/{acquirer}/faults",
        "Those that are armed, and how many calls each still meets",
        Some("simulator/faults-view"),
        Query::Nothing,
    ),
    operation(
        "account.faults.lift",
        "DELETE",
        "/accounts/{acquirer}/faults",
        "Take those faults back",
        None,
        (204, None),
    ),
    operation(
        "account.forget",
        "POST",
        "/accounts/{acquirer}/forget",
        "Let Klarna forget what the acquirer has registered",
        Some("simulator/forget-registrations"),
        (204, None),
    ),
    reading(
        "lobby.findings.read",
        "/findings",
        "What the rulebook found in calls whose key opens no account",
        Some("simulator/findings"),
        Query::Nothing,
    ),
    reading("lobby.journal.read", "/journal", "Entries that belong to no account", PAGE, Query::Journal),
    reading(
        "lobby.journal.follow",
        "/journal/stream",
        "The same, as server-sent events",
        None,
        Query::Stream,
    ),
    reading("lobby.journal.export", "/journal/export", "The same, as a file", None, Query::Export),
    reading(
        "rules_file.read",
        "/rules",
        "How the rules file stands",
        Some("simulator/rules-file-view"),
        Query::Nothing,
    ),
    operation(
        "rules_file.reload",
        "POST",
        "/rules/reload",
        "Read the rules file again now",
        None,
        (200, Some("simulator/rules-file-view")),
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use klarna_schemas::catalogue::Catalogue;
    use regex::Regex;

    use super::*;

    #[test]
    fn the_table_has_every_route_and_no_other() {
        let source = include_str!("mod.rs");
        let route = Regex::new(r#"(?s)\.route\(\s*"([^"]+)",\s*(.*?)\)\s*(?:\n|$)"#).unwrap();
        let verb = Regex::new(r"\b(get|post|put|delete)\(").unwrap();
        let mut routed = BTreeSet::new();
        for found in route.captures_iter(source) {
            for method in verb.captures_iter(&found[2]) {
                routed.insert(format!("{} {}", method[1].to_uppercase(), &found[1]));
            }
        }
        let listed: BTreeSet<_> = CONTROL.iter().map(|one| format!("{} {}", one.method, one.path)).collect();
        assert_eq!(listed, routed);
        assert_eq!(listed.len(), CONTROL.len(), "none stands twice");
    }

    #[test]
    fn every_schema_that_it_names_is_there() {
        for one in CONTROL {
            for schema in one.body.iter().chain(&one.answer.1) {
                assert!(Catalogue::global().schema(schema).is_some(), "{}: {schema}", one.id);
            }
        }
        let ids: BTreeSet<_> = CONTROL.iter().map(|one| one.id).collect();
        assert_eq!(ids.len(), CONTROL.len());
    }
}
