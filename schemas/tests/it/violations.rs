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

/// One slip a line: where it is made, what stands there instead (nothing: taken out), which keyword
/// it breaks, with what weight, and the reason. `LINE` is the second order line, `CIC` the
/// `customer_interaction_config`; the parameter is the place in dot notation unless one is given.
const SLIPS: &str = r#"
/currency | | required | Reject | is required, and missing
/currency | "EURO" | pattern | Reject | must match the pattern ^[A-Za-z]{3}$
/currency | "SEK\n" | pattern | Reject | must match the pattern ^[A-Za-z]{3}$
/request_payment_transaction | | anyOf | Reject | one of request_payment_transaction, request_customer_token is required, and none is there
/request_payment_transaction/amount | | required | Reject | is required, and missing
/request_payment_transaction/amount | 0 | minimum | Reject | must be at least 1
/request_payment_transaction/amount | 2147483648 | maximum | Reject | must be at most 2147483647
/request_payment_transaction/amount | "45900" | type | Reject | must be an integer, not a string
/request_payment_transaction/amount | 1.5 | type | Reject | must be an integer, not a number
/request_payment_transaction/amount | 45900.0 | type | Reject | must be written as a whole number, without fraction or exponent
/request_payment_transaction/payment_transaction_reference | | required | Report | is required, and missing
/request_payment_transaction/payment_transaction_reference | "" | minLength | Reject | must not be empty
/request_payment_transaction/capture | "SOON" | enum | Report | must be one of NOW, LATER
LINE/quantity | 0 | minimum | Reject | must be at least 1
LINE/quantity | "2" | type | Reject | must be an integer, not a string
LINE/name | | required | Reject | is required, and missing
LINE | "a line" | type | Reject | must be an object, not a string
LINE/colour | "red" | additionalProperties | Report | is not a field that is known here
LINE/product_url | "no url" | format | Report | must be an absolute URI
/supplementary_purchase_data/customer/email | "nobody" | format | Report | must be an email address
/supplementary_purchase_data/customer/email | ["a"] | type | Reject | must be a string, not an array
/supplementary_purchase_data/customer/phone | "0700000000" | pattern | Report | must match the pattern ^\+[1-9][0-9]{1,14}$
/supplementary_purchase_data/customer/date_of_birth | "1990-02-30" | format | Report | must be a date such as 2026-01-31
/supplementary_purchase_data/shipping/0/address/country | "Sweden" | pattern | Report | must match the pattern ^[A-Za-z]{2}$
/supplementary_purchase_data/vouchers | [{ "voucher_name": 7 }] | type | Report | must be a string, not an integer | supplementary_purchase_data.vouchers[0].voucher_name
/klarna_network_data | { "content": {} } | type | Reject | must be a string, not an object
/step_up_config/payment_request_expires_at | "tomorrow" | anyOf | Reject | fits none of the forms that are allowed: must be a date such as 2026-01-31; or must be a date and time with zone such as 2026-01-31T09:30:00Z
CIC | | required | Report | is required, and missing
CIC/method | "REDIRECT" | enum | Report | must be one of HANDOVER, SDK, QR_CODE, SERVER_REDIRECT
CIC/return_url | "back" | pattern | Report | must match the pattern ^https?://[^\s/]
CIC/interaction_expiry/duration | "soon" | format | Reject | must be an ISO 8601 duration such as PT30M
CIC/interaction_expiry | { "timestamp": "2026-01-31" } | format | Reject | must be a date and time with zone such as 2026-01-31T09:30:00Z | step_up_config.customer_interaction_config.interaction_expiry.timestamp
CIC/interaction_expiry/timestamp | "2026-01-31T09:30:00Z" | oneOf | Report | fits more than one of the forms that exclude each other | step_up_config.customer_interaction_config.interaction_expiry
CIC/interaction_expiry | {} | oneOf | Report | one of duration, timestamp is required, and none is there | step_up_config.customer_interaction_config.interaction_expiry.duration
/acquiring_config | {} | anyOf | Report | one of payment_account_id, payment_acquiring_account_id, payment_account_reference is required, and none is there | acquiring_config.payment_account_id
/acquiring_config | { "payment_acquiring_account_id": "b" } | required | Report | is required, and missing | acquiring_config.payment_account_reference
/acquiring_config | { "payment_account_reference": "c" } | required | Report | is required, and missing | acquiring_config.payment_acquiring_account_id
/acquiring_config | { "payment_account_id": "a", "settlement_currency": "EURO" } | pattern | Reject | must match the pattern ^[A-Za-z]{3}$ | acquiring_config.settlement_currency
/point_of_checkout | { "store_id": "a", "store_reference": "b" } | maxProperties | Report | must have at most 1 fields
/point_of_checkout | { "store_reference": "" } | minLength | Reject | must not be empty | point_of_checkout.store_reference
/point_of_transaction | { "type": "SHOP" } | enum | Report | must be one of WEBSITE, MOBILE_APP, TERMINAL | point_of_transaction.type
/supplementary_purchase_data/lodging_reservations | [{ "hosts": { "number_of_reservations": "2" } }] | type | Report | must be an integer, not a string | supplementary_purchase_data.lodging_reservations[0].hosts.number_of_reservations
/supplementary_purchase_data/lodging_reservations | [{ "hosts": [{ "host_kind": "PERSON" }] }] | additionalProperties | Report | is not a field that is known here | supplementary_purchase_data.lodging_reservations[0].hosts[0].host_kind
/unheard_of | null | additionalProperties | Report | is not a field that is known here
"#;

