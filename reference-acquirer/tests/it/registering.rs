//! The signing key and the webhook at Klarna.

use http::Method;
use serde_json::json;

use crate::support::{Setup, client};

fn creations(setup: &Setup) -> usize {
    setup.klarna.heard.matching(|call| call.method == Method::POST).len()
}

#[tokio::test]
async fn both_are_created_once_and_reused() {
    let setup = Setup::new().await;
    let at = |settings: &mut reference_acquirer::config::Settings| {
        settings.public_url = Some("https://acquirer.test".parse().unwrap());
    };
    setup.start_with(at).await.stop().await;
    assert_eq!(creations(&setup), 2);
    let webhook = setup.klarna.webhooks().remove(0);
    assert_eq!(webhook["url"], "https://acquirer.test/klarna/webhooks");
    assert_eq!(webhook["event_types"], json!(["payment.request.state-change.*"]));
    assert_eq!((&webhook["event_version"], &webhook["status"]), (&json!("v2"), &json!("ENABLED")));
    assert_eq!(webhook["signing_key_id"], setup.klarna.key_id());

    setup.start_with(at).await.stop().await;
    assert_eq!(creations(&setup), 2, "the second run made something anew");
}

#[tokio::test]
async fn a_webhook_that_leads_elsewhere_is_replaced() {
    let setup = Setup::new().await;
    for url in ["https://old.test", "https://new.test"] {
        let acquirer = setup.start_with(|settings| settings.public_url = Some(url.parse().unwrap())).await;
        acquirer.stop().await;
    }
    let webhooks = setup.klarna.webhooks();
    assert_eq!(webhooks.len(), 1);
    assert_eq!(webhooks[0]["url"], "https://new.test/klarna/webhooks");
    assert_eq!(creations(&setup), 3, "the signing key is kept");
}

#[tokio::test]
async fn a_klarna_that_is_down_at_start_is_waited_for() {
    let setup = Setup::new().await;
    setup.klarna.notification_api_down(true);
    let acquirer = setup.start().await;
    let health = async || {
        let text = client().get(format!("{}/healthz", acquirer.base_url)).send().await.unwrap();
        text.json::<serde_json::Value>().await.unwrap()
    };
    assert_eq!(health().await["webhook"], "failing");

    setup.klarna.notification_api_down(false);
    setup
        .klarna
        .heard
        .await_matching(1, |call| call.method == Method::POST && call.path.ends_with("/webhooks"))
        .await;
    setup.klarna.heard.await_matching(1, |_| !setup.klarna.webhooks().is_empty()).await;
    acquirer.stop().await;
    assert_eq!(setup.klarna.webhooks().len(), 1);
}
