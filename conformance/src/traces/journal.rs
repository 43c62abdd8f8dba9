//! `journal.ndjson`: an exchange a line, bodies as text, secrets cut.

use klarna_schemas::simulator::journal::JournalEntry;
use serde::Serialize;

use crate::redaction::{Redacted, Redactor};

/// The longest body that is kept, in bytes.
const BODY_MAX: usize = 64 * 1024;

/// Exchanges that are kept of one journal: the last ones.
const LINES_MAX: usize = 2_000;

/// One exchange. The bytes are those of the journal but for what is secret and what is no UTF-8.
#[derive(Debug, Serialize)]
struct Line<'a> {
    journal: &'static str,
    seq: u64,
    epoch: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<&'a str>,
    direction: klarna_schemas::simulator::journal::Direction,
    operation: &'a str,
    started_at: jiff::Timestamp,
    virtual_at: jiff::Timestamp,
    request: Request<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response>,
    ended: klarna_schemas::simulator::journal::Ending,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'a str>,
    findings: &'a [String],
}

#[derive(Debug, Serialize)]
struct Request<'a> {
    method: &'a str,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Debug, Serialize)]
struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// The lines, in the order in which the exchanges began.
pub(super) fn lines(
    sandbox: &[JournalEntry],
    account: &[JournalEntry],
    redactor: &Redactor,
) -> Vec<Redacted> {
    let last = |entries: &[JournalEntry]| entries.len().saturating_sub(LINES_MAX);
    let of_sandbox = sandbox.iter().skip(last(sandbox)).map(|entry| ("sandbox", entry));
    let of_account = account.iter().skip(last(account)).map(|entry| ("acquirer account", entry));
    let mut entries: Vec<(&'static str, &JournalEntry)> = of_sandbox.chain(of_account).collect();
    entries.sort_by_key(|(_, entry)| entry.started_at);
    entries.into_iter().map(|(journal, entry)| line(journal, entry, redactor)).collect()
}

fn line(journal: &'static str, entry: &JournalEntry, redactor: &Redactor) -> Redacted {
    let line = Line {
        journal,
        seq: entry.seq,
        epoch: entry.epoch,
        payment: entry.payment.as_deref(),
        direction: entry.direction,
        operation: &entry.operation,
        started_at: entry.started_at,
        virtual_at: entry.virtual_at,
        request: Request {
            method: &entry.request.method,
            target: redactor.text(&entry.request.target).as_str().to_owned(),
            headers: headers(&entry.request.headers, redactor),
            body: body(&entry.request.body(), redactor),
        },
        response: entry.response.as_ref().map(|response| Response {
            status: response.status,
            headers: headers(&response.headers, redactor),
            body: body(&response.body(), redactor),
        }),
        ended: entry.ended,
        rule: entry.rule.as_deref(),
        fault: entry.fault.as_deref(),
        findings: &entry.findings,
    };
    // Once more over the whole: what is written is redacted, wherever it came from.
    redactor.text(&serde_json::to_string(&line).unwrap_or_else(|error| error.to_string()))
}

fn headers(headers: &[(String, String)], redactor: &Redactor) -> Vec<(String, String)> {
    let shown = headers.iter().map(|(name, value)| {
        let value = redactor.header(name, value);
        (name.clone(), value.as_str().to_owned())
    });
    shown.collect()
}

fn body(bytes: &[u8], redactor: &Redactor) -> String {
    let text = redactor.text(&String::from_utf8_lossy(bytes)).as_str().to_owned();
    if text.len() <= BODY_MAX {
        return text;
    }
    let end = (0..=BODY_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let head = text.get(..end).unwrap_or_default();
    format!("{head}… ({} bytes in all)", bytes.len())
}
