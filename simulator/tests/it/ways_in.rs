//! The other ways in: QR codes, customer tokens, tokens before the first authorize, a Partner's own key.

use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::simulator::control::{CallKind, CustomerAct, QueuedOutcome};
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, BETA, KEY, Klarna, TOKEN, initial, last};

const CUSTOMER_TOKEN: &str = "Klarna-Customer-Token";

/// What a QR code in an SVG says.
fn read_qr_code(svg: &str) -> String {
    let number = |text: &str| text.parse::<usize>().unwrap();
    let attribute = |name: &str| {
        let (_, rest) = svg.split_once(&format!("{name}=\"")).unwrap();
        number(rest.split_once('"').unwrap().0)
    };
    let (width, height) = (attribute("width"), attribute("height"));
    let mut dark = vec![false; width * height];
    let (_, path) = svg.split_once(" d=\"").unwrap();
    // Rectangles, each as M x y h w v h H x V y.
    for rectangle in path.split_once('"').unwrap().0.split('M').filter(|part| !part.is_empty()) {
        let numbers: Vec<usize> = rectangle
            .split(|letter: char| !letter.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .map(number)
            .collect();
        let [x, y, w, h, ..] = numbers.as_slice() else { panic!("{rectangle}") };
        for row in *y..y + h {
            dark[row * width + x..row * width + x + w].fill(true);
        }
    }
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(
            width,
            height,
            |x, y| {
                if dark[y * width + x] { 0 } else { 255 }
            },
        );
    let grids = image.detect_grids();
    grids.first().expect("a QR code").decode().unwrap().1
}

fn with_method(reference: &str, method: &str) -> Value {
    let mut body = initial(reference);
    body["step_up_config"]["customer_interaction_config"]["method"] = json!(method);
    body
}

#[tokio::test]
async fn a_till_gets_a_qr_code_that_leads_into_the_purchase_journey() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &with_method("t-1", "QR_CODE")).await;
    let interaction = &answer.body["payment_request"]["state_context"]["customer_interaction"];
    assert_eq!(interaction["method"], "QR_CODE");
    assert_eq!(interaction["qr_code"]["target_url"], answer.journey());
    let url = interaction["qr_code"]["image_url"].as_str().unwrap();
    let picture = klarna.http.get(url).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/svg+xml");
    assert_eq!(read_qr_code(&picture.text().await.unwrap()), answer.journey());
    for method in ["HANDOVER", "SDK"] {
        let other = klarna.authorize(ALPHA, &[], &with_method(method, method)).await;
        let interaction = &other.body["payment_request"]["state_context"]["customer_interaction"];
        assert_eq!((interaction["method"].as_str(), &interaction["qr_code"]), (Some(method), &Value::Null));
    }
    let unknown = klarna.http.get(klarna.url("/static/qr/nothing.svg")).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
}

fn wish() -> Value {
    json!({"scopes": ["payment:customer_present"], "customer_token_reference": "ct-1"})
}

fn token_result(answer: &Answer) -> &str {
    answer.body["customer_token_response"]["result"].as_str().unwrap_or("none")
}

#[track_caller]
fn assert_documented(answer: &Answer) {
    let violations = klarna_schemas::catalogue::check("klarna/authorize-response", &answer.body).unwrap();
    assert!(violations.is_empty(), "{violations:?} in {answer:?}");
}

