//! What the catalogue says about bodies that do not fit.

use klarna_schemas::catalogue::{Disposition, MOST_VIOLATIONS, Violation, check};
use serde_json::{Value, json};

use crate::bodies::initial_authorize;

use Disposition::{Reject, Report};

/// The initial authorize with one field set (created if need be) or, with `None`, taken out.
fn changed(pointer: &str, to: Option<Value>) -> Value {
    let mut body = initial_authorize();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    match (parent, to) {
        (Value::Object(members), Some(value)) => {
            members.insert(field.to_owned(), value);
        }
        (Value::Object(members), None) => {
            members.shift_remove(field).unwrap();
        }
        (Value::Array(items), Some(value)) => items[field.parse::<usize>().unwrap()] = value,
        (Value::Array(items), None) => {
            items.remove(field.parse().unwrap());
        }
        _ => panic!("no object or list above {pointer}"),
    }
    body
}

fn authorize(body: &Value) -> Vec<Violation> {
    check("klarna/authorize-request", body).unwrap()
}

#[test]
fn the_body_of_the_contract_fits() {
    assert_eq!(authorize(&initial_authorize()), []);
}

#[test]
fn the_minimal_final_body_fits() {
    let body = json!({
        "currency": "SEK",
        "request_payment_transaction": { "amount": 45900, "payment_transaction_reference": "apx-tx-0001" }
    });
    assert_eq!(authorize(&body), []);
}

