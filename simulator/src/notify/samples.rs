//! A sample of every event type of the catalogue (contract `webhooks-and-network-data.md` A.2, A.3), for
//! webhooks that are to be tried out. What a payload holds beside ids, references and states is inferred
//! for all families but those of Payment Requests and disputes.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::engine::IdSource;

/// The Partner account that samples are about.
pub(crate) const SUBJECT: &str = "krn:partner:global:account:test:SAMPLE01";

/// The payload of a sample; `None` where the catalogue has no such event.
pub(crate) fn payload(event_type: &str, ids: &mut IdSource, now: Timestamp) -> Option<Value> {
    if !klarna_schemas::klarna::webhook::EVENT_TYPES.contains(&event_type) {
        return None;
    }
    let words: Vec<&str> = event_type.split('.').collect();
    let state = words.last().map(|last| last.to_ascii_uppercase().replace('-', "_")).unwrap_or_default();
    let payload = match words.as_slice() {
        ["payment", "request", "updated"] => request("SUBMITTED", ids),
        ["payment", "request", ..] => request(&state, ids),
        ["payment", "transaction", "state-change", _] => {
            let mut payload = transaction(ids);
            put(&mut payload, "state", json!(state));
            payload
        }
        ["payment", "transaction", what] => part_of_a_transaction(what, ids),
        ["payment", "funding", ..] => {
            let mut payload = transaction(ids);
            put(&mut payload, "payment_funding", json!({ "type": "NON_GUARANTEED", "state": state }));
            payload
        }
        ["payment", "dispute", ..] => dispute(&words, &state, ids, now),
        ["identity", ..] => json!({
            "customer_token_id": format!("krn:partner:eu1:test:identity:customer-token:{}", ids.text("sample", 40)),
            "customer_token_reference": "sample-token",
            "state": state,
        }),
        ["settlement", family, ..] => json!({
            format!("settlement_{family}_id"): format!("krn:settlement:eu1:{family}:{}", ids.uuid("sample")),
            "state": state,
        }),
        _ => {
            json!({ "partner_account_id": SUBJECT, "partner_account_reference": "sample-partner", "state": state })
        }
    };
    Some(payload)
}

fn put(payload: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = payload {
        members.insert(name.to_owned(), value);
    }
}

fn request(state: &str, ids: &mut IdSource) -> Value {
    let mut payload = json!({
        "payment_request_id": format!("krn:payment:eu1:request:{}", ids.uuid("sample")),
        "payment_request_reference": "sample-request",
        "state": state,
    });
    match state {
        "SUBMITTED" => {}
        "IN_PROGRESS" => put(&mut payload, "previous_state", json!("SUBMITTED")),
        "COMPLETED" => {
            let token = format!("krn:network:eu1:test:session-token:{}", ids.text("sample", 420));
            put(&mut payload, "previous_state", json!("IN_PROGRESS"));
            put(&mut payload, "klarna_network_session_token", json!(token));
            put(&mut payload, "state_context", json!({ "klarna_network_session_token": token }));
        }
        _ => put(&mut payload, "previous_state", json!("IN_PROGRESS")),
    }
    payload
}

fn transaction(ids: &mut IdSource) -> Value {
    json!({
        "payment_transaction_id": format!("krn:payment:eu1:transaction:{}", ids.uuid("sample")),
        "payment_transaction_reference": "sample-transaction",
    })
}

/// `captured`, `refunded` or `chargeback`.
fn part_of_a_transaction(what: &str, ids: &mut IdSource) -> Value {
    let mut payload = transaction(ids);
    let part = match what {
        "captured" => "capture",
        "refunded" => "refund",
        _ => "chargeback",
    };
    let whole = payload.get("payment_transaction_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    put(&mut payload, &format!("payment_{part}_id"), json!(format!("{whole}:{part}:1")));
    if part != "chargeback" {
        put(&mut payload, &format!("payment_{part}_reference"), json!("sample-part"));
    }
    put(&mut payload, &format!("{part}_amount"), json!(45_900));
    payload
}

/// Both generations of dispute events have the same payload (contract A.3).
fn dispute(words: &[&str], state: &str, ids: &mut IdSource, now: Timestamp) -> Value {
    let moved = words.contains(&"updated");
    let mut payload = transaction(ids);
    let fields = [
        ("payment_dispute_id", json!(format!("krn:payment:eu1:dispute:{}", ids.uuid("sample")))),
        ("payment_account_id", json!("krn:partner:global:account:payment-account:SAMPLE01")),
        ("payment_account_reference", json!("sample-account")),
        ("purchase_reference", json!("SAMPLE-1")),
        ("state", json!(if moved { "INITIATED" } else { state })),
        ("dispute_reason", json!("GOODS_NOT_RECEIVED")),
        ("dispute_details", json!({ "dispute_amount": 45_900, "currency": "SEK", "created_by": "CUSTOMER" })),
        ("created_at", json!(now)),
        ("updated_at", json!(now)),
    ];
    for (name, value) in fields {
        put(&mut payload, name, value);
    }
    if moved {
        let later = now.checked_add(SignedDuration::from_hours(14 * 24)).unwrap_or(now);
        put(&mut payload, "previous_fields", json!({ "representment": { "expires_at": now } }));
        put(&mut payload, "updated_fields", json!({ "representment": { "expires_at": later } }));
    }
    payload
}

#[cfg(test)]
mod tests {
    use klarna_schemas::catalogue::check;
    use klarna_schemas::klarna::webhook::EVENT_TYPES;

    use super::*;

    #[test]
    fn every_event_of_the_catalogue_has_a_sample_that_fits_its_schema() {
        let mut ids = IdSource::new(1, "samples");
        for event_type in EVENT_TYPES {
            let payload = payload(event_type, &mut ids, Timestamp::UNIX_EPOCH).unwrap();
            let event = json!({
                "metadata": {
                    "event_id": "e", "event_type": event_type, "event_version": "v2",
                    "occurred_at": "2026-01-05T09:12:31.120Z", "subject_account_id": SUBJECT,
                    "recipient_account_id": "krn:acquirer", "webhook_id": "krn:webhook", "live": false,
                },
                "payload": payload,
            });
            let schema = match event_type.split('.').nth(1) {
                Some("request") => "klarna/payment-request-event",
                Some("transaction") => "klarna/payment-transaction-event",
                _ => "klarna/webhook-envelope",
            };
            assert_eq!(check(schema, &event).unwrap(), [], "{event_type}: {event:#}");
        }
    }

    #[test]
    fn what_is_in_no_catalogue_has_no_sample() {
        let mut ids = IdSource::new(1, "samples");
        for unknown in ["payment.request.state-change.prepared", "payment.*", "", "nonsense"] {
            assert_eq!(payload(unknown, &mut ids, Timestamp::UNIX_EPOCH), None, "{unknown}");
        }
    }
}
