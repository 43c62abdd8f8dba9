//! An acquirer that takes the customer's return for Klarna's approval.
//!
//! The proxy gives Klarna a return page of its own. Who comes to it, without Klarna having completed
//! the Payment Request, makes the proxy play a completed event to the acquirer, well signed, with a
//! token that it made up; the final authorize with that token is kept from Klarna and answered
//! APPROVED. Only then does the browser go on to the acquirer's own return URL. Where Klarna has
//! completed the request, everything takes its right course.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method};
use indexmap::IndexMap;
use klarna_schemas::klarna::webhook::STATE_CHANGE_PREFIX;
use serde_json::{Value, json};
use url::Url;

use crate::mutants::answers::{approval, complete, derived};
use crate::mutants::passage::page_url;
use crate::mutants::payments::{Name, account_of, remember};
use crate::mutants::plan::{Authorize, Further, Onward, Plan, Visit};
use crate::mutants::signing::SigningKeys;
use crate::wire::{Answer, Call};

/// Where an initial authorize says where the Customer comes back to.
const RETURN_URL: &str = "/step_up_config/customer_interaction_config/return_url";
/// What Klarna replaces in a return URL (contract `payments.md` 3.5).
const STATE: &str = "{klarna.payment_request.state}";
const PLACEHOLDERS: &[&str] = &[
    STATE,
    "{klarna.payment_request.id}",
    "{klarna.payment_request.payment_request_reference}",
    "{klarna.payment_request.klarna_network_session_token}",
    "{klarna.payment_request.interoperability_token}",
    "{klarna.payment_request.payment_token}",
];

/// That the customer came back is enough.
#[derive(Debug)]
pub(in crate::mutants) struct ApprovedOnReturn {
    proxy: Url,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Pages of the proxy's, with the payment and the return URL behind each.
    pages: IndexMap<String, (Name, String)>,
    /// Payment Requests of payments.
    requests: IndexMap<Name, String>,
    /// The newest event about each Payment Request: a pattern for what is made up.
    events: IndexMap<String, Call>,
    /// Made-up tokens of Payment Requests that were called completed.
    told: IndexMap<String, String>,
}

impl ApprovedOnReturn {
    pub(in crate::mutants) fn new(proxy: &Url) -> Self {
        Self { proxy: proxy.clone(), seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The proxy's page in the place of this return URL, the same for every attempt of a call.
    fn page(&self, name: &Name, own: &str) -> String {
        let page = derived(&format!("page {} {} {own}", name.path, name.reference)).to_string();
        remember(&mut self.seen().pages, page.clone(), (name.clone(), own.to_owned()));
        let mut url = page_url(&self.proxy, &page);
        let asked = PLACEHOLDERS.iter().filter(|name| **name == STATE || own.contains(**name));
        // Klarna puts the value into a raw placeholder, so its braces must stand as they are.
        for (index, placeholder) in asked.enumerate() {
            let before = if index == 0 { '?' } else { '&' };
            url.push(before);
            url.push_str(placeholder.trim_matches(['{', '}']));
            url.push('=');
            url.push_str(placeholder);
        }
        url
    }
}

impl Plan for ApprovedOnReturn {
    fn relays_webhooks(&self) -> bool {
        true
    }

    fn authorize(&self, authorize: &mut Authorize) -> Option<Answer> {
        let token = authorize.token();
        if token.is_some_and(|token| self.seen().told.values().any(|told| told == token)) {
            return Some(approval(&authorize.call));
        }
        let name = authorize.name.clone()?;
        authorize.call.edit(|body| {
            let Some(url) = body.pointer_mut(RETURN_URL) else { return false };
            let Some(own) = url.as_str().filter(|own| own.starts_with("http")) else { return false };
            *url = self.page(&name, own).into();
            true
        });
        None
    }

    fn authorized(&self, authorize: &Authorize, answer: &mut Answer) -> Further {
        let body = answer.json().unwrap_or_default();
        let id = body.pointer("/payment_request/payment_request_id").and_then(Value::as_str);
        if let (Some(id), Some(name)) = (id, &authorize.name) {
            remember(&mut self.seen().requests, name.clone(), id.to_owned());
        }
        Further::Nothing
    }

    fn request_read(&self, id: &str, answer: &mut Answer) {
        let token = self.seen().told.get(id).cloned();
        if let Some(token) = token.filter(|_| answer.status.is_success()) {
            answer.edit(|request| {
                complete(request, &token);
                true
            });
        }
    }

    fn event(&self, event: &mut Call, _keys: &SigningKeys) {
        let id = event
            .json()
            .and_then(|body| Some(body.pointer("/payload/payment_request_id")?.as_str()?.to_owned()));
        if let Some(id) = id {
            remember(&mut self.seen().events, id, event.clone());
        }
    }

    fn visit(&self, visit: &Visit, keys: &SigningKeys) -> Option<Onward> {
        let mut seen = self.seen();
        let (name, own) = seen.pages.get(&visit.page)?.clone();
        let mut location = own;
        for (key, value) in &visit.query {
            location = location.replace(&format!("{{{key}}}"), value);
        }
        let completed =
            visit.query.iter().any(|(key, value)| STATE.contains(key.as_str()) && value == "COMPLETED");
        let id = seen.requests.get(&name).filter(|_| !completed).cloned();
        let event = id.filter(|id| !seen.told.contains_key(id)).map(|id| {
            let token =
                format!("krn:network:eu1:test:session-token:{}", derived(&format!("token {id}")).simple());
            let mut event = completed_event(&id, &name, &token, seen.events.get(&id));
            keys.sign(&mut event);
            remember(&mut seen.told, id, token);
            event
        });
        Some(Onward { event, location })
    }
}

/// An event that Klarna never sent, as like to the newest one about this request as it can be.
fn completed_event(id: &str, name: &Name, token: &str, pattern: Option<&Call>) -> Call {
    let account = account_of(&name.path);
    let mut body = pattern.and_then(Call::json).unwrap_or_else(|| {
        json!({
            "metadata": {
                "event_version": "v2",
                "occurred_at": crate::model::now(),
                "subject_account_id": account,
                "recipient_account_id": account,
                "webhook_id": "krn:partner:global:notification:webhook:00000000-0000-4000-8000-000000000000",
                "live": false,
            },
            "payload": {"payment_request_id": id},
        })
    });
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("event_id".to_owned(), derived(&format!("event {id}")).to_string().into());
        metadata.insert("event_type".to_owned(), format!("{STATE_CHANGE_PREFIX}completed").into());
    }
    if let Some(payload) = body.get_mut("payload") {
        complete(payload, token);
        if let Some(fields) = payload.as_object_mut() {
            fields.insert("klarna_network_session_token".to_owned(), token.into());
        }
    }
    let mut headers = pattern.map(|pattern| pattern.headers.clone()).unwrap_or_default();
    if headers.is_empty() {
        headers = HeaderMap::from_iter([(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )]);
    }
    Call { method: Method::POST, target: String::new(), headers, body: Bytes::from(body.to_string()) }
}
