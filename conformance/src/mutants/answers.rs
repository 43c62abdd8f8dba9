//! Answers that Klarna never gave, as it might have given them.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::wire::{Answer, Call};

/// An approval of what this authorize asks for.
pub(super) fn approval(call: &Call) -> Answer {
    let body = call.json().unwrap_or_default();
    let asked = |name: &str| body.pointer(&format!("/request_payment_transaction/{name}")).cloned();
    let reference = asked("payment_transaction_reference").unwrap_or_default();
    let id = derived(&format!("transaction {} {reference}", call.path()));
    let answer = json!({
        "payment_transaction_response": {
            "result": "APPROVED",
            "payment_transaction": {
                "payment_transaction_id": format!("krn:payment:eu1:transaction:{id}"),
                "payment_transaction_reference": reference,
                "amount": asked("amount").unwrap_or_default(),
                "currency": body.get("currency").cloned().unwrap_or_default(),
                "state": "AUTHORIZED",
                "payment_funding": {"type": "GUARANTEED", "state": "FUNDED"},
            },
        },
    });
    Answer::json_of(StatusCode::OK, &answer)
}

/// Makes a Payment Request, as read or as the payload of an event, look completed with this token.
pub(super) fn complete(request: &mut Value, token: &str) {
    let Some(fields) = request.as_object_mut() else { return };
    fields.insert("state".to_owned(), "COMPLETED".into());
    fields.insert("previous_state".to_owned(), "IN_PROGRESS".into());
    fields.shift_remove("state_reason");
    fields.insert("state_context".to_owned(), json!({"klarna_network_session_token": token}));
}

/// An id that follows from what it is for, so that a run can be repeated.
pub(super) fn derived(purpose: &str) -> Uuid {
    const OURS: Uuid = Uuid::from_u128(0x5d37_0c1e_8f64_4b1a_9e02_7a61_c0de_f3c7);
    Uuid::new_v5(&OURS, purpose.as_bytes())
}