fn dotted(pointer: &str) -> String {
    pointer
        .trim_start_matches('/')
        .replace("/0/", "[0].")
        .replace("/1/", "[1].")
        .replace("/1", "[1]")
        .replace('/', ".")
}

#[test]
fn each_slip_is_named_in_dot_notation_with_its_weight() {
    for line in SLIPS.lines().filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split(" |").map(str::trim).collect();
        let [pointer, to, keyword, weight, reason, rest @ ..] = cells.as_slice() else { panic!("{line}") };
        let pointer = pointer
            .replace("LINE", "/supplementary_purchase_data/line_items/1")
            .replace("CIC", "/step_up_config/customer_interaction_config");
        let to = if to.is_empty() { None } else { Some(serde_json::from_str(to).expect(line)) };
        let expected = Violation {
            parameter: rest.first().map_or_else(|| dotted(&pointer), |parameter| (*parameter).to_owned()),
            reason: (*reason).to_owned(),
            keyword: (*keyword).to_owned(),
            disposition: if *weight == "Reject" { Reject } else { Report },
        };
        assert_eq!(authorize(&changed(&pointer, to)), [expected], "{line}");
    }
}

#[test]
fn two_forms_of_an_acquiring_config_are_reported_by_every_field_that_is_too_much() {
    let both = json!({ "payment_account_id": "a", "payment_acquiring_account_id": "b", "payment_account_reference": "c" });
    let found = authorize(&changed("/acquiring_config", Some(both)));
    let seen: Vec<_> =
        found.iter().map(|it| (it.parameter.as_str(), it.reason.as_str(), it.disposition)).collect();
    let why = "must not be here";
    let expected =
        ["acquiring_config.payment_acquiring_account_id", "acquiring_config.payment_account_reference"];
    assert_eq!(seen, expected.map(|parameter| (parameter, why, Report)));
}

#[test]
fn lengths_count_characters() {
    let reference = "/request_payment_transaction/payment_transaction_reference";
    for (pointer, longest, disposition) in
        [(reference, 255, Reject), ("/klarna_network_data", 10_240, Report)]
    {
        assert_eq!(authorize(&changed(pointer, Some(json!("é".repeat(longest))))), []);
        let found = authorize(&changed(pointer, Some(json!("é".repeat(longest + 1)))));
        let [Violation { keyword, disposition: seen, .. }] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((keyword.as_str(), *seen), ("maxLength", disposition));
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
fn webhooks_are_called_by_http_and_may_name_any_event() {
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
        // Which hosts may take plain http is for the simulator to say.
        "http://acquirer:8081/klarna",
    ] {
        assert_eq!(check("klarna/create-webhook", &body(good)).unwrap(), [], "{good}");
    }
    for bad in ["ftp://acq.example", "acq.example", "https:// "] {
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
