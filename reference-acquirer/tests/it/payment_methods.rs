//! What a Partner's payment form lists.

use std::time::Duration;

use klarna_schemas::catalogue;
use reference_acquirer::config::PaymentMethod;
use serde_json::{Value, json};

use crate::support::{ALPHA, Acquirer, BETA, Reply, Setup, TOKEN, order};

/// As Klarna might write it: blanks, escapes, numbers and doubled keys that a reader would change.
const SHOWN: &str = r#"{ "instruction" : "PRESELECT_KLARNA", "unheard_of": {},
    "payment_option": { "payment_option_id" : "b3B0\/aW9u", "header": {"text": "Betala \u00e5t Klarna"},
        "odd": [1.0, 1e2, 12345678901234567890123], "twice": 1, "twice": 2 },
    "saved_payment_option": {"payment_option_id":"c2F2ZWQ=" , "badge":{ } } }"#;
const OPTION: &str = r#"{ "payment_option_id" : "b3B0\/aW9u", "header": {"text": "Betala \u00e5t Klarna"},
        "odd": [1.0, 1e2, 12345678901234567890123], "twice": 1, "twice": 2 }"#;
const SAVED: &str = r#"{"payment_option_id":"c2F2ZWQ=" , "badge":{ } }"#;

fn wanted() -> Value {
    json!({"currency": "SEK", "amount": 45_900, "locale": "sv-SE"})
}

/// The types of the listed methods, in order.
async fn listed(acquirer: &Acquirer, key: &str) -> Vec<String> {
    let response = acquirer.payment_methods(key, &wanted()).await;
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    assert_eq!(catalogue::check("acquirer/payment-methods", &body), Ok(Vec::new()), "{body:#}");
    let methods = body["payment_methods"].as_array().unwrap();
    methods.iter().map(|method| method["type"].as_str().unwrap().to_owned()).collect()
}

fn option(instruction: &str) -> Reply {
    let option = json!({"payment_option_id": "b3B0aW9u"});
    Reply::Json(200, json!({"instruction": instruction, "payment_option": option}))
}

#[tokio::test]
async fn klarna_is_handed_on_byte_for_byte() {
    let setup = Setup::new().await;
    setup.klarna.will_present([Reply::Raw(200, "application/json", SHOWN)]);
    let acquirer = setup.start().await;

    let response = acquirer.payment_methods(ALPHA, &wanted()).await;

    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    let expected = format!(
        r#"{{"payment_methods":[{{"type":"card","name":"Card"}},{{"type":"klarna","instruction":"PRESELECT_KLARNA","payment_option":{OPTION},"saved_payment_option":{SAVED}}}]}}"#
    );
    assert_eq!(response.text().await.unwrap(), expected);
    acquirer.stop().await;
}

#[tokio::test]
async fn klarna_is_asked_for_this_purchase_and_this_partner() {
    let setup = Setup::new().await;
    setup.klarna.will_present([option("SHOW_KLARNA"), option("SHOW_KLARNA")]);
    let acquirer = setup.start().await;
    let mut full = wanted();
    full["klarna_network_session_token"] = json!(TOKEN);
    full["klarna_network_data"] = json!("{ \"a\": 1.0 }");
    assert_eq!(acquirer.payment_methods(ALPHA, &full).await.status(), 200);
    assert_eq!(acquirer.payment_methods(BETA, &wanted()).await.status(), 200);

    let calls = setup.klarna.presentations();
    let [alpha, beta] = calls.as_slice() else { panic!("{calls:#?}") };
    let of = |account: &str| {
        format!("/v2/accounts/krn:partner:global:account:test:{account}/payment/presentation")
    };
    assert_eq!((alpha.method.as_str(), alpha.path.as_str()), ("GET", of("ALPHA001").as_str()));
    assert_eq!(beta.path, of("BETA0001"));
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
    };
    let common = [("currency", "SEK"), ("amount", "45900"), ("locale", "sv-SE"), ("intents[]", "PAY")];
    let account = "krn:partner:global:account:payment-account:ALPHA001";
    let expected = [pairs(&common), pairs(&[("acquiring_config[payment_account_id]", account)])].concat();
    assert_eq!(alpha.asked(), expected);
    assert_eq!(beta.asked(), pairs(&common));

    assert_eq!(alpha.header("klarna-network-session-token"), Some(TOKEN));
    assert_eq!(beta.header("klarna-network-session-token"), None);
    assert_eq!(alpha.header("authorization"), Some("Basic klarna_test_api_local"));
    let metadata: Value = serde_json::from_str(alpha.header("klarna-integration-metadata").unwrap()).unwrap();
    assert_eq!(catalogue::check("klarna/integration-metadata", &metadata), Ok(Vec::new()));
    assert!(alpha.body.is_empty());
    acquirer.stop().await;
}

