//! A signing key and a webhook that somebody has made at Klarna by hand.

use klarna_schemas::simulator::control::JournalQuery;
use klarna_simulator::Simulator;
use reqwest::Method;
use serde_json::{Value, json};

use super::fleet::{Program, step_up_and_approve};

/// Where calls are noted that belong to no Partner.
const ACQUIRER: &str = "krn:partner:global:account:test:LOCALACQ";
const AUTHORIZATION: &str = "Basic klarna_test_api_local";

/// A call to Klarna, as a person makes it.
async fn klarna(simulator: &Simulator, method: Method, path: &str, body: Option<Value>) -> Value {
    let url = simulator.base_url().join(path).unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.request(method, url).header("authorization", AUTHORIZATION);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let (status, answer) = (answer.status(), answer.json().await.unwrap());
    assert!(status.is_success(), "{path}: {status} {answer}");
    answer
}

/// How many calls Klarna has seen that belong to no Partner: those about keys and webhooks do.
async fn calls(simulator: &Simulator) -> usize {
    let journal = simulator.control().account_journal(ACQUIRER, &JournalQuery::default()).await.unwrap();
    let count = journal.entries.len();
    assert!(count > 0, "the calls of this test are there");
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_by_hand_serves_and_nothing_else_is_registered() {
    klarna_simulator::install_crypto_provider();
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::builder().seed(7).start().await.unwrap();
    step_up_and_approve(&simulator).await;

    let key = klarna(&simulator, Method::POST, "v2/notification/signing-keys", Some(json!({}))).await;
    let tables = format!(
        "
        [[registration.signing_keys]]
        id = {id}
        secret = {secret}
        [reconcile]
        first_ms = 2700000
        ",
        id = key["signing_key_id"],
        secret = key["signing_key"],
    );
    let program = Program::start_in(folder.path(), "acquirer", &simulator, ["", &tables]).await;
    let webhook = json!({"url": format!("{}/klarna/webhooks", program.base_url.trim_end_matches('/')),
        "event_types": ["payment.request.state-change.*"], "event_version": "v2",
        "signing_key_id": key["signing_key_id"], "status": "ENABLED"});
    klarna(&simulator, Method::POST, "v2/notification/webhooks", Some(webhook)).await;

    let before = calls(&simulator).await;
    // Klarna is not asked how the step-up stands: it is the webhook that leads to the final call.
    let sold = program.sells(1).await;
    assert_eq!(sold["status"], "approved", "{sold}");
    assert_eq!(program.registration().await["webhook"], "by_hand");
    // Of the acquirer itself Klarna has seen no call but those of the payment.
    assert_eq!(calls(&simulator).await, before);
    for (path, list) in [("signing-keys", "signing_keys"), ("webhooks", "webhooks")] {
        let there = klarna(&simulator, Method::GET, &format!("v2/notification/{path}"), None).await;
        assert_eq!(there[list].as_array().unwrap().len(), 1, "{there}");
    }
}
