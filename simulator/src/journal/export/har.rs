//! HTTP Archive 1.2: what the developer tools of browsers write and open.

use klarna_schemas::simulator::journal::{Direction, JournalEntry};
use serde_json::{Value, json};

/// Where Klarna is, when nobody has said.
const SOMEWHERE: &str = "http://klarna.localhost";

/// The entries as an archive; `base` is where Klarna is.
pub(crate) fn har(entries: &[JournalEntry], base: &str) -> String {
    let base = if base.is_empty() { SOMEWHERE } else { base.trim_end_matches('/') };
    let mut entries: Vec<&JournalEntry> = entries.iter().collect();
    // As archives are read; where they began at once, in the order in which they ended.
    entries.sort_by_key(|entry| (entry.started_at, entry.seq));
    let archive = json!({
        "log": {
            "version": "1.2",
            "creator": { "name": "klarna-simulator", "version": env!("CARGO_PKG_VERSION") },
            "entries": entries.into_iter().map(|entry| written(entry, base)).collect::<Vec<_>>(),
        }
    });
    archive.to_string()
}

fn written(entry: &JournalEntry, base: &str) -> Value {
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
        "httpVersion": "HTTP/1.1",
        "cookies": sent_cookies(&entry.request.headers),
        "headers": pairs(&entry.request.headers),
        "queryString": query,
        "headersSize": -1,
        "bodySize": body.len(),
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
    json!({
        "startedDateTime": entry.started_at.to_string(),
        "time": 0,
        "request": request,
        "response": answered(entry),
        "cache": {},
        "timings": { "send": 0, "wait": 0, "receive": 0 },
        "comment": comment(entry),
    })
}

fn answered(entry: &JournalEntry) -> Value {
    let Some(response) = &entry.response else {
        return json!({
            "status": 0, "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [], "headers": [],
            "content": { "size": 0, "mimeType": "" }, "redirectURL": "", "headersSize": -1, "bodySize": -1,
        });
    };
    let body = response.body();
    let kind = response.header("content-type").unwrap_or_default();
    let size = body.len();
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
        "httpVersion": "HTTP/1.1",
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
