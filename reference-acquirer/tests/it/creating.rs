//! The initial call: what Klarna gets, and what the Partner is answered.

use http::StatusCode;
use klarna_schemas::catalogue;
use serde_json::{Value, json};

use crate::support::{ALPHA, BETA, REQUEST_ID, REQUEST_URL, Reply, Setup, order};

fn assert_fits(schema: &str, value: &Value) {
    assert_eq!(catalogue::check(schema, value), Ok(Vec::new()), "{value:#}");
}

#[tokio::test]
async fn approved_at_once() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    let acquirer = setup.start().await;

    let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;

    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(payment["status"], "approved");
    assert_eq!(payment["reference"], "tx-1");
    assert!(payment.get("payment_request_url").is_none() && payment.get("payment_request_id").is_none());
    assert_fits("acquirer/payment", &payment);
    let told = setup.partner.await_verified().await;
    assert_fits("acquirer/notification", &told);
    assert_eq!(told["data"], payment);
    assert_eq!(setup.klarna.authorizes().len(), 1);
    acquirer.stop().await;
}

#[tokio::test]
async fn declined() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::declined()]);
    let acquirer = setup.start().await;

    let (status, payment) = acquirer.create(ALPHA, &order("tx-1")).await;

    assert_eq!((status, &payment["status"]), (StatusCode::CREATED, &json!("declined")));
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "declined");
    assert_eq!(setup.klarna.authorizes().len(), 1);
    acquirer.stop().await;
}

/// URL and id, unmodified, whatever the mode; Klarna is told the mode.
#[tokio::test]
async fn step_up_in_both_modes() {
    for (mode, method) in [("redirect", "HANDOVER"), ("sdk", "SDK")] {
        let setup = Setup::new().await;
        setup.klarna.will([Reply::step_up()]);
        let acquirer = setup.start().await;
        let mut order = order("tx-1");
        order["mode"] = json!(mode);

        let (status, payment) = acquirer.create(ALPHA, &order).await;

        assert_eq!((status, &payment["status"]), (StatusCode::CREATED, &json!("step_up_required")), "{mode}");
        assert_eq!(payment["payment_request_url"], REQUEST_URL);
        assert_eq!(payment["payment_request_id"], REQUEST_ID);
        assert_fits("acquirer/payment", &payment);
        let config =
            setup.klarna.authorizes()[0].json()["step_up_config"]["customer_interaction_config"].clone();
        assert_eq!(config["method"], method);
        let (_, read) = acquirer.read(ALPHA, payment["payment_id"].as_str().unwrap()).await;
        assert_eq!(read, payment);
        acquirer.stop().await;
    }
}

/// The whole body, field by field, and every header.
#[tokio::test]
async fn the_initial_call() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    let acquirer = setup.start().await;
    let mut order = order("tx-1");
    order["klarna_network_data"] = json!("{ \"a\": 1.0 }\n");
    order["klarna_network_session_token"] = json!("partner-token");

    let (_, payment) = acquirer.create(ALPHA, &order).await;

    let call = &setup.klarna.authorizes()[0];
    assert_eq!(call.path, "/v2/accounts/krn:partner:global:account:test:ALPHA001/payment/authorize");
    assert_eq!(call.header("authorization"), Some("Basic klarna_test_api_local"));
    assert_eq!(call.header("content-type"), Some("application/json"));
    assert_eq!(call.header("klarna-network-session-token"), Some("partner-token"));
    assert_eq!(call.header("klarna-idempotency-key").unwrap().len(), 36);
    let metadata: Value = serde_json::from_str(call.header("klarna-integration-metadata").unwrap()).unwrap();
    assert_eq!(metadata["integrator"]["session_reference"], payment["payment_id"]);
    assert_fits("klarna/integration-metadata", &metadata);

    let body = call.json();
    assert_fits("klarna/authorize-request", &body);
    let return_url = body["step_up_config"]["customer_interaction_config"]["return_url"].as_str().unwrap();
    let return_key = return_url.strip_prefix(&format!("{}/return/", acquirer.base_url)).unwrap();
    assert!(return_key.len() == 64 && !return_key.contains(payment["payment_id"].as_str().unwrap()));
    assert_eq!(
        body,
        json!({
            "currency": "SEK",
            "request_payment_transaction": {"amount": 45900, "payment_transaction_reference": "tx-1"},
            "supplementary_purchase_data": {
                "purchase_reference": "ORDER-5501",
                "line_items": [
                    {"name": "Trail shoe", "quantity": 1, "total_amount": 41000, "total_tax_amount": 8200,
                     "unit_price": 41000, "line_item_reference": "sku-1", "product_url": "https://shop.test/p/1",
                     "image_url": "https://shop.test/p/1.png"},
                    {"name": "Parcel", "quantity": 1, "total_amount": 4900},
                ],
                "customer": {"given_name": "Alva", "family_name": "Ek", "email": "customer+se@klarna.com",
                    "phone": "+46700000000", "date_of_birth": "1990-01-31",
                    "address": {"street_address": "Gatan 1", "street_address2": "lgh 2", "postal_code": "11122",
                        "city": "Stockholm", "region": "AB", "country": "SE"}},
                "shipping": [{
                    "recipient": {"given_name": "Alva", "family_name": "Ek", "email": "customer+se@klarna.com",
                        "phone": "+46700000000"},
                    "address": {"street_address": "Vägen 9", "postal_code": "41101", "city": "Göteborg",
                        "country": "SE"}}],
            },
            "klarna_network_data": "{ \"a\": 1.0 }\n",
            "step_up_config": {
                "payment_request_reference": payment["payment_id"],
                "customer_interaction_config": {"method": "HANDOVER", "return_url": return_url,
                    "app_return_url": "shopapp://back"},
            },
            "acquiring_config":
                {"payment_account_id": "krn:partner:global:account:payment-account:ALPHA001"},
        })
    );
    acquirer.stop().await;
}

