//! What a tester lets go wrong.

use jiff::SignedDuration;
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::klarna::presentation::PresentationInstruction;
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{
    ArmFault, CallKind, ChargeBack, EndPaymentRequest, Fault, FaultBody, FaultsView, ForgetRegistrations,
    HeldWebhook, Misbehaviour, PaymentRequestEnded, PresentationWish, Registrations, ReleaseWebhooks,
    RequestEnd, SendWebhook, SendWhen, WaitingMisbehaviour, WebhookWish, WebhooksSent, WebhooksView,
};
use serde_json::json;

use super::{Filled, filled, some};

/// Faults, misbehaving webhooks, and what Klarna's side ends.
pub(super) fn filled_in() -> Vec<Filled> {
    let request = || "krn:payment:eu1:request:1".into();
    let completed = || "payment.request.state-change.completed".to_owned();
    let mut all = vec![
        filled(
            "simulator/release-webhooks",
            &ReleaseWebhooks { payment_request_id: Some(request()), event_type: Some(completed()) },
        ),
        filled("simulator/webhooks-sent", &WebhooksSent { event_id: some("3b1f0a52"), deliveries: 1 }),
        filled(
            "simulator/payment-request-ended",
            &PaymentRequestEnded { state: PaymentRequestState::Canceled },
        ),
    ];
    for fault in [
        Fault::Status { status: 429, body: FaultBody::Klarna },
        Fault::Status { status: 403, body: FaultBody::None },
        Fault::Status { status: 502, body: FaultBody::Html },
        Fault::Stall,
        Fault::Reset,
        Fault::Garbage,
        Fault::LoseAnswer,
        Fault::Delay { ms: 500 },
        Fault::Drip { bytes: 4, every_ms: 20 },
        Fault::Cut { after: Some(7) },
        Fault::Cut { after: None },
        Fault::Truncate,
        Fault::WrongLength,
    ] {
        all.push(filled("simulator/fault", &fault));
        let armed = ArmFault { operation: "authorize".to_owned(), on: CallKind::Final, times: 2, fault };
        all.push(filled("simulator/arm-fault", &armed));
        all.push(filled("simulator/faults-view", &FaultsView { faults: vec![armed] }));
    }
    for when in [SendWhen::Now, SendWhen::Next] {
        let patch = json!({ "state": "COMPLETED" });
        let webhook = SendWebhook {
            payment_request_id: Some(request()),
            event_type: completed(),
            misbehaviour: Misbehaviour::ALL.to_vec(),
            payload_patch: patch.as_object().cloned(),
            metadata_patch: patch.as_object().cloned(),
            delay: Some(SignedDuration::from_hours(3)),
            when,
            times: Some(2),
        };
        all.push(filled("simulator/send-webhook", &webhook));
        let (id, payment) = (webhook.payment_request_id.clone(), some("e1p1"));
        let next = WaitingMisbehaviour { payment_request_id: id, payment, wish: webhook.wish() };
        let (event_id, payment) = ("3b1f0a52".to_owned(), "e1p1".to_owned());
        let held = HeldWebhook { event_id, event_type: completed(), payment };
        all.push(filled("simulator/webhooks-view", &WebhooksView { next: vec![next], held: vec![held] }));
    }
    let patch = json!({ "state": "COMPLETED" });
    let wish = WebhookWish {
        event_type: completed(),
        misbehaviour: Misbehaviour::ALL.to_vec(),
        payload_patch: patch.as_object().cloned(),
        metadata_patch: patch.as_object().cloned(),
        delay: Some(SignedDuration::from_hours(3)),
        times: Some(2),
    };
    all.push(filled("simulator/webhook-wish", &wish));
    for instruction in PresentationInstruction::KNOWN {
        let wish = PresentationWish { instruction: (*instruction).into() };
        all.push(filled("simulator/presentation-wish", &wish));
    }
    for what in [Registrations::SigningKeys, Registrations::Webhooks, Registrations::Both] {
        all.push(filled("simulator/forget-registrations", &ForgetRegistrations { what }));
    }
    all.push(filled("simulator/charge-back", &ChargeBack { amount: MinorUnits(100) }));
    for act in [RequestEnd::Cancel, RequestEnd::Expire] {
        let end = EndPaymentRequest { payment_request_id: request(), act };
        all.push(filled("simulator/end-payment-request", &end));
    }
    all
}