/// A customer consents to a token beside a purchase; the token.
async fn consented(klarna: &Klarna, reference: &str) -> String {
    let mut body = initial(reference);
    body["request_customer_token"] = wish();
    let asked = klarna.authorize(ALPHA, &[], &body).await;
    assert_eq!((asked.result(), token_result(&asked)), ("STEP_UP_REQUIRED", "STEP_UP_REQUIRED"));
    assert_documented(&asked);
    klarna.act(&asked, CustomerAct::Approve).await;
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", asked.request_id())).await;
    let context = &read.body["state_context"];
    let session = context["klarna_network_session_token"].as_str().unwrap();
    let mut end = last(reference);
    end["request_customer_token"] = wish();
    let decided = klarna.authorize(ALPHA, &[(TOKEN, session)], &end).await;
    assert_eq!((decided.result(), token_result(&decided)), ("APPROVED", "APPROVED"));
    assert_documented(&decided);
    let made = &decided.body["customer_token_response"]["customer_token"];
    assert_eq!(made["customer_token_reference"], "ct-1");
    assert_eq!(made["customer_token_id"], context["klarna_customer"]["customer_token"]);
    made["customer_token_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_is_asked_for_beside_a_purchase_and_charged() {
    let klarna = Klarna::start().await;
    let token = consented(&klarna, "t-1").await;
    // Customer not present: nobody can be asked.
    let charge = klarna.authorize(ALPHA, &[(CUSTOMER_TOKEN, &token)], &last("t-2")).await;
    assert_eq!(charge.result(), "APPROVED");
    assert_documented(&charge);
    // Customer present: Klarna may ask, and then the final call follows as ever.
    let present = klarna.authorize(ALPHA, &[(CUSTOMER_TOKEN, &token)], &initial("t-3")).await;
    assert_eq!(present.result(), "APPROVED");
    let ask = QueuedOutcome::once(CallKind::Initial, AuthorizationResult::StepUpRequired);
    klarna.control().queue_outcomes(&ALPHA.into(), &[ask]).await.unwrap();
    let asked = klarna.authorize(ALPHA, &[(CUSTOMER_TOKEN, &token)], &initial("t-4")).await;
    assert_eq!(asked.result(), "STEP_UP_REQUIRED");
    let decline = QueuedOutcome::once(CallKind::Initial, AuthorizationResult::Declined);
    klarna.control().queue_outcomes(&ALPHA.into(), &[decline]).await.unwrap();
    let declined = klarna.authorize(ALPHA, &[(CUSTOMER_TOKEN, &token)], &last("t-5")).await;
    assert_eq!(declined.result(), "DECLINED");
}

#[tokio::test]
async fn a_token_is_asked_for_alone() {
    let klarna = Klarna::start().await;
    let mut body = json!({"currency": "SEK", "request_customer_token": wish()});
    let nowhere = klarna.authorize(ALPHA, &[], &body).await;
    assert_eq!((nowhere.result(), token_result(&nowhere)), ("DECLINED", "DECLINED"));
    body["step_up_config"] = initial("t")["step_up_config"].clone();
    let asked = klarna.authorize(ALPHA, &[], &body).await;
    assert_eq!((asked.result(), token_result(&asked)), ("STEP_UP_REQUIRED", "STEP_UP_REQUIRED"));
    assert!(asked.body["payment_request"]["amount"].is_null());
    assert_documented(&asked);
    let page = klarna.http.get(asked.journey()).send().await.unwrap();
    assert!(page.status().is_success());
    klarna.act(&asked, CustomerAct::Approve).await;
    let path = format!("/v2/accounts/{ALPHA}/payment/requests/{}", asked.request_id());
    let read = klarna.get(&path).await;
    assert_eq!(read.body["state"], "COMPLETED");
    let context = &read.body["state_context"];
    assert!(context["klarna_network_session_token"].is_null(), "no final call follows: {context}");
    let token = context["klarna_customer"]["customer_token"].as_str().unwrap();
    assert_eq!(klarna.authorize(ALPHA, &[(CUSTOMER_TOKEN, token)], &last("t-2")).await.result(), "APPROVED");
    // It is over: nothing is left to cancel.
    let cancel = klarna.http.delete(klarna.url(&path)).header("authorization", KEY);
    assert_eq!(klarna.send(cancel).await.refusal().0, 403);
}

#[tokio::test]
async fn a_customer_token_that_is_none_is_refused() {
    let klarna = Klarna::start().await;
    let token = consented(&klarna, "t-1").await;
    for (account, token) in [(ALPHA, "krn:nothing"), (BETA, token.as_str())] {
        let refused = klarna.authorize(account, &[(CUSTOMER_TOKEN, token)], &last("t-2")).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", CUSTOMER_TOKEN), "{account}");
    }
}

#[tokio::test]
async fn a_known_customer_is_shown_the_option_that_was_saved() {
    let klarna = Klarna::start().await;
    let token = consented(&klarna, "t-1").await;
    let url = klarna.url(&format!(
        "/v2/accounts/{ALPHA}/payment/presentation?currency=SEK&locale=sv-SE&amount=1&intents[]=PAY"
    ));
    let known = klarna.http.get(&url).header("authorization", KEY).header(CUSTOMER_TOKEN, &token);
    let known = klarna.send(known).await;
    let option = known.body["saved_payment_option"]["payment_option_id"].as_str().unwrap();
    assert_eq!(known.headers["cache-control"], "private, no-store");
    let violations = klarna_schemas::catalogue::check("klarna/presentation", &known.body).unwrap();
    assert!(violations.is_empty(), "{violations:?}");
    let mut body = initial("t-2");
    body["request_payment_transaction"]["payment_option_id"] = json!(option);
    assert_eq!(klarna.authorize(ALPHA, &[], &body).await.status, 200);
    let stranger = klarna.send(klarna.http.get(&url).header("authorization", KEY)).await;
    assert!(stranger.body["saved_payment_option"].is_null());
}

async fn interoperability(klarna: &Klarna, name: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    klarna.send(klarna.post(&format!("/v2/accounts/{ALPHA}/interoperability/{name}"), headers, body)).await
}

#[tokio::test]
async fn a_token_exists_before_the_first_authorize() {
    let klarna = Klarna::start().await;
    let express = json!({"customer_journey": "KLARNA_EXPRESS_CHECKOUT"});
    let made = interoperability(
        &klarna,
        "test-tokens",
        &[("Klarna-Customer-Region", "krn:test:us1:test")],
        &express,
    )
    .await;
    assert_eq!(made.status, 201);
    let token = made.body["interoperability_token"].as_str().unwrap();
    for header in [TOKEN, "Klarna-Interoperability-Token"] {
        let approved = klarna.authorize(ALPHA, &[(header, token)], &last("t-1")).await;
        assert_eq!(approved.result(), "APPROVED", "{header}");
    }
    for journey in ["SIGN_IN_WITH_KLARNA", "KLARNA_PRE_QUALIFICATION", "KLARNA_ACCOUNT_LINKING"] {
        let made = interoperability(&klarna, "test-tokens", &[], &json!({"customer_journey": journey})).await;
        let token = made.body["klarna_network_session_token"].as_str().unwrap();
        let answer = klarna.authorize(ALPHA, &[(TOKEN, token)], &initial(journey)).await;
        assert_eq!(answer.result(), "STEP_UP_REQUIRED", "{journey}");
    }
    let sdk = klarna.http.post(klarna.url(&format!("/v2/accounts/{ALPHA}/interoperability/sdk-tokens")));
    let sdk = klarna.send(sdk.header("authorization", KEY).header(TOKEN, "krn:any")).await;
    assert_eq!((sdk.status, sdk.body["sdk_token"].is_string()), (201, true), "{sdk:?}");
    let customer = consented(&klarna, "t-9").await;
    let exchanged = interoperability(&klarna, "tokens", &[(CUSTOMER_TOKEN, &customer)], &json!({})).await;
    assert_eq!(exchanged.status, 201);
    for (schema, answer) in [
        ("klarna/sdk-token", &sdk),
        ("klarna/interoperability-token", &made),
        ("klarna/interoperability-token", &exchanged),
    ] {
        assert!(klarna_schemas::catalogue::check(schema, &answer.body).unwrap().is_empty(), "{answer:?}");
    }
}

#[tokio::test]
async fn tokens_that_cannot_be_made_are_refused() {
    let klarna = Klarna::start().await;
    for (body, parameter) in [
        (json!({}), "customer_journey"),
        (json!({"customer_journey": "KLARNA_DREAM"}), "customer_journey"),
        (json!({"customer_journey": 7}), "customer_journey"),
        (json!([]), "$"),
    ] {
        let refused = interoperability(&klarna, "test-tokens", &[], &body).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", parameter), "{body}");
    }
    let refused = interoperability(&klarna, "tokens", &[(CUSTOMER_TOKEN, "krn:nobody")], &Value::Null).await;
    assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", CUSTOMER_TOKEN));
    let key = [("Klarna-Idempotency-Key", "k-1")];
    let express = json!({"customer_journey": "KLARNA_EXPRESS_CHECKOUT"});
    let first = interoperability(&klarna, "test-tokens", &key, &express).await;
    let again = interoperability(&klarna, "test-tokens", &key, &express).await;
    assert_eq!(first.body, again.body);
    let other =
        interoperability(&klarna, "test-tokens", &key, &json!({"customer_journey": "SIGN_IN_WITH_KLARNA"}))
            .await;
    assert_eq!(other.refusal().0, 409);
}

#[tokio::test]
async fn a_partner_asks_with_a_key_of_its_own_and_its_acquirer_pays_with_the_option() {
    let klarna = Klarna::start().await;
    // The acquirer has the account already.
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.status, 200);
    let key = klarna.control().make_partner_key(&ALPHA.into()).await.unwrap().api_key;
    assert_eq!(klarna.control().make_partner_key(&ALPHA.into()).await.unwrap().api_key, key);
    let own = |path: &str| klarna.http.get(klarna.url(path)).header("authorization", format!("Basic {key}"));
    let shown = klarna
        .send(own("/v2/payment/presentation?currency=SEK&locale=sv-SE&amount=45900&intents[]=PAY"))
        .await;
    let option = shown.body["payment_option"]["payment_option_id"].as_str().unwrap();
    let mut body = initial("t-2");
    body["request_payment_transaction"]["payment_option_id"] = json!(option);
    let answer = klarna.authorize(ALPHA, &[], &body).await;
    assert_eq!(answer.result(), "STEP_UP_REQUIRED");
    let payment = klarna.journal("authorize").await.entries.pop().unwrap().payment.unwrap();
    assert!(!klarna.findings(&payment).await.contains(&"payment-option.known".to_owned()));
    // It sees its own payments, and nobody else's.
    let request = klarna.send(own(&format!("/v2/payment/requests/{}", answer.request_id()))).await;
    assert_eq!(request.status, 200);
    let beta = klarna.authorize(BETA, &[], &initial("t-3")).await;
    let other =
        klarna.send(own(&format!("/v2/accounts/{BETA}/payment/requests/{}", beta.request_id()))).await;
    assert_eq!(other.refusal(), (403, "OPERATION_FORBIDDEN", ""));
    let unknown = klarna.control().make_partner_key(&"krn:nobody".into()).await;
    assert!(unknown.unwrap_err().to_string().contains("krn:nobody"));
}
