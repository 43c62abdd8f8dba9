//! HTTP Archive 1.2: what the developer tools of browsers write and open.

use std::time::Duration;

use klarna_schemas::simulator::journal::{Direction, HttpVersion, JournalEntry};
use serde_json::{Value, json};

/// Where Klarna is, when nobody has said.
const SOMEWHERE: &str = "http://klarna.localhost";

/// How many bytes the bodies had that were sent, whatever stands there now in their place. -1, as archives
/// have it, is what is not known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    request: i64,
    response: i64,
}

impl Sizes {
    pub(crate) fn of(entry: &JournalEntry) -> Self {
        let length = |body: Vec<u8>| i64::try_from(body.len()).unwrap_or(-1);
        let request = &entry.request;
        // Of what was cut off only the caller's own word remains.
        let announced = || request.header("content-length").and_then(|length| length.parse().ok());
        Self {
            request: if request.truncated { announced().unwrap_or(-1) } else { length(request.body()) },
            response: entry.response.as_ref().map_or(-1, |response| length(response.body())),
        }
    }
}

/// The entries as an archive, with the sizes that their bodies had; `base` is where Klarna is.
pub(crate) fn har(entries: &[JournalEntry], sizes: &[Sizes], base: &str) -> String {
    let base = if base.is_empty() { SOMEWHERE } else { base.trim_end_matches('/') };
    let mut entries: Vec<(&JournalEntry, Sizes)> = entries.iter().zip(sizes.iter().copied()).collect();
    // As archives are read; where they began at once, in the order in which they ended.
    entries.sort_by_key(|(entry, _)| (entry.started_at, entry.seq));
    let archive = json!({
        "log": {
            "version": "1.2",
            "creator": { "name": "klarna-simulator", "version": env!("CARGO_PKG_VERSION") },
            "entries": entries.into_iter().map(|(entry, sizes)| written(entry, sizes, base)).collect::<Vec<_>>(),
        }
    });
    archive.to_string()
}

fn written(entry: &JournalEntry, sizes: Sizes, base: &str) -> Value {
    let url = match entry.direction {
        Direction::Inbound if entry.request.target.starts_with('/') => {
            format!("{base}{}", entry.request.target)
        }
        _ => entry.request.target.clone(),
    };
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = params(query);
    let body = entry.request.body();
    let mut request = json!({
        "method": entry.request.method,
        "url": url,
        "httpVersion": version(entry),
        "cookies": sent_cookies(&entry.request.headers),
        "headers": pairs(&entry.request.headers),
        "queryString": query,
        "headersSize": -1,
        "bodySize": sizes.request,
    });
    if !body.is_empty() {
        let kind = entry.request.header("content-type").unwrap_or_default();
        let sent = match String::from_utf8(body) {
            Ok(text) if kind.starts_with("application/x-www-form-urlencoded") => {
                json!({ "mimeType": kind, "params": params(&text), "text": text })
            }
            Ok(text) => json!({ "mimeType": kind, "text": text }),
            // The format has no place for bytes here: they stand as they do in answers.
            Err(_) => json!({ "mimeType": kind, "text": entry.request.body_base64, "comment": "base64" }),
        };
        if let Value::Object(members) = &mut request {
            members.insert("postData".to_owned(), sent);
        }
    }
    let (time, timings) = timings(entry);
    json!({
        "startedDateTime": entry.started_at.to_string(),
        "time": time,
        "request": request,
        "response": answered(entry, sizes),
        "cache": {},
        "timings": timings,
        "comment": comment(entry),
    })
}

/// An archive must name one.
fn version(entry: &JournalEntry) -> &'static str {
    entry.http_version.map_or("unknown", HttpVersion::as_str)
}

/// Milliseconds: all, and by parts. -1 may stand only for what comes before the request is sent; what else
/// is not known is 0 there, and named in the comment.
fn timings(entry: &JournalEntry) -> (f64, Value) {
    let known = entry.timings.unwrap_or_default();
    let millis =
        |micros: Option<u64>| micros.map_or(0.0, |micros| Duration::from_micros(micros).as_secs_f64() * 1e3);
    let (send, wait, receive) = (millis(known.send_us), millis(known.wait_us), millis(known.receive_us));
    let parts = [("send", known.send_us), ("wait", known.wait_us), ("receive", known.receive_us)];
    let unknown = parts.iter().filter(|(_, took)| took.is_none()).map(|(part, _)| *part);
    let unknown = unknown.collect::<Vec<_>>().join(", ");
    let mut timings = json!({
        "blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": send, "wait": wait, "receive": receive,
    });
    if let Some(members) = timings.as_object_mut()
        && !unknown.is_empty()
    {
        members.insert("comment".to_owned(), format!("not known, and no 0: {unknown}").into());
    }
    (send + wait + receive, timings)
}

fn answered(entry: &JournalEntry, sizes: Sizes) -> Value {
    let Some(response) = &entry.response else {
        return json!({
            "status": 0, "statusText": "", "httpVersion": version(entry), "cookies": [], "headers": [],
            "content": { "size": 0, "mimeType": "" }, "redirectURL": "", "headersSize": -1, "bodySize": -1,
        });
    };
    let body = response.body();
    let kind = response.header("content-type").unwrap_or_default();
    let size = sizes.response;
    let content = match String::from_utf8(body) {
        Ok(text) => json!({ "size": size, "mimeType": kind, "text": text }),
        Err(_) => {
            json!({ "size": size, "mimeType": kind, "text": response.body_base64, "encoding": "base64" })
        }
    };
    let reason = http::StatusCode::from_u16(response.status).ok();
    json!({
        "status": response.status,
        "statusText": reason.and_then(|status| status.canonical_reason()).unwrap_or_default(),
        "httpVersion": version(entry),
        "cookies": set_cookies(&response.headers),
        "headers": pairs(&response.headers),
        "content": content,
        "redirectURL": response.header("location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": size,
    })
}

/// The pairs of a query or of a form.
fn params(text: &str) -> Vec<Value> {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn sent_cookies(headers: &[(String, String)]) -> Vec<Value> {
    let sent = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    sent.flat_map(|(_, value)| value.split(';')).filter_map(cookie).collect()
}

fn set_cookies(headers: &[(String, String)]) -> Vec<Value> {
    let set = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    set.filter_map(|(_, value)| cookie(value.split(';').next()?)).collect()
}

fn cookie(text: &str) -> Option<Value> {
    let (name, value) = text.trim().split_once('=')?;
    Some(json!({ "name": name, "value": value }))
}

fn pairs(headers: &[(String, String)]) -> Vec<Value> {
    headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

/// What an archive has no place for.
fn comment(entry: &JournalEntry) -> String {
    let mut words = vec![format!("#{} {}", entry.seq, entry.operation)];
    words.extend(entry.payment.as_ref().map(|payment| format!("payment {payment}")));
    words.extend(entry.rule.as_ref().map(|rule| format!("decided by {rule}")));
    words.extend(entry.fault.as_ref().map(|fault| format!("met {fault}")));
    words.extend(entry.findings.iter().map(|rule| format!("found {rule}")));
    words.join(", ")
}