/// Each is followed by a sound one, so that Klarna is missing for this reason and no other.
#[tokio::test]
async fn without_a_presentation_the_list_goes_without_klarna_and_nobody_asks_again() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let not_shown = [
        option("HIDE_KLARNA"),
        Reply::error(400, "VALIDATION_ERROR"),
        Reply::error(404, "RESOURCE_NOT_FOUND"),
        Reply::error(500, "INTERNAL_ERROR"),
        Reply::Raw(403, "text/plain", ""),
        Reply::Limited("1"),
        Reply::Broken,
        Reply::Closed,
        Reply::Raw(200, "text/html", "<html>"),
        Reply::Json(200, json!([])),
        Reply::Json(200, json!({"payment_option": {"payment_option_id": "x"}})),
        Reply::Json(200, json!({"instruction": "SHOW_KLARNA"})),
        Reply::Json(200, json!({"instruction": "SHOW_KLARNA", "payment_option": null})),
        Reply::Json(200, json!({"instruction": "SHOW_KLARNA", "payment_option": "x"})),
    ];
    for (count, reply) in not_shown.into_iter().enumerate() {
        setup.klarna.will_present([reply.clone(), option("SHOW_SOMEHOW")]);
        assert_eq!(listed(&acquirer, ALPHA).await, ["card"], "{reply:?}");
        assert_eq!(listed(&acquirer, ALPHA).await, ["card", "klarna"], "after {reply:?}");
        assert_eq!(setup.klarna.presentations().len(), 2 * (count + 1), "{reply:?}");
    }
    acquirer.stop().await;
}

#[tokio::test]
async fn a_form_does_not_wait_for_klarna() {
    let setup = Setup::new().await;
    setup.klarna.will_present([Reply::Held(json!({})), option("SHOW_KLARNA")]);
    // Far shorter than other calls may take: it is this time-out that ends the wait.
    let acquirer =
        setup.start_with(|settings| settings.klarna.presentation_timeout = Duration::from_millis(100)).await;
    let asked = std::time::Instant::now();
    assert_eq!(listed(&acquirer, ALPHA).await, ["card"]);
    assert!(asked.elapsed() < setup.settings().klarna.timeout);
    assert_eq!(listed(&acquirer, ALPHA).await, ["card", "klarna"]);
    setup.klarna.let_go();
    acquirer.stop().await;
}

#[tokio::test]
async fn a_partner_has_an_order_of_its_own() {
    let setup = Setup::new().await;
    setup.klarna.will_present([option("SHOW_KLARNA"), option("SHOW_KLARNA")]);
    let acquirer = setup
        .start_with(|settings| {
            settings.partners[0].payment_methods = Some(vec![PaymentMethod::Klarna, PaymentMethod::Card]);
        })
        .await;
    assert_eq!(listed(&acquirer, ALPHA).await, ["klarna", "card"]);
    assert_eq!(listed(&acquirer, BETA).await, ["card", "klarna"]);
    acquirer.stop().await;

    let acquirer = setup.start_with(|settings| settings.payment_methods = vec![PaymentMethod::Card]).await;
    assert_eq!(listed(&acquirer, ALPHA).await, ["card"]);
    assert_eq!(setup.klarna.presentations().len(), 2);
    acquirer.stop().await;
}

#[tokio::test]
async fn a_wrong_request_names_every_field_and_asks_nobody() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let long = "x".repeat(10_241);
    for (change, field) in [
        (json!({"amount": 0}), "amount"),
        (json!({"amount": "1"}), "amount"),
        (json!({"amount": 1.5}), "amount"),
        (json!({"amount": 2_147_483_648_i64}), "amount"),
        (json!({"currency": "kronor"}), "currency"),
        (json!({"locale": "Swedish please"}), "locale"),
        (json!({"locale": null}), "locale"),
        (json!({"klarna_network_data": "no json"}), "klarna_network_data"),
        (json!({"klarna_network_data": format!("\"{long}\"")}), "klarna_network_data"),
        (json!({"klarna_network_session_token": "a b"}), "klarna_network_session_token"),
        (json!({"klarna_network_session_token": long}), "klarna_network_session_token"),
        (json!({"unheard_of": 1}), "unheard_of"),
    ] {
        let mut body = wanted();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(wrong_fields(&acquirer, &body).await, [field], "{change}");
    }
    assert_eq!(wrong_fields(&acquirer, &json!({})).await, ["amount", "currency", "locale"]);
    assert_eq!(acquirer.payment_methods("nobody's key", &wanted()).await.status(), 401);

    setup.klarna.will_present([option("SHOW_KLARNA")]);
    assert_eq!(listed(&acquirer, ALPHA).await, ["card", "klarna"]);
    assert_eq!(setup.klarna.presentations().len(), 1);
    acquirer.stop().await;
}

async fn wrong_fields(acquirer: &Acquirer, body: &Value) -> Vec<String> {
    let response = acquirer.payment_methods(ALPHA, body).await;
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(catalogue::check("acquirer/problem", &problem), Ok(Vec::new()), "{problem:#}");
    let errors = problem["errors"].as_array().unwrap();
    let mut fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

#[tokio::test]
async fn the_chosen_option_goes_into_both_calls() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::approved()]);
    let acquirer = setup.start().await;
    let mut order = order("tx-1");
    order["payment_option_id"] = json!("b3B0/aW9u==");
    assert_eq!(acquirer.create(ALPHA, &order).await.1["status"], "step_up_required");
    let initial = setup.klarna.await_authorizes(1).await.remove(0);
    assert_eq!(setup.klarna.send_event("e-1", "COMPLETED", &initial).await, 200);
    for call in setup.klarna.await_authorizes(2).await {
        assert_eq!(call.json()["request_payment_transaction"]["payment_option_id"], "b3B0/aW9u==");
    }
    acquirer.stop().await;
}
