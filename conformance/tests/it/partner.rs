//! The Partner stand-in: what it hears, what it believes, and who is woken.

use std::time::Duration;

use klarna_conformance::adapter::{Adapter, AdapterSource, Outcome};
use klarna_conformance::partner::{Notification, PartnerStandIn, Verification};
use tokio::time::timeout;

use crate::adapter::foreign;

/// Long after who waits should have been woken.
const LONG: Duration = Duration::from_mins(1);
const WOKEN: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(50);

/// Both made by `printf '%s' BODY | openssl dgst -sha256 -hmac KEY`, with the keys of the two Partners
/// of tests/foreign/adapter.yaml.
const BODY: &str = r#"{"notificationItems":[{"pspReference":"psp_1","success":"true"}]}"#;
const NORTH: &str = "sha256=9b6d8f26f6ae8033bcdcf9a831d1db8fd2ecddec4a64ba234baef747c41b3695";
const SOUTH: &str = "sha256=66212992c21b1af488da3376d11d36d3ebb83422f0edf48a5f08169214394ee0";

async fn stand_in() -> (PartnerStandIn, reqwest::Client) {
    klarna_simulator::install_crypto_provider();
    let adapter = Adapter::load(&AdapterSource::File(foreign())).unwrap();
    let stand_in = PartnerStandIn::start("127.0.0.1:0".parse().unwrap(), &adapter).await.unwrap();
    (stand_in, reqwest::Client::builder().no_proxy().build().unwrap())
}

async fn post(http: &reqwest::Client, url: url::Url, signature: &str, body: &'static str) -> (u16, String) {
    let response = http.post(url).header("X-Signature", signature).body(body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn any(_: &Notification) -> bool {
    true
}

#[tokio::test]
async fn a_signed_notification_is_read_and_wakes_who_waits() {
    let (stand_in, http) = stand_in().await;
    let waiting = {
        let stand_in = stand_in.clone();
        tokio::spawn(async move { stand_in.await_notification("psp_1", any, LONG).await })
    };
    let url = stand_in.notification_url("north");
    assert_eq!(url.path(), "/notifications/north");
    assert_eq!(post(&http, url, NORTH, BODY).await, (200, "[accepted]".to_owned()));
    let heard = timeout(WOKEN, waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(heard.verified, Verification::Good);
    assert_eq!(heard.outcome, Some(Outcome::Approved));
    assert_eq!((heard.partner.as_deref(), heard.body.as_slice()), (Some("north"), BODY.as_bytes()));
    assert_eq!(heard.seq, 1);
    assert!(stand_in.strays().is_empty());
    // Who asks later finds it too.
    assert!(stand_in.await_notification("psp_1", any, SHORT).await.is_ok());
}

#[tokio::test]
async fn what_is_not_wanted_is_told_instead() {
    let (stand_in, http) = stand_in().await;
    post(&http, stand_in.notification_url("north"), NORTH, BODY).await;
    let declined = |one: &Notification| one.outcome == Some(Outcome::Declined);
    let instead = stand_in.await_notification("psp_1", declined, SHORT).await.unwrap_err();
    assert_eq!(instead.len(), 1);
    assert_eq!(stand_in.await_notification("psp_2", any, SHORT).await.unwrap_err().len(), 0);
}

#[tokio::test]
async fn the_ear_of_all_finds_the_partner_by_the_signature() {
    let (stand_in, http) = stand_in().await;
    let url = stand_in.base_url().join("notifications").unwrap();
    assert_eq!(post(&http, url.clone(), SOUTH, BODY).await.0, 200);
    let heard = stand_in.notifications("psp_1");
    assert_eq!((heard[0].partner.as_deref(), &heard[0].verified), (Some("south"), &Verification::Good));
    let (status, text) = post(&http, url, "sha256=00", BODY).await;
    assert_eq!(status, 401);
    assert!(text.contains("does not fit the body"), "{text}");
}

#[tokio::test]
async fn a_bad_signature_is_refused_and_kept() {
    let (stand_in, http) = stand_in().await;
    let north = || stand_in.notification_url("north");
    assert_eq!(post(&http, north(), SOUTH, BODY).await.0, 401);
    assert_eq!(
        post(&http, north(), NORTH, r#"{"notificationItems":[{"pspReference":"psp_1"}]}"#).await.0,
        401
    );
    let heard = stand_in.notifications("psp_1");
    let Verification::Bad(reason) = &heard[0].verified else { panic!("{heard:?}") };
    assert_eq!(reason, "it is signed with the secret of Partner south");
    assert!(matches!(heard[1].verified, Verification::Bad(_)), "an altered body");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_stray() {
    let (stand_in, http) = stand_in().await;
    // Signed soundly with `openssl dgst -sha256 -hmac north-test-hmac-key`, and of no use.
    assert_eq!(
        post(
            &http,
            stand_in.notification_url("north"),
            "sha256=00f98539f1a71a7e975ef4e660eb701275cdd4143d759c4f96d88c590058429c",
            "{}"
        )
        .await
        .0,
        400
    );
    assert_eq!(post(&http, stand_in.notification_url("nobody"), NORTH, BODY).await.0, 404);
    let strays = stand_in.strays();
    let reasons: Vec<&str> = strays.iter().filter_map(|stray| stray.unreadable.as_deref()).collect();
    assert_eq!(
        reasons,
        ["notifications.read.payment_id finds nothing in the body", "no Partner is called nobody"]
    );
}

#[tokio::test]
async fn a_customer_who_comes_back_is_noted_and_sees_a_page() {
    let (stand_in, http) = stand_in().await;
    assert!(stand_in.await_return("m 1", SHORT).await.is_none());
    let mut url = stand_in.return_url("m 1");
    url.set_query(Some("payment_id=p%2F1&status=pending&x=<b>"));
    let waiting = {
        let stand_in = stand_in.clone();
        tokio::spawn(async move { stand_in.await_return("m 1", LONG).await })
    };
    let page = http.get(url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<dd>p/1</dd>") && page.contains("&lt;b&gt;"), "{page}");
    let visit = timeout(WOKEN, waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(visit.query[0], ("payment_id".to_owned(), "p/1".to_owned()));
    assert_eq!(visit.url.path(), "/shop/return/m%201");
    assert_eq!(stand_in.returns("m 1").len(), 1);
}

#[tokio::test]
async fn a_taken_port_is_told_and_the_listener_ends_with_the_last_clone() {
    let (stand_in, _http) = stand_in().await;
    let adapter = Adapter::load(&AdapterSource::File(foreign())).unwrap();
    let address = *stand_in.base_url().socket_addrs(|| None).unwrap().first().unwrap();
    let error = PartnerStandIn::start(address, &adapter).await.unwrap_err();
    assert!(error.to_string().contains("listen.partner"), "{error}");
    drop(stand_in);
    let freed = async {
        while PartnerStandIn::start(address, &adapter).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, freed).await.unwrap();
}