#[test]
fn each_slip_is_named_in_dot_notation_with_its_weight() {
    let line = "/supplementary_purchase_data/line_items/1";
    let table: &[(String, Option<Value>, &str, &str, Disposition, &str)] = &[
        ("/currency".into(), None, "currency", "required", Reject, "is required, and missing"),
        (
            "/currency".into(),
            Some(json!("EURO")),
            "currency",
            "pattern",
            Reject,
            "must match the pattern ^[A-Za-z]{3}$",
        ),
        (
            "/currency".into(),
            Some(json!("SEK\n")),
            "currency",
            "pattern",
            Reject,
            "must match the pattern ^[A-Za-z]{3}$",
        ),
        (
            "/request_payment_transaction".into(),
            None,
            "request_payment_transaction",
            "anyOf",
            Reject,
            "one of request_payment_transaction, request_customer_token is required, and none is there",
        ),
        (
            "/request_payment_transaction/amount".into(),
            None,
            "request_payment_transaction.amount",
            "required",
            Reject,
            "is required, and missing",
        ),
        (
            "/request_payment_transaction/amount".into(),
            Some(json!(0)),
            "request_payment_transaction.amount",
            "minimum",
            Reject,
            "must be at least 1",
        ),
        (
            "/request_payment_transaction/amount".into(),
            Some(json!(2_147_483_648_i64)),
            "request_payment_transaction.amount",
            "maximum",
            Reject,
            "must be at most 2147483647",
        ),
        (
            "/request_payment_transaction/amount".into(),
            Some(json!("45900")),
            "request_payment_transaction.amount",
            "type",
            Reject,
            "must be an integer, not a string",
        ),
        (
            "/request_payment_transaction/amount".into(),
            Some(json!(1.5)),
            "request_payment_transaction.amount",
            "type",
            Reject,
            "must be an integer, not a number",
        ),
        (
            "/request_payment_transaction/amount".into(),
            Some(json!(45900.0)),
            "request_payment_transaction.amount",
            "type",
            Reject,
            "must be written as a whole number, without fraction or exponent",
        ),
        (
            "/request_payment_transaction/payment_transaction_reference".into(),
            None,
            "request_payment_transaction.payment_transaction_reference",
            "required",
            Report,
            "is required, and missing",
        ),
        (
            "/request_payment_transaction/payment_transaction_reference".into(),
            Some(json!("x".repeat(256))),
            "request_payment_transaction.payment_transaction_reference",
            "maxLength",
            Reject,
            "must have at most 255 characters",
        ),
        (
            "/request_payment_transaction/payment_transaction_reference".into(),
            Some(json!("")),
            "request_payment_transaction.payment_transaction_reference",
            "minLength",
            Reject,
            "must not be empty",
        ),
        (
            "/request_payment_transaction/capture".into(),
            Some(json!("SOON")),
            "request_payment_transaction.capture",
            "enum",
            Report,
            "must be one of NOW, LATER",
        ),
        (
            format!("{line}/quantity"),
            Some(json!(0)),
            "supplementary_purchase_data.line_items[1].quantity",
            "minimum",
            Reject,
            "must be at least 1",
        ),
        (
            format!("{line}/quantity"),
            Some(json!("2")),
            "supplementary_purchase_data.line_items[1].quantity",
            "type",
            Reject,
            "must be an integer, not a string",
        ),
        (
            format!("{line}/name"),
            None,
            "supplementary_purchase_data.line_items[1].name",
            "required",
            Reject,
            "is required, and missing",
        ),
        (
            line.to_owned(),
            Some(json!("a line")),
            "supplementary_purchase_data.line_items[1]",
            "type",
            Reject,
            "must be an object, not a string",
        ),
        (
            format!("{line}/colour"),
            Some(json!("red")),
            "supplementary_purchase_data.line_items[1].colour",
            "additionalProperties",
            Report,
            "is not a field that is known here",
        ),
        (
            format!("{line}/product_url"),
            Some(json!("no url")),
            "supplementary_purchase_data.line_items[1].product_url",
            "format",
            Report,
            "must be an absolute URI",
        ),
        (
            "/supplementary_purchase_data/customer/email".into(),
            Some(json!("nobody")),
            "supplementary_purchase_data.customer.email",
            "format",
            Report,
            "must be an email address",
        ),
        (
            "/supplementary_purchase_data/customer/phone".into(),
            Some(json!("0700000000")),
            "supplementary_purchase_data.customer.phone",
            "pattern",
            Report,
            "must match the pattern ^\\+[1-9][0-9]{1,14}$",
        ),
        (
            "/supplementary_purchase_data/customer/date_of_birth".into(),
            Some(json!("1990-02-30")),
            "supplementary_purchase_data.customer.date_of_birth",
            "format",
            Report,
            "must be a date such as 2026-01-31",
        ),
        (
            "/supplementary_purchase_data/customer/email".into(),
            Some(json!(["a"])),
            "supplementary_purchase_data.customer.email",
            "type",
            Reject,
            "must be a string, not an array",
        ),
        (
            "/supplementary_purchase_data/shipping/0/address/country".into(),
            Some(json!("Sweden")),
            "supplementary_purchase_data.shipping[0].address.country",
            "pattern",
            Report,
            "must match the pattern ^[A-Za-z]{2}$",
        ),
        (
            "/supplementary_purchase_data/vouchers".into(),
            Some(json!([{ "voucher_name": 7 }])),
            "supplementary_purchase_data.vouchers[0].voucher_name",
            "type",
            Report,
            "must be a string, not an integer",
        ),
        (
            "/klarna_network_data".into(),
            Some(json!({ "content": {} })),
            "klarna_network_data",
            "type",
            Reject,
            "must be a string, not an object",
        ),
        (
            "/klarna_network_data".into(),
            Some(json!("é".repeat(10_241))),
            "klarna_network_data",
            "maxLength",
            Report,
            "must have at most 10240 characters",
        ),
        (
            "/step_up_config/customer_interaction_config".into(),
            None,
            "step_up_config.customer_interaction_config",
            "required",
            Report,
            "is required, and missing",
        ),
        (
            "/step_up_config/customer_interaction_config/method".into(),
            Some(json!("SERVER_REDIRECT")),
            "step_up_config.customer_interaction_config.method",
            "enum",
            Report,
            "must be one of HANDOVER, SDK, QR_CODE",
        ),
        (
            "/step_up_config/customer_interaction_config/return_url".into(),
            Some(json!("back")),
            "step_up_config.customer_interaction_config.return_url",
            "pattern",
            Report,
            "must match the pattern ^https?://[^\\s/]",
        ),
        (
            "/step_up_config/customer_interaction_config/interaction_expiry".into(),
            Some(json!({ "duration": "soon" })),
            "step_up_config.customer_interaction_config.interaction_expiry.duration",
            "format",
            Reject,
            "must be an ISO 8601 duration such as PT30M",
        ),
        (
            "/step_up_config/customer_interaction_config/interaction_expiry".into(),
            Some(json!({ "timestamp": "2026-01-31" })),
            "step_up_config.customer_interaction_config.interaction_expiry.timestamp",
            "format",
            Reject,
            "must be a date and time with zone such as 2026-01-31T09:30:00Z",
        ),
        (
            "/step_up_config/customer_interaction_config/interaction_expiry".into(),
            Some(json!({ "duration": "PT30M", "timestamp": "2026-01-31T09:30:00Z" })),
            "step_up_config.customer_interaction_config.interaction_expiry",
            "oneOf",
            Report,
            "fits more than one of the forms that exclude each other",
        ),
        (
            "/step_up_config/customer_interaction_config/interaction_expiry".into(),
            Some(json!({})),
            "step_up_config.customer_interaction_config.interaction_expiry.duration",
            "oneOf",
            Report,
            "one of duration, timestamp is required, and none is there",
        ),
        (
            "/step_up_config/payment_request_expires_at".into(),
            Some(json!("tomorrow")),
            "step_up_config.payment_request_expires_at",
            "anyOf",
            Reject,
            "fits none of the forms that are allowed: must be a date such as 2026-01-31; or must be a date and time with zone such as 2026-01-31T09:30:00Z",
        ),
        (
            "/unheard_of".into(),
            Some(json!(null)),
            "unheard_of",
            "additionalProperties",
            Report,
            "is not a field that is known here",
        ),
    ];
    for (pointer, to, parameter, keyword, disposition, reason) in table {
        let found = authorize(&changed(pointer, to.clone()));
        let expected = Violation {
            parameter: (*parameter).to_owned(),
            reason: (*reason).to_owned(),
            keyword: (*keyword).to_owned(),
            disposition: *disposition,
        };
        assert_eq!(found, [expected], "{pointer} = {to:?}");
    }
}

