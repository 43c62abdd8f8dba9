//! `exchanges.sh`: what was called, as commands for a shell. Secrets are variables.

use std::fmt::Write as _;

use klarna_schemas::simulator::journal::{Direction, JournalEntry};

use crate::adapter::shell_word;
use crate::redaction::{Redacted, Redactor, is_secret_header};

const HEAD: &str = "\
# The calls of this scenario, to be made again one by one: each is a command of its own.
# KLARNA_BASE_URL and KLARNA_API_KEY say where Klarna is and who calls. Session tokens are cut:
# KLARNA_NETWORK_SESSION_TOKEN stands for the one of the call.
";

/// Headers that curl makes itself, or that say nothing about the call.
const LEFT_OUT: &[&str] =
    &["host", "content-length", "connection", "accept", "accept-encoding", "user-agent", "authorization"];

/// The commands: first the Partner's calls, then those to and from Klarna.
pub(super) fn script(sandbox: &[JournalEntry], partner_calls: &[String], redactor: &Redactor) -> Redacted {
    let mut text = HEAD.to_owned();
    for call in partner_calls {
        let _ = write!(text, "\n# The Partner calls the acquirer\n{call}\n");
    }
    for entry in sandbox {
        let _ = write!(text, "\n{}\n{}\n", heading(entry), command(entry, redactor));
    }
    redactor.text(&text)
}

fn heading(entry: &JournalEntry) -> String {
    let answer = entry
        .response
        .as_ref()
        .map_or_else(|| "no answer".to_owned(), |response| response.status.to_string());
    let who = match entry.direction {
        Direction::Inbound => "to Klarna",
        Direction::Outbound => {
            "from Klarna; its body is cut where it holds a token, and then its signature no longer fits"
        }
    };
    format!("# #{} {}, {who} → {answer}", entry.seq, entry.operation)
}

fn command(entry: &JournalEntry, redactor: &Redactor) -> String {
    let Ok(body) = String::from_utf8(entry.request.body()) else {
        return "# not shown: its body is no text".to_owned();
    };
    let mut command = format!("curl -sS -i -X {} ", shell_word(&entry.request.method));
    if entry.direction == Direction::Inbound {
        command.push_str("\"$KLARNA_BASE_URL\"");
    }
    command.push_str(&shell_word(redactor.text(&entry.request.target).as_str()));
    if entry.direction == Direction::Inbound && !entry.operation.starts_with("journey.") {
        command.push_str(" -H 'Authorization: Basic '\"$KLARNA_API_KEY\"");
    }
    for (name, value) in &entry.request.headers {
        if LEFT_OUT.contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        command.push_str(" -H ");
        if is_secret_header(name) {
            let _ = write!(command, "{}\"$KLARNA_NETWORK_SESSION_TOKEN\"", shell_word(&format!("{name}: ")));
        } else {
            let value = redactor.header(name, value);
            command.push_str(&shell_word(&format!("{name}: {}", value.as_str())));
        }
    }
    if !body.is_empty() {
        let _ = write!(command, " --data-binary {}", shell_word(redactor.text(&body).as_str()));
    }
    command
}
