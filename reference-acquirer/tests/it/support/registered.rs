//! What a scripted Klarna has registered: signing keys and webhooks, as its notification API keeps
//! them.

use std::collections::BTreeMap;

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::Exchange;
use super::klarna::{SIGNING_KEY, json_reply};

#[derive(Debug, Default)]
pub(crate) struct Registered {
    keys: Vec<(String, String)>,
    pub(crate) webhooks: Vec<Value>,
    /// The API answers 503.
    pub(crate) down: bool,
    /// So many creations happen, but their answers are lost.
    pub(crate) lost_answers: usize,
    /// So many creations are refused with 400.
    pub(crate) refused: usize,
    made: usize,
    answered: BTreeMap<String, (u16, Value)>,
}

impl Registered {
    /// The newest key: its id, and what it signs with.
    pub(crate) fn key(&self) -> (String, String) {
        self.keys.last().unwrap().clone()
    }

    /// The same, if there is one.
    pub(crate) fn newest_key(&self) -> Option<(String, String)> {
        self.keys.last().cloned()
    }

    pub(crate) fn key_count(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn forget_keys(&mut self) {
        self.keys.clear();
    }

    pub(crate) fn forget_webhooks(&mut self) {
        self.webhooks.clear();
    }

    pub(crate) fn answer(&mut self, exchange: &Exchange) -> Response {
        if self.down {
            return json_reply(503, &json!({"error_code": "TEMPORARY_UNAVAILABLE"}));
        }
        match (exchange.method.as_str(), exchange.path.as_str()) {
            ("GET", "/v2/notification/signing-keys") => {
                let keys: Vec<_> = self.keys.iter().map(|(id, _)| json!({"signing_key_id": id})).collect();
                json_reply(200, &json!({"signing_keys": keys}))
            }
            ("GET", "/v2/notification/webhooks") => json_reply(200, &json!({"webhooks": self.webhooks})),
            ("POST", _) => self.once(exchange),
            ("DELETE", path) if path.starts_with("/v2/notification/webhooks/") => {
                let id = path.rsplit('/').next().unwrap();
                let before = self.webhooks.len();
                self.webhooks.retain(|webhook| webhook["webhook_id"] != id);
                if self.webhooks.len() == before { StatusCode::NOT_FOUND } else { StatusCode::NO_CONTENT }
                    .into_response()
            }
            other => panic!("the fake Klarna knows no {other:?}"),
        }
    }

    /// A creation, or the first one's answer again.
    fn once(&mut self, exchange: &Exchange) -> Response {
        let key = format!("{} {}", exchange.path, exchange.header("klarna-idempotency-key").unwrap());
        let answer = self.answered.get(&key).cloned();
        let (status, body) = answer.unwrap_or_else(|| self.create(exchange));
        self.answered.insert(key, (status, body.clone()));
        if self.lost_answers > 0 {
            self.lost_answers -= 1;
            return json_reply(504, &json!({}));
        }
        json_reply(status, &body)
    }

    fn create(&mut self, exchange: &Exchange) -> (u16, Value) {
        if self.refused > 0 {
            self.refused -= 1;
            return (400, json!({"error_code": "VALIDATION_ERROR"}));
        }
        let number = self.made;
        self.made += 1;
        match exchange.path.as_str() {
            "/v2/notification/signing-keys" => {
                let id = format!("krn:partner:global:notification:signing-key:{number}");
                let secret =
                    if number == 0 { SIGNING_KEY.to_owned() } else { format!("{SIGNING_KEY}-{number}") };
                self.keys.push((id.clone(), secret.clone()));
                (201, json!({"signing_key_id": id, "signing_key": secret}))
            }
            "/v2/notification/webhooks" => {
                let mut webhook = exchange.json();
                let same = |other: &Value| {
                    ["url", "event_types"].iter().all(|field| other[*field] == webhook[*field])
                };
                if self.webhooks.iter().any(same) {
                    return (409, json!({"error_code": "RESOURCE_CONFLICT"}));
                }
                webhook["webhook_id"] = json!(format!("krn:webhook:{number}"));
                self.webhooks.push(webhook.clone());
                (201, webhook)
            }
            other => panic!("the fake Klarna makes no {other:?}"),
        }
    }
}
