//! One fully filled value of each typed view, beside the schema that it follows.

mod transactions;

use klarna_schemas::klarna::authorize::{
    AcquiringConfig, AuthorizationResult, AuthorizeRequest, AuthorizeResponse, CustomerToken,
    CustomerTokenResponse, PaymentFunding, PaymentTransaction, PaymentTransactionResponse,
    RequestCustomerToken, RequestPaymentTransaction, StepUpConfig,
};
use klarna_schemas::klarna::error::{ErrorBody, OlderValidationError, ValidationError};
use klarna_schemas::klarna::interoperability::{
    CreateTestToken, CustomerJourney, InteroperabilityToken, SdkToken,
};
use klarna_schemas::klarna::notification::{
    CreateWebhook, SigningKey, SigningKeys, SimulateWebhook, UpdateWebhook, Webhook, WebhookSimulated,
    WebhookStatus, Webhooks,
};
use klarna_schemas::klarna::payment_request::{
    CreatePaymentRequest, CustomerInteraction, CustomerInteractionConfig, InteractionExpiry, KlarnaCustomer,
    PaymentRequest, PaymentRequestDetails, PaymentRequestState, QrCode, ShippingConfig, StateContext,
    UpdatePaymentRequest,
};
use klarna_schemas::klarna::presentation::{
    Icon, MessagePart, PaymentButton, PaymentOption, Presentation, PresentationInstruction,
    PresentationStatus, ShownMessage, ShownText,
};
use klarna_schemas::klarna::purchase_data::{
    Address, Customer, LineItem, Recipient, Shipping, SupplementaryPurchaseData,
};
use klarna_schemas::klarna::transaction::TransactionState;
use klarna_schemas::klarna::webhook::{PaymentRequestPayload, WebhookEnvelope, WebhookMetadata};
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{
    ActAsCustomer, ArmFault, CallKind, ChargeBack, ClockView, CustomerAct, CustomerActed, EndPaymentRequest,
    Fault, FaultBody, Findings, ForgetRegistrations, Intent, MintSessionToken, MintedSessionToken,
    MintedTokenState, Misbehaviour, PartnerKey, PaymentRequestEnded, PresentationWish, PutSandbox,
    QueuedOutcome, Registrations, ReleaseWebhooks, RequestEnd, SandboxView, Sandboxes, SendWebhook, SendWhen,
    SetClock, WebhooksSent,
};
use klarna_schemas::simulator::finding::{ByteDiff, ChangeKind, Finding, Severity};
use klarna_schemas::simulator::journal::{
    Direction, Ending, JournalEntry, JournalPage, RecordedRequest, RecordedResponse,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A typed view, filled in every field, and the way back.
pub(crate) struct Filled {
    /// The schema that it follows.
    pub(crate) schema: &'static str,
    /// The value as it goes over the wire.
    pub(crate) value: Value,
    /// Whether a body can be read as this type.
    pub(crate) read: fn(Value) -> Result<(), String>,
}

fn filled<T: Serialize + DeserializeOwned>(schema: &'static str, value: &T) -> Filled {
    Filled {
        schema,
        value: serde_json::to_value(value).unwrap(),
        read: |body| serde_json::from_value::<T>(body).map(drop).map_err(|error| error.to_string()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the views are made of optional text")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn moment<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    "2026-02-24T17:25:34.534721775Z".parse().unwrap()
}

fn currency<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    "SEK".parse().unwrap()
}

fn address() -> Address {
    Address {
        street_address: some("Gatan 1"),
        street_address2: some("c/o Person"),
        postal_code: some("11122"),
        city: some("Stockholm"),
        region: some("Stockholm"),
        country: some("SE"),
    }
}

fn purchase_data() -> SupplementaryPurchaseData {
    SupplementaryPurchaseData {
        purchase_reference: some("ORDER-5501"),
        line_items: Some(vec![LineItem {
            name: "Trail shoe".to_owned(),
            quantity: 1,
            total_amount: MinorUnits(45_900),
            total_tax_amount: Some(MinorUnits(9180)),
            unit_price: Some(MinorUnits(45_900)),
            line_item_reference: some("line-1"),
            product_identifier: some("SKU-1"),
            product_url: some("https://shop.example/p/1"),
            image_url: some("https://shop.example/p/1.png"),
        }]),
        customer: Some(Customer {
            given_name: some("Test"),
            family_name: some("Person"),
            email: some("customer+se@klarna.com"),
            phone: some("+46700000000"),
            date_of_birth: some("1990-01-31"),
            address: Some(address()),
        }),
        shipping: Some(vec![Shipping {
            shipping_reference: some("s1"),
            recipient: Some(Recipient {
                given_name: some("Test"),
                family_name: some("Person"),
                email: some("customer+se@klarna.com"),
                phone: some("+46700000000"),
            }),
            address: Some(address()),
        }]),
    }
}

fn interaction_config(expiry: InteractionExpiry) -> CustomerInteractionConfig {
    CustomerInteractionConfig {
        method: some("HANDOVER"),
        return_url: some("https://acq.test/back?pr={klarna.payment_request.id}"),
        app_return_url: some("acme-shop://back"),
        interaction_expiry: Some(expiry),
    }
}

fn by_duration() -> InteractionExpiry {
    InteractionExpiry { duration: some("PT30M"), timestamp: None }
}

fn by_timestamp() -> InteractionExpiry {
    InteractionExpiry { duration: None, timestamp: Some(moment()) }
}

fn token_wish() -> RequestCustomerToken {
    RequestCustomerToken {
        scopes: Some(vec!["payment:customer_present".to_owned()]),
        customer_token_reference: some("apx-ct-0001"),
    }
}

fn authorize(expiry: InteractionExpiry) -> AuthorizeRequest {
    AuthorizeRequest {
        currency: currency(),
        request_payment_transaction: Some(RequestPaymentTransaction {
            amount: MinorUnits(45_900),
            payment_transaction_reference: some("apx-tx-0001"),
            payment_option_id: some("S0xBUk5B"),
            capture: some("LATER"),
            payment_capture_reference: some("apx-ca-0001"),
        }),
        request_customer_token: Some(token_wish()),
        supplementary_purchase_data: Some(purchase_data()),
        klarna_network_data: some("{ \"a\": 1.0 }"),
        interoperability_data: some("{}"),
        step_up_config: Some(StepUpConfig {
            payment_request_reference: some("apx-pr-0001"),
            payment_request_expires_at: some("2026-12-31"),
            customer_interaction_config: Some(interaction_config(expiry)),
        }),
        acquiring_config: Some(AcquiringConfig {
            payment_account_id: some("krn:partner:global:account:payment-account:1"),
            settlement_currency: Some(currency()),
        }),
    }
}

fn state_context() -> StateContext {
    StateContext {
        customer_interaction: Some(CustomerInteraction {
            method: some("HANDOVER"),
            payment_request_id: Some("krn:payment:eu1:request:1".into()),
            payment_request_url: some("http://127.0.0.1:8080/eu/requests/1/start"),
            qr_code: Some(QrCode {
                image_url: some("http://127.0.0.1:8080/static/qr/1.svg"),
                target_url: some("http://127.0.0.1:8080/eu/requests/1/start"),
            }),
        }),
        klarna_network_session_token: some("krn:network:eu1:test:session-token:1"),
        payment_token: some("krn:network:eu1:test:session-token:1"),
        klarna_customer: Some(KlarnaCustomer {
            customer_token: Some("krn:partner:eu1:test:identity:customer-token:1".into()),
            customer_token_reference: some("apx-ct-0001"),
        }),
    }
}

fn payment_request() -> PaymentRequest {
    PaymentRequest {
        payment_request_id: "krn:payment:eu1:request:1".into(),
        payment_request_reference: some("apx-pr-0001"),
        amount: Some(MinorUnits(45_900)),
        currency: currency(),
        state: PaymentRequestState::Completed,
        previous_state: Some(PaymentRequestState::InProgress),
        state_reason: some("PURCHASE_FLOW_ABORTED"),
        state_context: Some(state_context()),
        customer_interaction_config: Some(interaction_config(by_duration())),
        supplementary_purchase_data: Some(serde_json::to_value(purchase_data()).unwrap()),
        shipping_config: Some(shipping_config()),
        payment_option_id: some("S0xBUk5B"),
        expires_at: Some(moment()),
        created_at: Some(moment()),
        updated_at: Some(moment()),
        canceled_at: Some(moment()),
    }
}

fn shipping_config() -> ShippingConfig {
    ShippingConfig { mode: some("EDITABLE"), supported_countries: Some(vec!["SE".to_owned()]) }
}

fn request_details() -> PaymentRequestDetails {
    PaymentRequestDetails {
        payment_request_reference: some("apx-pr-0001"),
        supplementary_purchase_data: Some(serde_json::to_value(purchase_data()).unwrap()),
        customer_interaction_config: Some(interaction_config(by_duration())),
        payment_option_id: some("S0xBUk5B"),
        shipping_config: Some(shipping_config()),
        request_customer_token: Some(token_wish()),
        klarna_network_data: some("{}"),
        interoperability_data: some("{}"),
        payment_request_expires_at: some("2026-12-31T10:00:00Z"),
    }
}

fn create_payment_request() -> CreatePaymentRequest {
    CreatePaymentRequest { currency: currency(), amount: MinorUnits(45_900), details: request_details() }
}

fn update_payment_request() -> UpdatePaymentRequest {
    UpdatePaymentRequest {
        currency: Some(currency()),
        amount: Some(MinorUnits(45_900)),
        details: request_details(),
    }
}

fn transaction() -> PaymentTransaction {
    PaymentTransaction {
        payment_transaction_id: "krn:payment:eu1:transaction:1".into(),
        payment_transaction_reference: some("apx-tx-0001"),
        amount: MinorUnits(45_900),
        currency: currency(),
        state: Some(TransactionState::Authorized),
        expires_at: Some(moment()),
        payment_funding: Some(PaymentFunding { r#type: "GUARANTEED".to_owned(), state: "FUNDED".to_owned() }),
        payment_pricing: Some(serde_json::Map::new()),
        payment_captures: Some(vec![transactions::capture()]),
        supplementary_purchase_data: Some(serde_json::to_value(purchase_data()).unwrap()),
    }
}

fn metadata() -> WebhookMetadata {
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

fn payment_option() -> PaymentOption {
    let shown = |text: &str| Some(ShownText { text: some(text) });
    let message = || {
        let parts = vec![MessagePart {
            r#type: "LINK".to_owned(),
            text: "Terms".to_owned(),
            url: some("https://klarna.example/terms"),
        }];
        Some(ShownMessage { text: some("Terms"), parts: Some(parts) })
    };
    PaymentOption {
        payment_option_id: "S0xBUk5B".to_owned(),
        header: shown("Klarna"),
        subheader: shown("Pay later"),
        badge: shown("New"),
        message: message(),
        terms: message(),
        payment_button: Some(PaymentButton {
            text: some("Continue"),
            image_url: some("https://klarna.example/button.svg"),
            image_alignment: some("LEFT"),
        }),
        icon: Some(Icon {
            alt: some("Klarna"),
            badge_image_url: some("https://klarna.example/badge.svg"),
            rectangle_image_url: some("https://klarna.example/rectangle.svg"),
            square_image_url: some("https://klarna.example/square.svg"),
        }),
    }
}

/// What travels between an acquirer and Klarna.
pub(crate) fn klarna() -> Vec<Filled> {
    let mut all = vec![
        filled("klarna/authorize-request", &authorize(by_duration())),
        filled("klarna/authorize-request", &authorize(by_timestamp())),
        filled(
            "klarna/authorize-response",
            &AuthorizeResponse {
                payment_transaction_response: PaymentTransactionResponse {
                    result: AuthorizationResult::Approved,
                    result_reason: some("because"),
                    payment_transaction: Some(transaction()),
                },
                payment_request: Some(payment_request()),
                customer_token_response: Some(CustomerTokenResponse {
                    result: AuthorizationResult::Approved,
                    result_reason: some("because"),
                    customer_token: Some(CustomerToken {
                        customer_token_id: "krn:partner:eu1:test:identity:customer-token:1".into(),
                        customer_token_reference: some("apx-ct-0001"),
                    }),
                }),
                klarna_network_response_data: some("{}"),
            },
        ),
        filled("klarna/payment-transaction", &transaction()),
        filled("klarna/payment-request", &payment_request()),
        filled("klarna/create-payment-request", &create_payment_request()),
        filled("klarna/update-payment-request", &update_payment_request()),
        filled("klarna/supplementary-purchase-data", &purchase_data()),
        filled(
            "klarna/presentation",
            &Presentation {
                instruction: PresentationInstruction::ShowKlarna,
                payment_status: Some(PresentationStatus::RequiresCustomerAction),
                payment_option: Some(payment_option()),
                saved_payment_option: Some(payment_option()),
            },
        ),
        filled(
            "klarna/error",
            &ErrorBody {
                error_id: "3f0e6f6a-5a0e-4f9b-9a53-6f1f5f0a1b2c".to_owned(),
                error_type: some("INPUT_ERROR"),
                error_code: "VALIDATION_ERROR".to_owned(),
                error_message: "Request did not validate".to_owned(),
                validation_errors: vec![ValidationError {
                    parameter: "request_payment_transaction.amount".to_owned(),
                    reason: "must be at least 1".to_owned(),
                    doc_url: some("https://docs.example/amount"),
                }],
                errors: vec![OlderValidationError {
                    parameter: "request_payment_transaction.amount".to_owned(),
                    error_message: "must be at least 1".to_owned(),
                    doc_url: some("https://docs.example/amount"),
                }],
            },
        ),
        filled(
            "klarna/webhook-envelope",
            &WebhookEnvelope { metadata: metadata(), payload: json!({ "any": "thing" }) },
        ),
        filled(
            "klarna/payment-request-event",
            &WebhookEnvelope {
                metadata: metadata(),
                payload: PaymentRequestPayload {
                    payment_request_id: "krn:payment:eu1:request:1".into(),
                    payment_request_reference: some("apx-pr-0001"),
                    state: PaymentRequestState::Completed,
                    previous_state: Some(PaymentRequestState::InProgress),
                    state_reason: some("PURCHASE_FLOW_ABORTED"),
                    klarna_network_session_token: some("krn:network:eu1:test:session-token:1"),
                    payment_token: some("krn:network:eu1:test:session-token:1"),
                    state_context: Some(state_context()),
                },
            },
        ),
    ];
    all.extend(transactions::filled_in());
    all.extend(tokens());
    all.extend(notification());
    all
}

/// Tokens outside a payment.
fn tokens() -> Vec<Filled> {
    vec![
        filled(
            "klarna/create-test-token",
            &CreateTestToken { customer_journey: CustomerJourney::ExpressCheckout },
        ),
        filled(
            "klarna/interoperability-token",
            &InteroperabilityToken {
                interoperability_token: "krn:network:eu1:test:session-token:1".to_owned(),
                klarna_network_session_token: some("krn:network:eu1:test:session-token:1"),
                expires_at: Some(moment()),
            },
        ),
        filled(
            "klarna/sdk-token",
            &SdkToken {
                sdk_token: "krn:network:eu1:test:sdk-token:1".to_owned(),
                expires_at: Some(moment()),
            },
        ),
    ]
}

/// The Notification API.
fn notification() -> Vec<Filled> {
    vec![
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

fn entry() -> JournalEntry {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    JournalEntry {
        seq: 1,
        epoch: 2,
        payment: some("e2p1"),
        direction: Direction::Outbound,
        operation: "event:payment.request.state-change.completed".to_owned(),
        started_at: moment(),
        virtual_at: moment(),
        request: RecordedRequest {
            method: "POST".to_owned(),
            target: "http://127.0.0.1:8081/klarna/webhooks".to_owned(),
            headers: headers.clone(),
            body_base64: "e30=".to_owned(),
        },
        response: Some(RecordedResponse { status: 204, headers, body_base64: String::new() }),
        ended: Ending::TimedOut,
        rule: some("queued"),
        fault: some("delay"),
        findings: vec!["final.missing".to_owned()],
    }
}

fn finding(kind: ChangeKind, severity: Severity) -> Finding {
    Finding {
        rule: "network-data.byte-equal".to_owned(),
        duties: vec!["AP-11".to_owned()],
        severity,
        r#where: "authorize, klarna_network_data".to_owned(),
        what: "the string changed on its way".to_owned(),
        mend: "forward the string as it came".to_owned(),
        expected: some("{ }"),
        got: some("{}"),
        diff: Some(ByteDiff {
            kind,
            position: 1,
            expected_length: 3,
            got_length: 2,
            expected_excerpt: "{ }".to_owned(),
            got_excerpt: "{}".to_owned(),
        }),
        payment: some("e2p1"),
        exchanges: vec![1],
    }
}

fn sandbox() -> SandboxView {
    SandboxView { account: "krn:partner:global:account:test:ALPHA001".into(), epoch: 1, seed: u64::MAX }
}

/// What travels between a tester and the simulator.
pub(crate) fn simulator() -> Vec<Filled> {
    let mut all = vec![
        filled("simulator/put-sandbox", &PutSandbox { seed: Some(7), clock: Some(SetClock::Freeze(true)) }),
        filled("simulator/sandbox", &sandbox()),
        filled("simulator/sandboxes", &Sandboxes { sandboxes: vec![sandbox()] }),
        filled(
            "simulator/intent",
            &Intent {
                network_data: some("{}"),
                session_token: some("token"),
                amount: MinorUnits(45_900),
                currency: currency(),
                purchase_reference: some("ORDER-5501"),
                line_items: Some(vec![json!({ "name": "Trail shoe" })]),
                customer: Some(json!({ "given_name": "Alva" })),
                shipping: Some(vec![json!({ "address": { "city": "Stockholm" } })]),
                payment_option_id: some("S0xBUk5B"),
            },
        ),
        filled(
            "simulator/minted-session-token",
            &MintedSessionToken { klarna_network_session_token: "token".to_owned() },
        ),
        filled(
            "simulator/customer-acted",
            &CustomerActed {
                state: PaymentRequestState::Completed,
                redirect_to: some("https://shop.example/back"),
            },
        ),
        filled(
            "simulator/clock",
            &ClockView { now: moment(), happened: vec!["a payment request expired".to_owned()] },
        ),
        filled("simulator/journal-entry", &entry()),
        filled(
            "simulator/journal-page",
            &JournalPage { entries: vec![entry()], next_after: 1, dropped: 0, timed_out: false },
        ),
        filled(
            "simulator/findings",
            &Findings {
                findings: vec![finding(ChangeKind::ReEncoded, Severity::Fails)],
                judged: [("network-data.byte-equal".to_owned(), 2)].into_iter().collect(),
            },
        ),
    ];
    for clock in [
        SetClock::Advance(jiff::SignedDuration::from_mins(5)),
        SetClock::Set(moment()),
        SetClock::Freeze(false),
    ] {
        all.push(filled("simulator/set-clock", &clock));
    }
    for state in [MintedTokenState::Unused, MintedTokenState::Completed] {
        all.push(filled("simulator/mint-session-token", &MintSessionToken { length: Some(512), state }));
    }
    for on in [CallKind::Initial, CallKind::Final, CallKind::Any] {
        let result = AuthorizationResult::Declined;
        let outcome = QueuedOutcome {
            on,
            times: 1,
            result,
            result_reason: some("because"),
            response_data: some("{}"),
            force: true,
        };
        all.push(filled("simulator/queued-outcomes", &vec![outcome]));
    }
    let key = PartnerKey { api_key: "klarna_test_api_1".to_owned() };
    all.push(filled("simulator/partner-key", &key));
    for act in [CustomerAct::Open, CustomerAct::Approve, CustomerAct::Refuse, CustomerAct::Leave] {
        let payment_request_id = "krn:payment:eu1:request:1".into();
        all.push(filled("simulator/act-as-customer", &ActAsCustomer { payment_request_id, act }));
    }
    all.extend(disturbances());
    for kind in [
        ChangeKind::Dropped,
        ChangeKind::Added,
        ChangeKind::ReEncoded,
        ChangeKind::ReOrdered,
        ChangeKind::Truncated,
        ChangeKind::TypeChanged,
        ChangeKind::Altered,
    ] {
        all.push(filled("simulator/finding", &finding(kind, Severity::Warns)));
    }
    all
}

/// What a tester lets go wrong.
fn disturbances() -> Vec<Filled> {
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
    ] {
        let armed = ArmFault { operation: "authorize".to_owned(), on: CallKind::Final, times: 2, fault };
        all.push(filled("simulator/arm-fault", &armed));
    }
    for when in [SendWhen::Now, SendWhen::Next] {
        let patch = json!({ "state": "COMPLETED" });
        let webhook = SendWebhook {
            payment_request_id: request(),
            event_type: completed(),
            misbehaviour: Misbehaviour::ALL.to_vec(),
            payload_patch: patch.as_object().cloned(),
            metadata_patch: patch.as_object().cloned(),
            when,
        };
        all.push(filled("simulator/send-webhook", &webhook));
    }
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
