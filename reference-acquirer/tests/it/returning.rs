//! The customer's way back.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use crate::support::{ALPHA, Acquirer, Exchange, Reply, Setup, client, order};

async fn stepped_up(setup: &Setup, acquirer: &Acquirer) -> (String, Exchange, String) {
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    let initial = setup.klarna.authorizes().remove(0);
    let config = initial.json()["step_up_config"]["customer_interaction_config"].clone();
    (
        payment["payment_id"].as_str().unwrap().to_owned(),
        initial,
        config["return_url"].as_str().unwrap().to_owned(),
    )
}

async fn follow(return_url: &str) -> (StatusCode, String) {
    let response = client().get(return_url).send().await.unwrap();
    let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    (response.status(), location.unwrap_or_default())
}

#[tokio::test]
async fn it_waits_for_the_outcome_and_sends_the_customer_on() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::approved()]);
    let acquirer = setup.start().await;
    let (id, initial, return_url) = stepped_up(&setup, &acquirer).await;

    let back_first = async {
        // The customer is back before the webhook.
        setup.klarna.send_event("e-1", "COMPLETED", &initial).await
    };
    let ((status, location), _) = tokio::join!(follow(&return_url), back_first);

    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(location, format!("https://shop.test/back?order=1&payment_id={id}&status=approved"));
    acquirer.stop().await;
}

/// Returning proves nothing and changes nothing.
#[tokio::test]
async fn the_return_is_no_proof() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    let acquirer = setup.start_with(|settings| settings.r#return.wait = Duration::from_millis(20)).await;
    let (id, _, return_url) = stepped_up(&setup, &acquirer).await;

    let (status, location) = follow(&format!("{return_url}?state=COMPLETED&token=x")).await;

    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(location, format!("https://shop.test/back?order=1&payment_id={id}&status=step_up_required"));
    assert_eq!(acquirer.read(ALPHA, &id).await.1["status"], "step_up_required");
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), 1);
}

#[tokio::test]
async fn the_wait_is_bounded_while_the_final_call_hangs() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::Held(json!({}))]);
    let acquirer = setup
        .start_with(|settings| {
            settings.r#return.wait = Duration::from_millis(20);
            settings.http.stop = Duration::from_millis(20);
        })
        .await;
    let (id, initial, return_url) = stepped_up(&setup, &acquirer).await;
    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;
    setup.klarna.await_authorizes(2).await;

    let (_, location) = follow(&return_url).await;

    assert_eq!(location, format!("https://shop.test/back?order=1&payment_id={id}&status=pending"));
    acquirer.stop().await;
}

#[tokio::test]
async fn nobody_returns_by_a_payment_id() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    let acquirer = setup.start().await;
    let (id, _, _) = stepped_up(&setup, &acquirer).await;
    let (status, _) = follow(&format!("{}/return/{id}", acquirer.base_url)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    acquirer.stop().await;
}
