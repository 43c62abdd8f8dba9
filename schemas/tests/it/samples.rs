//! The answers and events that the contract shows fit the schemas without a word.

use klarna_schemas::catalogue::check;
use serde_json::{Value, json};

const REQUEST: &str = "krn:payment:eu1:request:0d3c1c5e-2d0b-4a0e-8a6d-0a1b2c3d4e5f";

fn fits(schema: &str, body: &Value) {
    assert_eq!(check(schema, body).unwrap(), [], "{schema}: {body:#}");
}

/// Contract `payments.md` 2.5.
#[test]
fn the_three_answers_to_an_authorize() {
    fits(
        "klarna/authorize-response",
        &json!({
            "payment_transaction_response": { "result": "STEP_UP_REQUIRED" },
            "payment_request": {
                "payment_request_id": REQUEST,
                "payment_request_reference": "apx-pr-0001", "amount": 45900, "currency": "SEK",
                "state": "SUBMITTED",
                "state_context": { "customer_interaction": {
                    "method": "HANDOVER",
                    "payment_request_id": REQUEST,
                    "payment_request_url": "https://pay.test.klarna.com/eu/requests/0d3c1c5e/start"
                } },
                "customer_interaction_config": { "method": "HANDOVER", "return_url": "https://acq.test/back" },
                "supplementary_purchase_data": { "purchase_reference": "ORDER-5501", "line_items": [] },
                "expires_at": "2026-03-01T13:00:00.123456789Z",
                "created_at": "2026-03-01T10:00:00.123456789Z",
                "updated_at": "2026-03-01T10:00:00.123456789Z"
            }
        }),
    );
    fits(
        "klarna/authorize-response",
        &json!({ "payment_transaction_response": {
            "result": "APPROVED",
            "payment_transaction": {
                "payment_transaction_id": "krn:payment:eu1:transaction:2f0f",
                "payment_transaction_reference": "apx-tx-0001",
                "amount": 45900, "currency": "SEK", "expires_at": "2026-03-29T10:00:00Z",
                "payment_funding": { "type": "GUARANTEED", "state": "FUNDED" },
                "payment_pricing": {}, "payment_captures": []
            }
        } }),
    );
    fits(
        "klarna/authorize-response",
        &json!({ "payment_transaction_response": { "result": "DECLINED", "result_reason": "no" } }),
    );
}

/// Contract `webhooks-and-network-data.md` A.3, as a whole and by its envelope.
#[test]
fn the_completed_event() {
    let event = json!({
        "metadata": {
            "event_type": "payment.request.state-change.completed",
            "event_id": "3b1f0a52-2d0b-4a0e-8a6d-0a1b2c3d4e5f", "event_version": "v2",
            "occurred_at": "2026-01-05T09:12:31.120Z",
            "subject_account_id": "krn:partner:global:account:test:LXPART01",
            "recipient_account_id": "krn:partner:global:account:test:LXACQ001",
            "product_instance_id": "krn:partner:product:payment:5d",
            "webhook_id": "krn:partner:global:notification:webhook:77aa", "live": false
        },
        "payload": {
            "payment_request_id": REQUEST, "payment_request_reference": "acq-pr-881",
            "state": "COMPLETED", "previous_state": "IN_PROGRESS",
            "klarna_network_session_token": "krn:network:eu1:test:session-token:eyJ",
            "state_context": { "klarna_network_session_token": "krn:network:eu1:test:session-token:eyJ" }
        }
    });
    fits("klarna/webhook-envelope", &event);
    fits("klarna/payment-request-event", &event);
}

/// Contract `payments.md` 5.2, in the newer and the older form.
#[test]
fn an_error_in_both_forms() {
    let mut error = json!({
        "error_id": "3f0e6f6a-5a0e-4f9b-9a53-6f1f5f0a1b2c", "error_type": "INPUT_ERROR",
        "error_code": "VALIDATION_ERROR", "error_message": "Request did not validate",
        "validation_errors": [{
            "parameter": "request_payment_transaction.amount", "reason": "must be at least 1",
            "doc_url": "https://docs.example/amount"
        }]
    });
    fits("klarna/error", &error);
    let members = error.as_object_mut().unwrap();
    members.remove("error_type");
    members.remove("validation_errors");
    error["errors"] = json!([{ "parameter": "a.b[0].c", "error_message": "must be at least 1" }]);
    fits("klarna/error", &error);
}

/// Contract `webhooks-and-network-data.md` A.1.
#[test]
fn a_webhook_and_a_signing_key() {
    fits(
        "klarna/webhook",
        &json!({
            "webhook_id": "krn:partner:global:notification:webhook:77aa",
            "url": "https://acq.example/klarna/events",
            "event_types": ["payment.request.*", "payment.transaction.*"], "event_version": "v2",
            "signing_key_id": "krn:partner:global:notification:signing-key:0f3c", "status": "ENABLED",
            "created_at": "2026-01-05T09:00:00Z"
        }),
    );
    fits(
        "klarna/signing-key",
        &json!({
            "signing_key_id": "krn:partner:global:notification:signing-key:0f3c",
            "signing_key": "secret", "created_at": "2026-01-05T09:00:00Z"
        }),
    );
}

/// Contract `payments.md` 1.6; Klarna's own collection has a name in mixed case, so it only warns.
#[test]
fn integration_metadata_never_rejects() {
    let metadata = |name: &str| {
        json!({
            "integrator": {
                "name": name, "session_reference": "sess-7f31",
                "module_name": "core-gateway", "module_version": "4.2.0"
            },
            "originators": [{ "name": "SHOP_PLATFORM", "session_reference": "cart-99812" }]
        })
    };
    fits("klarna/integration-metadata", &metadata("ACME_ACQUIRING"));
    for odd in [metadata("Acme"), json!([]), json!({ "integrator": 1 })] {
        let found = check("klarna/integration-metadata", &odd).unwrap();
        assert!(!found.is_empty());
        assert!(
            found.iter().all(|v| v.disposition == klarna_schemas::catalogue::Disposition::Report),
            "{odd}"
        );
    }
}
