//! Webhooks that never come: Klarna is asked.

use std::time::Duration;

use reference_acquirer::config::Settings;
use serde_json::{Value, json};

use crate::support::{ALPHA, REQUEST_ID, Reply, Setup, TOKEN, order};

fn at_once(settings: &mut Settings) {
    settings.reconcile.first = Duration::from_millis(1);
    settings.reconcile.every = Duration::from_millis(1);
}

fn request(state: &str, token: Option<&str>) -> Reply {
    let context = token.map(|token| json!({"klarna_network_session_token": token}));
    Reply::Json(200, json!({"payment_request_id": REQUEST_ID, "state": state, "state_context": context}))
}

async fn told(setup: &Setup) -> Value {
    setup.partner.await_verified().await["data"]["status"].clone()
}

/// The customer has approved after a while, and no event has told so.
#[tokio::test]
async fn an_approval_that_no_webhook_told_is_found_and_finalised() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::approved()]);
    setup.klarna.will_be_read([
        request("SUBMITTED", None),
        Reply::error(500, "INTERNAL_ERROR"),
        request("IN_PROGRESS", None),
        request("COMPLETED", Some(TOKEN)),
    ]);
    let acquirer = setup.start_with(at_once).await;
    acquirer.create(ALPHA, &order("tx-1")).await;

    assert_eq!(told(&setup).await, "approved");
    let calls = setup.klarna.authorizes();
    assert_eq!(calls.len(), 2, "one final call");
    assert_eq!(calls[1].header("klarna-network-session-token"), Some(TOKEN));
    acquirer.stop().await;
}

#[tokio::test]
async fn an_end_that_no_webhook_told_is_found_and_told() {
    for (state, status) in [("DECLINED", "declined"), ("CANCELED", "canceled"), ("EXPIRED", "expired")] {
        let setup = Setup::new().await;
        setup.klarna.will([Reply::step_up()]);
        setup.klarna.will_be_read([request("SUBMITTED", None), request(state, None)]);
        let acquirer = setup.start_with(at_once).await;
        acquirer.create(ALPHA, &order("tx-1")).await;
        assert_eq!(told(&setup).await, status);
        acquirer.stop().await;
        assert_eq!(setup.klarna.authorizes().len(), 1, "{state}");
    }
}

/// The webhook comes while Klarna is being asked: there is one final call all the same.
#[tokio::test]
async fn a_webhook_that_comes_after_all_makes_no_second_final_call() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::approved()]);
    setup.klarna.will_be_read([request("COMPLETED", Some(TOKEN))]);
    let acquirer = setup.start_with(at_once).await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    setup.klarna.send_event("e-1", "COMPLETED", &setup.klarna.authorizes()[0]).await;
    assert_eq!(told(&setup).await, "approved");
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), 2);
}

/// Klarna never says anything: no payment stays without an end.
#[tokio::test]
async fn what_klarna_says_nothing_of_has_expired_in_the_end() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    setup.klarna.will_be_read((0..100).map(|_| Reply::error(404, "RESOURCE_NOT_FOUND")));
    let acquirer = setup
        .start_with(|settings| {
            at_once(settings);
            settings.reconcile.longest_life = Duration::from_millis(20);
        })
        .await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    assert_eq!(told(&setup).await, "expired");
    acquirer.stop().await;
}

/// A token whose time is up by the time of the final call: a failure, which the Partner is told.
#[tokio::test]
async fn a_token_that_has_died_is_a_failure_that_the_partner_is_told() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::error(404, "RESOURCE_NOT_FOUND")]);
    setup.klarna.will_be_read([request("COMPLETED", Some(TOKEN))]);
    let acquirer = setup.start_with(at_once).await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    assert_eq!(told(&setup).await, "failed");
    acquirer.stop().await;
    assert_eq!(setup.klarna.authorizes().len(), 2, "it is not asked again");
}
