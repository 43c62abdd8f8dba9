//! What a scenario leaves open is ended before the next one begins.

use axum::http::StatusCode;
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::JournalQuery;
use klarna_simulator::Simulator;

use crate::suite::run;

const OPEN: &str = "@AP-13\nFeature: Open\n\n  Scenario: A step-up is left open\n    \
    Given Klarna will require a step-up\n    When the Partner creates the payment\n    \
    Then the acquirer authorizes the payment with Klarna, initially\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_open_payment_is_canceled_and_its_event_delivered() {
    let simulator = Simulator::builder().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let feature = folder.path().join("open.feature");
    std::fs::write(&feature, OPEN).unwrap();
    let (url, feature) = (simulator.base_url().to_string(), feature.display().to_string());
    let ran = tokio::task::spawn_blocking(move || run(&["--simulator", &url, &feature, "--jobs", "1"]));
    let ran = ran.await.unwrap();
    ran.must_exit(0);
    let done = &ran.events("scenario-finished")[0];
    assert_eq!(done.get("remarks"), None, "the teardown had trouble: {done}");

    let account = PartnerAccountId(done["account"].as_str().unwrap().to_owned());
    let canceled = JournalQuery {
        operation: Some("event:payment.request.state-change.canceled".to_owned()),
        ..JournalQuery::default()
    };
    let events = simulator.control().journal(&account, &canceled).await.unwrap().entries;
    assert_eq!(events.len(), 1, "{events:?}");
    // The run ended, and the acquirer with it, only after it had taken the event.
    let status = events[0].response.as_ref().map(|response| response.status);
    assert!(matches!(status, Some(200..=204)), "{events:?}");
}

/// A simulator that ends nothing is told of, and changes no verdict.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_the_teardown_is_said_and_no_verdict() {
    let simulator = Simulator::builder().start().await.unwrap();
    let forward = simulator.base_url().clone();
    let older = axum::Router::new().fallback(move |request: axum::extract::Request| older(forward, request));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, older).await });
    let folder = tempfile::tempdir().unwrap();
    let feature = folder.path().join("open.feature");
    std::fs::write(&feature, OPEN).unwrap();
    let feature = feature.display().to_string();
    let ran = tokio::task::spawn_blocking(move || run(&["--simulator", &url, &feature, "--jobs", "1"]));
    let ran = ran.await.unwrap();
    serving.abort();
    ran.must_exit(0);
    ran.must_say("teardown: faults could not be lifted: the simulator refused DELETE")
        .must_say("could not be canceled: the simulator refused POST");
    assert_eq!(ran.ended("passed").len(), 1);
}

/// The simulator as it was before it could end anything.
async fn older(to: url::Url, request: axum::extract::Request) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    let path = request.uri().path_and_query().unwrap().to_string();
    if path.ends_with("/faults") || path.ends_with("/payment-requests") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let target = format!("{}{path}", to.as_str().trim_end_matches('/'));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut call = client.request(parts.method, target).body(body);
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host") {
        call = call.header(name, value);
    }
    let answer = call.send().await.unwrap();
    (answer.status(), answer.bytes().await.unwrap()).into_response()
}
