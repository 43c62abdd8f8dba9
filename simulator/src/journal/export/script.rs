//! The calls of a journal as a script of curl that makes them again.

use std::fmt::Write as _;

use klarna_schemas::simulator::journal::{Direction, JournalEntry, RecordedRequest};

use crate::journal::header_text::bytes_of;

/// Headers that curl makes itself.
const LEFT_OUT: [&str; 3] = ["host", "content-length", "connection"];
/// Headers that curl adds by itself where nobody says otherwise.
const NOT_ADDED: [&str; 4] = ["accept", "content-type", "expect", "user-agent"];
/// Characters of a line of base64.
const LINE: usize = 76;

const HEAD: &str = r#"#!/bin/sh
# Calls to Klarna, in the order in which they ended. KLARNA_BASE_URL says where Klarna is, KLARNA_API_KEY
# holds the API key: the journal never has it. Bodies stand in base64, so that they are the same bytes.
set -u
: "${KLARNA_BASE_URL:?says where Klarna is, such as http://127.0.0.1:8080}"
: "${KLARNA_API_KEY:?holds the API key}"
failed=''
# Notes a call that could not be made; an answer is one, whatever its status.
ended() {
    [ "$2" -eq 0 ] && return
    echo "call $1 failed: curl ended with $2" >&2
    failed="$failed $1"
}
bare() {
    number=$1
    shift
    curl -q -sS --globoff --path-as-is "$@"
    ended "$number" "$?"
}
with_body() {
    number=$1
    shift
    base64 -d | curl -q -sS --globoff --path-as-is --data-binary @- "$@"
    ended "$number" "$?"
}
"#;

const TAIL: &str = r#"
[ -z "$failed" ] && exit 0
echo "these calls failed:$failed" >&2
exit 1
"#;

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
            Direction::Inbound => script.extend([about.as_str(), "\n", &call(entry)]),
        }
    }
    script.push_str(TAIL);
    script
}

fn call(entry: &JournalEntry) -> String {
    let request = &entry.request;
    // An empty body that was announced is announced again.
    let has_body = !request.body_base64.is_empty()
        || request.header("content-length").is_some()
        || request.header("transfer-encoding").is_some();
    let mut line = format!("{} {}", if has_body { "with_body" } else { "bare" }, entry.seq);
    // Told to make a HEAD by -X, curl waits for a body that never comes.
    match request.method.as_str() {
        "HEAD" => line.push_str(" --head"),
        method => line.extend([" -X ", &word(method.as_bytes())]),
    }
    if request.target.starts_with('/') {
        line.extend([" \"${KLARNA_BASE_URL%/}\"", &word(request.target.as_bytes())]);
    } else {
        let target = word(request.target.as_bytes());
        line.extend([" \"${KLARNA_BASE_URL%/}/\" --request-target ", &target]);
    }
    for header in headers(request) {
        line.extend([" -H ", &header]);
    }
    if has_body {
        line.push_str(" <<'BODY'\n");
        for piece in request.body_base64.as_bytes().chunks(LINE) {
            line.extend([&String::from_utf8_lossy(piece), "\n"]);
        }
        line.push_str("BODY");
    }
    line.push('\n');
    line
}

/// The headers, each as one word of a shell.
fn headers(request: &RecordedRequest) -> Vec<String> {
    let mut words = Vec::new();
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        words.push(match (name.as_str(), value.as_str()) {
            // What is kept of it is its form: the key comes from outside. One that nobody could read goes as
            // something that nobody can read.
            ("authorization", form) if form != UNREADABLE => {
                "\"Authorization: Basic $KLARNA_API_KEY\"".to_owned()
            }
            (name, "") => word(format!("{name};").as_bytes()),
            (name, value) => word(&[name.as_bytes(), b": ", &bytes_of(value)].concat()),
        });
    }
    let absent = NOT_ADDED.iter().filter(|name| request.header(name).is_none());
    words.extend(absent.map(|name| word(format!("{name}:").as_bytes())));
    words
}

/// What stands in the place of an `Authorization` that has no form.
const UNREADABLE: &str = "[unreadable]";

/// Bytes as one word of a shell. A script is text: what is none is made by printf.
fn word(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    let mut format = String::new();
    for byte in bytes {
        match byte {
            b'%' => format.push_str("%%"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'-' | b':' | b';' => {
                format.push(char::from(*byte));
            }
            // Writing into a text does not fail.
            _ => _ = write!(format, "\\{byte:03o}"),
        }
    }
    format!("\"$(printf '{format}')\"")
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
