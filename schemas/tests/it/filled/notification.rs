//! Signing keys, webhooks, and the envelope of events.

use klarna_schemas::klarna::notification::{
    CreateWebhook, SigningKey, SigningKeys, SimulateWebhook, UpdateWebhook, Webhook, WebhookSimulated,
    WebhookStatus, Webhooks,
};
use klarna_schemas::klarna::webhook::{WebhookEnvelope, WebhookMetadata};
use serde_json::json;

use super::{Filled, filled, moment, some};

pub(super) fn metadata() -> WebhookMetadata {
    WebhookMetadata {
        event_id: "3b1f0a52-2d0b-4a0e-8a6d-0a1b2c3d4e5f".to_owned(),
        event_type: "payment.request.state-change.completed".to_owned(),
        event_version: "v2".to_owned(),
        occurred_at: moment(),
        correlation_id: some("c-1"),
        subject_account_id: "krn:partner:global:account:test:ALPHA001".into(),
        recipient_account_id: "krn:partner:global:account:test:LOCALACQ".into(),
        product_instance_id: some("krn:partner:product:payment:1"),
        webhook_id: "krn:partner:global:notification:webhook:1".into(),
        live: false,
    }
}

fn webhook() -> Webhook {
    Webhook {
        webhook_id: "krn:partner:global:notification:webhook:1".into(),
        url: "https://acq.example/klarna/events".to_owned(),
        event_types: vec!["payment.request.state-change.*".to_owned()],
        event_version: "v2".to_owned(),
        signing_key_id: "krn:partner:global:notification:signing-key:1".into(),
        status: WebhookStatus::Enabled,
        created_at: Some(moment()),
    }
}

fn signing_key() -> SigningKey {
    SigningKey {
        signing_key_id: "krn:partner:global:notification:signing-key:1".into(),
        signing_key: some("secret"),
        created_at: Some(moment()),
    }
}

/// The Notification API.
pub(super) fn filled_in() -> Vec<Filled> {
    vec![
        filled(
            "klarna/webhook-envelope",
            &WebhookEnvelope { metadata: metadata(), payload: json!({ "any": "thing" }) },
        ),
        filled("klarna/signing-key", &signing_key()),
        filled("klarna/signing-keys", &SigningKeys { signing_keys: vec![signing_key()] }),
        filled(
            "klarna/create-webhook",
            &CreateWebhook {
                url: "https://acq.example/klarna/events".to_owned(),
                event_types: vec!["payment.request.state-change.*".to_owned()],
                event_version: "v2".to_owned(),
                signing_key_id: "krn:partner:global:notification:signing-key:1".into(),
                status: Some(WebhookStatus::Enabled),
            },
        ),
        filled(
            "klarna/update-webhook",
            &UpdateWebhook {
                url: some("https://acq.example/klarna/events"),
                event_types: Some(vec!["payment.request.state-change.*".to_owned()]),
                event_version: some("v2"),
                signing_key_id: Some("krn:partner:global:notification:signing-key:1".into()),
                status: Some(WebhookStatus::Disabled),
            },
        ),
        filled(
            "klarna/simulate-webhook",
            &SimulateWebhook {
                event_type: "payment.request.state-change.completed".to_owned(),
                event_version: some("v2"),
            },
        ),
        filled("klarna/webhook-simulated", &WebhookSimulated { event_id: "e-1".to_owned() }),
        filled("klarna/webhook", &webhook()),
        filled("klarna/webhooks", &Webhooks { webhooks: vec![webhook()] }),
    ]
}
