//! Webhooks that come by the proxy: Klarna knows its URL, the acquirer sees its own.
//!
//! The acquirer's URL is written into the proxy's, so nothing has to be remembered, and a webhook
//! that was not registered through the proxy stays what it is: it is listed as it stands at Klarna,
//! and its events go to the acquirer directly.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use url::Url;

use crate::wire::{Answer, Call};

/// Klarna's webhooks, one or all.
const WEBHOOKS: &str = "/v2/notification/webhooks";
/// Path at the proxy that events come to, before the acquirer's URL in base64.
const EVENTS: &str = "/_defect/events/";

/// The acquirer's webhooks in the proxy's disguise.
#[derive(Debug)]
pub(super) struct Disguise {
    /// The proxy's URL up to the acquirer's.
    prefix: String,
    /// Where the acquirer took events last.
    newest: Mutex<Option<String>>,
}

impl Disguise {
    pub(super) fn new(proxy: &Url) -> Self {
        let base = proxy.as_str().trim_end_matches('/');
        Self { prefix: format!("{base}{EVENTS}"), newest: Mutex::default() }
    }

    /// Whether a call is about webhooks.
    pub(super) fn concerns(call: &Call) -> bool {
        call.path().strip_prefix(WEBHOOKS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Puts the proxy's URL into a registration.
    pub(super) fn put_on(&self, call: &mut Call) {
        call.edit(|body| {
            let url = body.get("url").and_then(Value::as_str).filter(|url| leads_somewhere(url));
            let Some(url) = url.map(str::to_owned) else { return false };
            if let Some(fields) = body.as_object_mut() {
                fields.insert("url".to_owned(), self.disguised(&url).into());
            }
            self.note(url);
            true
        });
    }

    /// Puts the acquirer's own URLs into Klarna's answer.
    pub(super) fn take_off(&self, answer: &mut Answer) {
        answer.edit(|body| {
            let mut changed = self.undisguise(body);
            for webhook in body.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
                changed |= self.undisguise(webhook);
            }
            changed
        });
    }

    /// The acquirer's URL, where this target is one that events come to.
    pub(super) fn acquirer(&self, path: &str) -> Option<String> {
        let url = original(path.strip_prefix(EVENTS)?)?;
        self.note(url.clone());
        Some(url)
    }

    /// Where the acquirer takes events, as far as the proxy has seen.
    pub(super) fn newest(&self) -> Option<String> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, url: String) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(url);
    }

    fn disguised(&self, url: &str) -> String {
        format!("{}{}", self.prefix, URL_SAFE_NO_PAD.encode(url))
    }

    fn undisguise(&self, webhook: &mut Value) -> bool {
        let url = webhook.get("url").and_then(Value::as_str);
        let own = url.and_then(|url| url.strip_prefix(&self.prefix)).and_then(original);
        let (Some(own), Some(fields)) = (own, webhook.as_object_mut()) else { return false };
        fields.insert("url".to_owned(), own.into());
        true
    }
}

fn original(encoded: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

/// Whether Klarna could send anything there; what it must refuse, it is to see.
fn leads_somewhere(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