/// However the Partner writes the string in its JSON, Klarna gets the same string.
#[tokio::test]
async fn network_data_is_opaque() {
    let texts = [
        "{ \"b\" : 1.0,\n\t\"a\": 1e2 }\n",
        r#"{"a":1,"a":2,"url":"https:\/\/shop.test\/x","e":"\u00e9","pair":"\ud83d\ude00"}"#,
        "{\"e\u{301}\":\"é\u{a0}\u{2028}😀\"}",
        "  []  ",
    ];
    let setup = Setup::new().await;
    setup.klarna.will(texts.map(|_| Reply::declined()));
    let acquirer = setup.start().await;
    for (index, text) in texts.into_iter().enumerate() {
        let mut order = order(&format!("tx-{index}"));
        order["klarna_network_data"] = json!(text);
        acquirer.create(ALPHA, &order).await;
        assert_eq!(setup.klarna.authorizes()[index].json()["klarna_network_data"], text);
    }
    acquirer.stop().await;
}

#[tokio::test]
async fn what_is_absent_stays_absent() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::declined()]);
    let acquirer = setup.start().await;
    let mut order = order("tx-1");
    for field in ["shipping_address", "app_return_url"] {
        order.as_object_mut().unwrap().remove(field);
    }

    acquirer.create(BETA, &order).await;

    let call = &setup.klarna.authorizes()[0];
    assert_eq!(call.path, "/v2/accounts/krn:partner:global:account:test:BETA0001/payment/authorize");
    assert_eq!(call.header("klarna-network-session-token"), None);
    let body = call.json();
    assert!(body.get("klarna_network_data").is_none() && body.get("acquiring_config").is_none());
    assert!(body["supplementary_purchase_data"].get("shipping").is_none());
    assert!(!call.body.windows(4).any(|window| window == b"null"), "{body:#}");
    acquirer.stop().await;
}

#[tokio::test]
async fn klarnas_data_for_the_partner_is_handed_back_unread() {
    let data = "{ \"payment_request_url\" : 1.0 }\n";
    let setup = Setup::new().await;
    let mut step_up = crate::support::step_up_body();
    step_up["klarna_network_response_data"] = json!(data);
    setup.klarna.will([Reply::Json(201, step_up)]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    assert_eq!(payment["klarna_network_response_data"], data);
    acquirer.stop().await;
}

#[tokio::test]
async fn another_partners_payment_does_not_exist() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::declined()]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;

    let (status, problem) = acquirer.read(BETA, payment["payment_id"].as_str().unwrap()).await;

    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_fits("acquirer/problem", &problem);
    // References are a Partner's own: beta may use the same.
    assert_eq!(acquirer.create(BETA, &order("tx-1")).await.0, StatusCode::CREATED);
    acquirer.stop().await;
}

/// The same bytes again are a repetition; the reference for another order is a conflict.
#[tokio::test]
async fn a_reference_is_used_once() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    let acquirer = setup.start().await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;

    let (status, repeated) = acquirer.create(ALPHA, &order("tx-1")).await;
    assert_eq!((status, repeated), (StatusCode::OK, payment));
    let mut other = order("tx-1");
    other["amount"] = json!(1);
    let (status, problem) = acquirer.create(ALPHA, &other).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (StatusCode::CONFLICT, &json!("reference")));
    assert_fits("acquirer/problem", &problem);
    assert_eq!(setup.klarna.authorizes().len(), 1);
    acquirer.stop().await;
}
