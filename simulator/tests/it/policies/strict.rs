//! What Klarna is not known to refuse, and a policy may.

use klarna_schemas::simulator::control::PutSandbox;
use klarna_schemas::simulator::finding::Severity;
use reqwest::Method;
use serde_json::{Value, json};

use super::{is, outcome, refused, with};
use crate::every_operation::sound_body;
use crate::klarna::{ALPHA, Answer, document, initial};

/// The smallest body of a Payment Request.
fn smallest() -> Value {
    json!({"currency": "SEK", "amount": 45_900})
}

/// Every parameter that a refusal names.
fn named(answer: &Answer) -> Vec<&str> {
    let fields = answer.body["validation_errors"].as_array();
    fields.into_iter().flatten().map(|field| field["parameter"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn fields_that_no_source_describes() {
    for word in ["report", "invalid"] {
        let klarna = with("undocumented_fields", word).await;
        let document = document(&klarna).await;
        let mut tried = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if operation.get("requestBody").is_none() {
                    continue;
                }
                let name = operation["operationId"].as_str().unwrap().trim_end_matches(".own");
                let mut body = sound_body(name);
                let method: Method = method.to_uppercase().parse().unwrap();
                let path = path.replace("{account}", ALPHA).replace("{id}", "none");
                let sound = klarna.call(method.clone(), &path, &[], Some(&body)).await;
                assert_ne!(sound.status, 400, "{word} {name}: {sound:?}");
                body["unheard_of"] = json!(1);
                body["payment_token"] = json!("misplaced");
                let odd = klarna.call(method, &path, &[], Some(&body)).await;
                if word == "invalid" {
                    assert_eq!(outcome(&odd), refused(word), "{name}");
                    assert_eq!(named(&odd), ["unheard_of", "payment_token"], "{name}");
                } else {
                    assert_eq!(odd.status, sound.status, "{name}");
                }
                tried += 1;
            }
        }
        assert!(tried > 20, "{tried}");
    }
}

#[tokio::test]
async fn an_account_to_settle_to_that_is_named_in_two_ways() {
    let one = json!({"payment_account_id": "krn:a", "settlement_currency": "SEK"});
    let other = json!({"payment_acquiring_account_id": "krn:b", "payment_account_reference": "c"});
    let both = json!({"payment_account_id": "krn:a", "payment_acquiring_account_id": "krn:b", "payment_account_reference": "c"});
    let requests = format!("/v2/accounts/{ALPHA}/payment/requests");
    for word in ["report", "invalid"] {
        let klarna = with("undocumented_fields", word).await;
        for (index, (config, odd)) in [(&one, false), (&other, false), (&both, true)].into_iter().enumerate()
        {
            let reference = format!("t-{index}");
            let mut body = initial(&reference);
            body["acquiring_config"] = config.clone();
            let authorized = klarna.authorize(ALPHA, &[], &body).await;
            let mut body = smallest();
            body["acquiring_config"] = config.clone();
            let made = klarna.call(Method::POST, &requests, &[], Some(&body)).await;
            if odd && word == "invalid" {
                let too_much = [
                    "acquiring_config.payment_acquiring_account_id",
                    "acquiring_config.payment_account_reference",
                ];
                for answer in [&authorized, &made] {
                    assert_eq!(outcome(answer), refused(word), "{config}");
                    assert_eq!(named(answer), too_much);
                }
            } else {
                assert_eq!((authorized.status, made.status), (200, 201), "{word} {config}");
                let findings = klarna.findings(&reference).await;
                assert_eq!(findings.contains(&"body.as-documented".to_owned()), odd, "{findings:?}");
            }
        }
    }
}

#[tokio::test]
async fn order_lines_that_do_not_add_up() {
    const LINES: &str = "supplementary_purchase_data.line_items";
    let lines = |totals: &[i64]| {
        let line =
            |total: &i64| json!({"name": "Line", "quantity": 2, "unit_price": 1, "total_amount": total});
        json!({"line_items": totals.iter().map(line).collect::<Vec<_>>()})
    };
    for word in ["report", "invalid"] {
        let klarna = with("line_totals", word).await;
        for (totals, odd) in
            [(&[50_000_i64, -4_100][..], false), (&[45_901], true), (&[45_900, 1], true), (&[], false)]
        {
            let is_refused = odd && word == "invalid";
            let expected = |accepted| if is_refused { (400, LINES) } else { (accepted, "") };
            let seen =
                |answer: &Answer| (answer.status, named(answer).first().copied().unwrap_or("").to_owned());
            let expect = |accepted| {
                let (status, parameter) = expected(accepted);
                (status, parameter.to_owned())
            };
            let mut body = initial("t-1");
            body["supplementary_purchase_data"] = lines(totals);
            assert_eq!(seen(&klarna.authorize(ALPHA, &[], &body).await), expect(200), "{word} {totals:?}");
            let requests = format!("/v2/accounts/{ALPHA}/payment/requests");
            let mut body = smallest();
            body["supplementary_purchase_data"] = lines(totals);
            let made = klarna.call(Method::POST, &requests, &[], Some(&body)).await;
            assert_eq!(seen(&made), expect(201), "{word} {totals:?}");
            // Against the amount that stays, too.
            let plain = klarna.call(Method::POST, &requests, &[], Some(&smallest())).await;
            let path = format!("{requests}/{}", plain.body["payment_request_id"].as_str().unwrap());
            let change = json!({"supplementary_purchase_data": lines(totals)});
            let changed = klarna.call(Method::PATCH, &path, &[], Some(&change)).await;
            assert_eq!(seen(&changed), expect(200), "{word} {totals:?}");
        }
    }
}

#[tokio::test]
async fn a_call_without_an_idempotency_key() {
    for word in ["report", "invalid"] {
        let klarna = with("missing_key", word).await;
        let requests = format!("/v2/accounts/{ALPHA}/payment/requests");
        let key = [("Klarna-Idempotency-Key", "k")];
        let made = klarna.call(Method::POST, &requests, &key, Some(&smallest())).await;
        let one = format!("{requests}/{}", made.body["payment_request_id"].as_str().unwrap());
        let authorize = format!("/v2/accounts/{ALPHA}/payment/authorize");
        let calls = [
            (Method::POST, authorize.as_str(), Some(initial("t-1")), 200),
            (Method::POST, "/v2/notification/signing-keys", None, 201),
            (Method::POST, requests.as_str(), Some(smallest()), 201),
            (Method::PATCH, one.as_str(), Some(json!({"amount": 2})), 200),
            // It is asked for with POST and PATCH only.
            (Method::PUT, one.as_str(), Some(json!({"amount": 3})), 200),
            (Method::DELETE, one.as_str(), None, 200),
        ];
        for (method, path, body, accepted) in calls {
            let asked = [Method::POST, Method::PATCH].contains(&method);
            let answer = klarna.call(method.clone(), path, &[], body.as_ref()).await;
            if asked && word == "invalid" {
                let refusal = answer.refusal();
                assert_eq!(refusal, (400, "VALIDATION_ERROR", "Klarna-Idempotency-Key"), "{method} {path}");
            } else {
                assert_eq!(answer.status, accepted, "{word} {method} {path}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn names_of_older_revisions() {
    const CONFIG: &str = "/step_up_config/customer_interaction_config";
    let with_placeholder = "https://a.example/?t={klarna.payment_request.payment_token}";
    let in_body = [
        ("", "interoperability_data", json!("{}")),
        ("/step_up_config", "payment_request_expires_at", json!("2099-01-31")),
        (CONFIG, "method", json!("SERVER_REDIRECT")),
        (CONFIG, "return_url", json!(with_placeholder)),
        (CONFIG, "app_return_url", json!(with_placeholder)),
        ("/supplementary_purchase_data/line_items/0", "reference", json!("l-1")),
    ];
    for word in ["accept", "invalid"] {
        let klarna = with("older_names", word).await;
        for (index, (holder, name, value)) in in_body.iter().enumerate() {
            let reference = format!("t-{index}");
            let mut body = initial(&reference);
            body.pointer_mut(holder).unwrap()[name] = value.clone();
            let answer = klarna.authorize(ALPHA, &[], &body).await;
            if word == "invalid" {
                assert_eq!(outcome(&answer), refused(word), "{name}");
                let parameter = format!("{holder}/{name}").replace("/0", "[0]").replace('/', ".");
                assert_eq!(named(&answer), [&parameter[1..]]);
            } else {
                assert_eq!(outcome(&answer), is(200, "STEP_UP_REQUIRED"), "{name}");
                let findings = klarna.findings(&reference).await;
                assert!(findings.contains(&"body.current-names".to_owned()), "{name}: {findings:?}");
                assert!(!findings.contains(&"body.as-documented".to_owned()), "{name}: {findings:?}");
            }
        }
        let shown = format!("/v2/accounts/{ALPHA}/payment/presentation?currency=SEK&locale=sv-SE&amount=1");
        let sdk_tokens = format!("/v2/accounts/{ALPHA}/interoperability/sdk-tokens");
        for header in ["Klarna-Payment-Token", "Klarna-Interoperability-Token"] {
            let token = [(header, "krn:any")];
            for answer in [
                klarna.authorize(ALPHA, &token, &initial("t-header")).await,
                klarna.call(Method::GET, &shown, &token, None).await,
                klarna.call(Method::POST, &sdk_tokens, &token, None).await,
            ] {
                if word == "invalid" {
                    assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR", header));
                } else {
                    assert!(answer.status < 300, "{header}: {answer:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn how_a_refusal_lists_the_fields() {
    for word in ["validation_errors", "errors"] {
        let klarna = with("error_list", word).await;
        let mut body = initial("t-1");
        body["currency"] = json!("KRONA");
        let answer = klarna.authorize(ALPHA, &[], &body).await;
        // Both are in the schema of errors, which the OpenAPI document has as it stands.
        assert_eq!(answer.refusal().0, 400);
        let listed = &answer.body[word][0];
        assert_eq!(listed["parameter"], "currency");
        let (reason, other) =
            if word == "errors" { ("error_message", "reason") } else { ("reason", "error_message") };
        assert!(listed[reason].is_string() && listed.get(other).is_none(), "{answer:?}");
        let lists =
            ["validation_errors", "errors"].into_iter().filter(|name| answer.body.get(name).is_some());
        assert_eq!(lists.collect::<Vec<_>>(), [word]);
        let described = document(&klarna).await["components"]["schemas"]["Error"]["properties"].clone();
        assert!(described[word].is_object(), "{described}");
        // Where no field is to blame there is no list.
        let nothing = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/none")).await;
        assert!(nothing.body.get("validation_errors").or(nothing.body.get("errors")).is_none());
    }
}

#[tokio::test]
async fn what_only_a_policy_refuses_can_only_warn() {
    let klarna = with("undocumented_fields", "invalid").await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let mut odd = initial("t-1");
    odd["unheard_of"] = json!(1);
    let mut wrong = initial("t-1");
    wrong["currency"] = json!("KRONA");
    let key = [("Klarna-Idempotency-Key", "k-1")];
    // Refused, and refused again for its key.
    for _ in 0..2 {
        assert_eq!(klarna.authorize(ALPHA, &key, &odd).await.status, 400);
    }
    assert_eq!(klarna.authorize(ALPHA, &[], &wrong).await.status, 400);
    let findings = klarna.control().findings(&ALPHA.into(), None).await.unwrap().findings;
    let of_bodies = findings.iter().filter(|finding| finding.rule.starts_with("authorize."));
    let found: Vec<_> = of_bodies.map(|finding| (finding.rule.as_str(), finding.severity)).collect();
    assert!(findings.iter().all(|finding| finding.rule != "retry.not-after-4xx"), "{findings:?}");
    let strictly = ("authorize.strictly-valid", Severity::Warns);
    assert_eq!(found, [strictly, strictly, ("authorize.valid", Severity::Fails)]);
}