/// What real clients do, and a strict reader would refuse (contract README).
#[test]
fn what_real_clients_do_is_accepted() {
    let interaction = "/step_up_config/customer_interaction_config";
    for (pointer, to) in [
        (format!("{interaction}/method"), None),
        ("/step_up_config/payment_request_reference".to_owned(), None),
        ("/supplementary_purchase_data/line_items".to_owned(), Some(json!([]))),
        ("/supplementary_purchase_data/shipping".to_owned(), Some(json!([]))),
        ("/supplementary_purchase_data/customer".to_owned(), Some(json!({}))),
        ("/supplementary_purchase_data/line_items/1/total_amount".to_owned(), Some(json!(-4900))),
        ("/supplementary_purchase_data/line_items/1/reference".to_owned(), Some(json!("line-2"))),
        ("/step_up_config/payment_request_expires_at".to_owned(), Some(json!("2026-12-31"))),
        ("/step_up_config/payment_request_expires_at".to_owned(), Some(json!("2026-12-31T10:00:00+01:00"))),
        ("/step_up_config".to_owned(), None),
        ("/supplementary_purchase_data".to_owned(), None),
        ("/klarna_network_data".to_owned(), Some(json!("no JSON at all\n"))),
        ("/currency".to_owned(), Some(json!("sek"))),
        (
            format!("{interaction}/app_return_url"),
            Some(json!("acme-shop://back/{klarna.payment_request.id}")),
        ),
        (
            format!("{interaction}/interaction_expiry"),
            Some(json!({ "timestamp": "2026-02-24T17:25:34.534721775Z" })),
        ),
    ] {
        assert_eq!(authorize(&changed(&pointer, to.clone())), [], "{pointer} = {to:?}");
    }
    let token_only =
        json!({ "currency": "SEK", "request_customer_token": { "scopes": ["payment:customer_present"] } });
    assert_eq!(authorize(&token_only), []);
}

#[test]
fn webhooks_are_https_or_loopback_and_may_name_any_event() {
    let body = |url: &str| {
        json!({
            "url": url, "event_types": ["settlement.*", "payment.request.state-change.*", "identity.*"],
            "event_version": "v2", "signing_key_id": "krn:partner:global:notification:signing-key:0f3c"
        })
    };
    for good in [
        "https://acq.example/klarna",
        "http://127.0.0.1:8081/klarna/webhooks",
        "http://localhost",
        "http://[::1]:9/x",
    ] {
        assert_eq!(check("klarna/create-webhook", &body(good)).unwrap(), [], "{good}");
    }
    for bad in [
        "http://acq.example/klarna",
        "http://localhost.evil.example/",
        "ftp://acq.example",
        "acq.example",
        "https:// ",
    ] {
        let found = check("klarna/create-webhook", &body(bad)).unwrap();
        assert!(
            found.iter().any(|violation| violation.disposition == Reject && violation.parameter == "url"),
            "{bad}"
        );
    }
}

#[test]
fn a_body_that_is_no_object_is_named_as_a_whole() {
    let found = authorize(&json!([1]));
    assert_eq!(
        (found[0].parameter.as_str(), found[0].reason.as_str()),
        ("$", "must be an object, not an array")
    );
}

#[test]
fn no_violation_shows_a_value_of_the_body() {
    let canary = "CANARY-7f31";
    let mut body = initial_authorize();
    body["currency"] = json!(canary);
    body["request_payment_transaction"]["amount"] = json!(canary);
    body["request_payment_transaction"]["capture"] = json!(canary);
    body["klarna_network_data"] = json!([canary]);
    body["step_up_config"]["payment_request_expires_at"] = json!(canary);
    body["step_up_config"]["customer_interaction_config"]["interaction_expiry"] =
        json!({ "timestamp": canary });
    body["supplementary_purchase_data"]["customer"]["email"] = json!(canary);
    let found = authorize(&body);
    assert!(found.len() >= 7);
    assert!(!format!("{found:?}").contains(canary), "{found:#?}");
}

#[test]
fn a_flood_of_reports_does_not_hide_what_rejects() {
    let mut body = initial_authorize();
    for index in 0..1000 {
        body[format!("unknown_{index}")] = json!(1);
    }
    body["request_payment_transaction"]["amount"] = json!(0);
    let found = authorize(&body);
    assert_eq!(found.len(), MOST_VIOLATIONS);
    assert_eq!(
        (found[0].parameter.as_str(), found[0].disposition),
        ("request_payment_transaction.amount", Reject)
    );
}

#[test]
fn an_unknown_schema_is_an_error_with_a_hint() {
    let error = check("klarna/authorise-request", &json!({})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no schema \"klarna/authorise-request\"; did you mean \"klarna/authorize-request\"?"
    );
}
