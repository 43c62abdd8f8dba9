//! The calls of a journal as lines of curl that make them again.

use klarna_schemas::simulator::journal::{Direction, JournalEntry};

/// Headers that curl makes itself, or that are never kept.
const LEFT_OUT: [&str; 5] = ["host", "content-length", "connection", "authorization", "accept-encoding"];

const HEAD: &str = "#!/usr/bin/env bash\n\
# Calls to Klarna, in the order in which they ended. KLARNA_BASE_URL says where Klarna is, KLARNA_API_KEY\n\
# holds the API key: the journal never has it.\n\
set -u\n";

/// A script that makes the calls to Klarna again; webhooks, which Klarna sends, stand as comments.
pub(crate) fn curl(entries: &[JournalEntry]) -> String {
    let mut script = HEAD.to_owned();
    for entry in entries {
        let about = format!("\n# {} {}", entry.seq, entry.operation);
        match entry.direction {
            Direction::Outbound => script.extend([
                about.as_str(),
                ", sent by Klarna to ",
                &one_line(&entry.request.target),
                "\n",
            ]),
            // What the customer did at the tester's word was no call.
            Direction::Inbound if entry.request.target.starts_with("http") => {
                script.extend([about.as_str(), ", by the tester's word\n"]);
            }
            Direction::Inbound => script.extend([about.as_str(), "\n", &line(entry)]),
        }
    }
    script
}

fn line(entry: &JournalEntry) -> String {
    let request = &entry.request;
    let body = request.body();
    // A shell's argument holds no NUL, and not every byte: what is no plain text comes by a pipe.
    let as_text = String::from_utf8(body.clone()).ok().filter(|text| !text.contains('\0'));
    let piped = as_text.is_none();
    let mut line = String::new();
    if piped {
        line.extend(["printf %s ", &quoted(&request.body_base64), " | base64 -d | "]);
    }
    line.extend(["curl -sS -X ", &request.method, " \"$KLARNA_BASE_URL\"", &quoted(&request.target)]);
    line.push_str(" -H \"Authorization: Basic $KLARNA_API_KEY\"");
    for (name, value) in &request.headers {
        if !LEFT_OUT.contains(&name.to_ascii_lowercase().as_str()) {
            let header = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            line.extend([" -H ", &quoted(&header)]);
        }
    }
    match as_text {
        Some(text) if text.is_empty() => {}
        Some(text) => line.extend([" --data-raw ", &quoted(&text)]),
        None => line.push_str(" --data-binary @-"),
    }
    line.push('\n');
    line
}

/// Text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
