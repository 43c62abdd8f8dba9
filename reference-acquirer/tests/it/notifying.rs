//! Notifications to Partners.

use crate::support::{ALPHA, BETA, Reply, Setup, order, verify};

#[tokio::test]
async fn a_partner_that_fails_is_told_again_under_the_same_id() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    setup.partner.will_answer([500, 302, 204]);
    let acquirer = setup.start().await;

    acquirer.create(ALPHA, &order("tx-1")).await;

    let told = setup.partner.await_notifications(3).await;
    for attempt in &told {
        verify(attempt);
        assert_eq!(attempt.header("webhook-id"), told[0].header("webhook-id"));
        assert_eq!(attempt.body, told[0].body);
    }
    acquirer.stop().await;
    assert_eq!(setup.partner.heard.matching(|_| true).len(), 3);
}

#[tokio::test]
async fn attempts_are_bounded() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved(), Reply::declined()]);
    setup.partner.will_answer([500; 4]);
    let acquirer = setup.start().await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    setup.partner.await_notifications(4).await;
    // The next payment's notification is the fence.
    acquirer.create(ALPHA, &order("tx-2")).await;
    let told = setup.partner.await_notifications(5).await;
    assert_eq!(told[4].json()["data"]["reference"], "tx-2");
    acquirer.stop().await;
    assert_eq!(setup.partner.heard.matching(|_| true).len(), 5);
}

#[tokio::test]
async fn a_partner_without_ears_is_not_told() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved(), Reply::approved()]);
    let acquirer = setup.start().await;
    acquirer.create(BETA, &order("tx-1")).await;
    acquirer.create(ALPHA, &order("tx-2")).await;
    assert_eq!(setup.partner.await_verified().await["data"]["reference"], "tx-2");
    acquirer.stop().await;
    assert_eq!(setup.partner.heard.matching(|_| true).len(), 1);
}
