//! Notifications to Partners.

use std::time::Duration;

use crate::support::{ALPHA, BETA, Hears, KEY, Reply, Setup, order, secret_of, signature_by, verify};

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

/// During a rotation both secrets are good: the signatures stand side by side.
#[tokio::test]
async fn while_secrets_rotate_both_verify() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    let (old, new) = (secret_of(KEY), secret_of(b"alpha's next secret"));
    let acquirer = setup
        .start_with(|settings| {
            settings.partners[0].notification_secret = Some(format!("{new},{old}").into());
        })
        .await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    let told = setup.partner.await_notifications(1).await;
    let signatures: Vec<_> = told[0].header("webhook-signature").unwrap().split(' ').collect();
    assert_eq!(signatures, [signature_by(b"alpha's next secret", &told[0]), signature_by(KEY, &told[0])]);
    acquirer.stop().await;
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

/// Slow, redirecting, failing, then there: told on schedule, under one id. A redirect is not
/// followed, as that would tell a stranger.
#[tokio::test]
async fn a_partner_in_trouble_is_told_in_the_end() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    setup.partner.will([Hears::Hangs, Hears::Redirects, Hears::Answers(500), Hears::Answers(204)]);
    let acquirer =
        setup.start_with(|settings| settings.notifications.timeout = Duration::from_millis(50)).await;
    let (_, payment) = acquirer.create(ALPHA, &order("tx-1")).await;
    assert_eq!(payment["status"], "approved", "the Partner's trouble is not Klarna's");
    let told = setup.partner.await_notifications(4).await;
    acquirer.stop().await;
    assert_eq!(setup.partner.heard.matching(|_| true).len(), 4);
    for attempt in &told {
        verify(attempt);
        assert_eq!(attempt.path, "/ears");
        assert_eq!(attempt.header("webhook-id"), told[0].header("webhook-id"));
    }
}

/// A Partner that is down keeps no other one, and no other payment, waiting.
#[tokio::test]
async fn a_partner_that_is_down_keeps_nobody_waiting() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved(), Reply::approved()]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}/ears", nobody.local_addr().unwrap());
    drop(nobody);
    let acquirer = setup
        .start_with(|settings| {
            let secret = settings.partners[0].notification_secret.clone();
            settings.partners[1].notification_url = Some(gone.parse().unwrap());
            settings.partners[1].notification_secret = secret;
        })
        .await;
    let (_, payment) = acquirer.create(BETA, &order("tx-1")).await;
    acquirer.create(ALPHA, &order("tx-2")).await;
    assert_eq!(setup.partner.await_verified().await["data"]["reference"], "tx-2");
    let (_, read) = acquirer.read(BETA, payment["payment_id"].as_str().unwrap()).await;
    assert_eq!(read["status"], "approved");
    acquirer.stop().await;
}

/// All places for notifications are taken by a Partner that never answers: a payment is finalised
/// all the same.
#[tokio::test]
async fn a_partner_that_hangs_holds_up_no_payment() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::declined(), Reply::step_up(), Reply::approved()]);
    setup.partner.will([Hears::Hangs]);
    let acquirer = setup
        .start_with(|settings| {
            settings.outbox.concurrency = 1;
            settings.outbox.lease = Duration::from_mins(5);
            settings.notifications.timeout = Duration::from_secs(200);
        })
        .await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    setup.partner.await_notifications(1).await;
    acquirer.create(ALPHA, &order("tx-2")).await;
    setup.klarna.send_event("e-1", "COMPLETED", &setup.klarna.authorizes()[1]).await;
    setup.klarna.await_authorizes(3).await;
    acquirer.stop().await;
}
