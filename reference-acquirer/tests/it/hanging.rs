//! A Klarna that does not answer at all.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{ALPHA, Acquirer, Reply, Setup, client, order};

/// Creates are answered at once, the Partner API serves, and as soon as Klarna answers again every
/// payment reaches its end.
#[tokio::test]
async fn it_takes_the_partner_api_not_with_it_and_nothing_is_lost() {
    let setup = Setup::new().await;
    setup.klarna.will((0..3).map(|_| Reply::Held(json!({}))));
    let acquirer = setup
        .start_with(|settings| {
            settings.klarna.timeout = Duration::from_millis(50);
            settings.klarna.breaker.failures = 3;
            settings.klarna.breaker.open = Duration::from_secs(2);
            settings.klarna.retry.attempts = 100;
            // Whoever waited for the decision would wait for long.
            settings.create.answer = Duration::from_hours(1);
        })
        .await;
    // The first waits for its decision; its calls are those that have no answer.
    let ordered = order("tx-1");
    let first = acquirer.create(ALPHA, &ordered);
    let others = async {
        while health(&acquirer).await["klarna"] != "not_answering" {}
        setup.klarna.will((0..6).map(|_| Reply::approved()));
        for number in 2..=6 {
            let (status, payment) = acquirer.create(ALPHA, &order(&format!("tx-{number}"))).await;
            assert_eq!((status, &payment["status"]), (StatusCode::ACCEPTED, &json!("pending")));
        }
        assert_eq!(setup.klarna.authorizes().len(), 3, "no call is made meanwhile");
    };
    let ((status, _), ()) = tokio::join!(first, others);
    assert_eq!(status, StatusCode::CREATED);
    for _ in 0..6 {
        assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    }
    assert_eq!(health(&acquirer).await["klarna"], "ok");
    acquirer.stop().await;
}

async fn health(acquirer: &Acquirer) -> Value {
    client().get(format!("{}/healthz", acquirer.base_url)).send().await.unwrap().json().await.unwrap()
}
