//! The Purchase Journey as a browser and as a program see it.

use serde_json::{Value, json};

use crate::klarna::{ALPHA, Klarna, initial};

async fn page(klarna: &Klarna, url: &str) -> String {
    let response = klarna.http.get(url).header("accept", "text/html").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    response.text().await.unwrap()
}

#[tokio::test]
async fn the_customer_sees_merchant_lines_and_amount_without_a_script() {
    let klarna = Klarna::start().await;
    let mut body = initial("t-1");
    body["supplementary_purchase_data"]["line_items"][0]["name"] = json!("<b>Shoe & \"more\"</b>");
    let answer = klarna.authorize(ALPHA, &[], &body).await;
    let page = page(&klarna, &answer.journey()).await;
    for shown in ["ALPHA001", "ORDER-1", "459.00 SEK", "1 × &lt;b&gt;Shoe &amp;"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    for act in ["approve", "refuse", "leave"] {
        assert!(page.contains(&format!("value=\"{act}\"")), "{act}");
    }
    assert!(!page.contains("<script"), "{page}");
}

#[tokio::test]
async fn each_button_leads_back_with_the_placeholders_replaced() {
    for (act, state) in [("approve", "COMPLETED"), ("refuse", "DECLINED"), ("leave", "SUBMITTED")] {
        let klarna = Klarna::start().await;
        let mut body = initial("t-1");
        body["step_up_config"]["customer_interaction_config"]["return_url"] = json!(
            "https://a.example/r?id={klarna.payment_request.id}&s={klarna.payment_request.state}&r={klarna.payment_request.payment_request_reference}&x={unknown}"
        );
        let answer = klarna.authorize(ALPHA, &[], &body).await;
        page(&klarna, &answer.journey()).await;
        let response = klarna.http.post(answer.journey()).form(&[("act", act)]).send().await.unwrap();
        assert_eq!(response.status(), 303);
        let location = response.headers()["location"].to_str().unwrap();
        let id = answer.request_id();
        assert_eq!(location, format!("https://a.example/r?id={id}&s={state}&r=pr-t-1&x={{unknown}}"));
    }
}

#[tokio::test]
async fn a_program_does_the_same_with_json_on_the_same_url() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let opened = klarna.send(klarna.http.get(answer.journey()).header("accept", "application/json")).await;
    assert_eq!(opened.body, json!({"state": "IN_PROGRESS", "redirect_to": null}));
    let done = klarna.send(klarna.http.post(answer.journey()).json(&json!({"act": "approve"}))).await;
    assert_eq!(done.body, json!({"state": "COMPLETED", "redirect_to": "https://acquirer.example/back"}));
    let operations: Vec<_> =
        klarna.journal("journey.*").await.entries.into_iter().map(|entry| entry.operation).collect();
    assert_eq!(operations, ["journey.open", "journey.approve"]);
}

#[tokio::test]
async fn what_is_over_stays_over() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let post = |act: &str| klarna.send(klarna.http.post(answer.journey()).json(&json!({"act": act})));
    assert_eq!(post("refuse").await.body["state"], "DECLINED");
    assert_eq!(post("approve").await.refusal(), (409, "RESOURCE_CONFLICT", ""));
    assert!(page(&klarna, &answer.journey()).await.contains("This purchase was refused."));
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id())).await;
    assert_eq!(read.body["state"], "DECLINED");
}

#[tokio::test]
async fn nonsense_is_refused_and_changes_nothing() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let url = answer.journey();
    let post = |body: &'static str, kind: &'static str| {
        klarna.send(klarna.http.post(&url).header("content-type", kind).body(body))
    };
    assert_eq!(
        post("act=steal", "application/x-www-form-urlencoded").await.refusal(),
        (400, "VALIDATION_ERROR", "act")
    );
    assert_eq!(
        post("", "application/x-www-form-urlencoded").await.refusal(),
        (400, "VALIDATION_ERROR", "act")
    );
    assert_eq!(post("{}", "application/json").await.refusal(), (400, "VALIDATION_ERROR", "act"));
    assert_eq!(post("{", "application/json").await.refusal(), (400, "INVALID_CONTENT_TYPE", ""));
    let unknown = klarna.url("/eu/requests/00000000-0000-4000-8000-000000000000/start");
    assert_eq!(klarna.send(klarna.http.get(unknown)).await.refusal(), (404, "RESOURCE_NOT_FOUND", ""));
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id())).await;
    assert_eq!(read.body["state"], Value::from("SUBMITTED"));
}

#[tokio::test]
async fn a_link_checker_is_no_customer() {
    let klarna = Klarna::start().await;
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!(klarna.http.head(answer.journey()).send().await.unwrap().status(), 200);
    let read = klarna.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id())).await;
    assert_eq!(read.body["state"], "SUBMITTED");
}
