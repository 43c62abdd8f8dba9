//! The signing key and the webhook at Klarna: there, once each, whatever happens.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use klarna_schemas::signature;
use reference_acquirer::config::{RegisteredKey, Settings};
use reference_acquirer::klarna::client::KlarnaClient;
use reference_acquirer::klarna::subscribe::{Subscriber, Subscription};
use reference_acquirer::store;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::support::{
    ALPHA, Acquirer, Exchange, Reply, SIGNING_KEY, Setup, client, event_body, order, sealer, step_up_body,
};

fn is_creation(call: &Exchange) -> bool {
    call.method == Method::POST && call.path.starts_with("/v2/notification/")
}

fn creations(setup: &Setup) -> usize {
    setup.klarna.heard.matching(is_creation).len()
}

/// How many keys and webhooks Klarna has.
fn counts(setup: &Setup) -> (usize, usize) {
    let registered = setup.klarna.registered();
    (registered.key_count(), registered.webhooks.len())
}

/// A look at the webhooks is a look's second half; it comes once a look.
fn is_look(call: &Exchange) -> bool {
    call.method == Method::GET && call.path == "/v2/notification/webhooks"
}

async fn health(acquirer: &Acquirer) -> Value {
    client().get(format!("{}/healthz", acquirer.base_url)).send().await.unwrap().json().await.unwrap()
}

/// What the acquirer says once it knows that it is registered: its webhook is there a moment before.
async fn well(acquirer: &Acquirer) -> Value {
    let registered = async {
        loop {
            let health = health(acquirer).await;
            if health["webhook"] == "registered" {
                break health;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), registered).await.unwrap()
}

/// A webhook whose key nobody knows, which is refused, and makes for a look.
async fn doubt(acquirer: &Acquirer) -> StatusCode {
    let request = client().post(format!("{}/klarna/webhooks", acquirer.base_url));
    let request = request.header("klarna-signature", "00").header("klarna-signing-key-id", "krn:unknown");
    request.body("{}").send().await.unwrap().status()
}

/// How a payment fares from webhook to notification, which shows that the registration is of use.
async fn assert_webhooks_work(setup: &Setup, acquirer: &Acquirer, reference: &str) {
    let registered = async {
        while setup.klarna.webhooks().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let registered = tokio::time::timeout(Duration::from_secs(10), registered).await;
    assert!(registered.is_ok(), "no webhook is registered");
    let before = setup.klarna.authorizes().len();
    setup.klarna.will([Reply::step_up(), Reply::approved()]);
    acquirer.create(ALPHA, &order(reference)).await;
    let initial = setup.klarna.authorizes().remove(before);
    let status = setup.klarna.send_event(&format!("e-{reference}"), "COMPLETED", &initial).await;
    assert_eq!(status, StatusCode::OK);
    let is_told = |told: &Exchange| told.json()["data"]["reference"] == reference;
    let told = setup.partner.heard.await_matching(1, is_told).await;
    assert_eq!(told[0].json()["data"]["status"], "approved");
}

#[tokio::test]
async fn both_are_created_once_and_reused() {
    let setup = Setup::new().await;
    let at = |settings: &mut Settings| {
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
    let sick = health(&acquirer).await;
    assert_eq!((&sick["status"], &sick["webhook"]), (&json!("ok"), &json!("failing")));
    assert_eq!(sick["missing"], json!(["signing key", "webhook"]));
    assert!(sick["reason"].as_str().unwrap().contains("503"), "{sick}");
    // Payments that need no step-up go on.
    setup.klarna.will([Reply::approved()]);
    let (_, payment) = acquirer.create(ALPHA, &order("tx-0")).await;
    assert_eq!(payment["status"], "approved");

    setup.klarna.notification_api_down(false);
    setup.klarna.heard.await_matching(2, is_creation).await;
    assert_webhooks_work(&setup, &acquirer, "tx-1").await;
    assert_eq!(well(&acquirer).await["missing"], json!([]));
    acquirer.stop().await;
    assert_eq!((counts(&setup), creations(&setup)), ((1, 1), 2));
}

/// Nothing is said to the acquirer: it notices by itself.
#[tokio::test]
async fn what_klarna_forgot_is_made_anew_by_and_by() {
    for (what, made) in [("signing keys", 2), ("webhooks", 1), ("both", 2)] {
        let setup = Setup::new().await;
        let acquirer =
            setup.start_with(|settings| settings.registration.check = Duration::from_millis(10)).await;
        {
            let mut registered = setup.klarna.registered();
            if what != "webhooks" {
                registered.forget_keys();
            }
            if what != "signing keys" {
                registered.forget_webhooks();
            }
        }
        setup.klarna.heard.await_matching(2 + made, is_creation).await;
        // Looks that follow find all in order.
        let looks = setup.klarna.heard.matching(is_look).len();
        setup.klarna.heard.await_matching(looks + 3, is_look).await;
        assert_eq!(creations(&setup), 2 + made, "{what}");
        assert_eq!(setup.klarna.webhooks().len(), 1, "{what}");
        assert_webhooks_work(&setup, &acquirer, "tx-1").await;
        acquirer.stop().await;
    }
}

/// Klarna signs with a key that is not known here: refused, and looked into at once. Many such
/// webhooks make for few looks, and nothing is made twice.
#[tokio::test]
async fn an_unknown_key_makes_for_a_look() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    {
        let mut registered = setup.klarna.registered();
        registered.forget_keys();
        registered.forget_webhooks();
    }
    let doubts = futures::future::join_all((0..20).map(|_| doubt(&acquirer))).await;
    assert!(doubts.iter().all(|status| *status == StatusCode::BAD_REQUEST), "{doubts:?}");
    setup.klarna.heard.await_matching(4, is_creation).await;

    let looks = setup.klarna.heard.matching(is_look).len();
    assert_eq!(doubt(&acquirer).await, StatusCode::BAD_REQUEST);
    setup.klarna.heard.await_matching(looks + 1, is_look).await;
    assert_webhooks_work(&setup, &acquirer, "tx-1").await;
    acquirer.stop().await;
    assert_eq!((creations(&setup), counts(&setup)), (4, (1, 1)));
}

/// Strangers cannot make the acquirer call Klarna as often as they please.
#[tokio::test]
async fn looks_on_doubt_keep_their_distance() {
    let setup = Setup::new().await;
    let acquirer =
        setup.start_with(|settings| settings.registration.check_gap = Duration::from_hours(1)).await;
    for _ in 0..20 {
        doubt(&acquirer).await;
    }
    assert_webhooks_work(&setup, &acquirer, "tx-1").await;
    acquirer.stop().await;
    assert_eq!(setup.klarna.heard.matching(is_look).len(), 1);
}

/// The creation happened and its answer was lost: the same creation is asked for again, with the
/// same idempotency key, instead of another.
#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_not_made_twice() {
    let setup = Setup::new().await;
    setup.klarna.registered().lost_answers = 2;
    let acquirer = setup.start().await;
    setup.klarna.heard.await_matching(3, is_creation).await;
    assert_webhooks_work(&setup, &acquirer, "tx-1").await;
    acquirer.stop().await;
    assert_eq!(counts(&setup), (1, 1));
    let keys: Vec<_> = setup.klarna.heard.matching(|call| is_creation(call) && call.path.ends_with("keys"));
    assert_eq!(keys.len(), 3);
    assert!(
        keys.iter().all(|call| {
            call.header("klarna-idempotency-key") == keys[0].header("klarna-idempotency-key")
        })
    );
}

/// A key stands for one action (AP-33).
#[tokio::test]
async fn each_creation_has_a_key_of_its_own() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    acquirer.stop().await;
    let creations = setup.klarna.heard.matching(is_creation);
    let keys: Vec<_> = creations.iter().map(|call| call.header("klarna-idempotency-key").unwrap()).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

/// A refusal is stored under its idempotency key too, so the next try has another.
#[tokio::test]
async fn a_creation_that_was_refused_is_tried_anew() {
    let setup = Setup::new().await;
    setup.klarna.registered().refused = 2;
    let acquirer = setup.start().await;
    setup.klarna.heard.await_matching(4, is_creation).await;
    assert_webhooks_work(&setup, &acquirer, "tx-1").await;
    acquirer.stop().await;
    assert_eq!(counts(&setup), (1, 1));
}

/// Replicas that share a store: whoever comes first makes it, the others find it.
#[tokio::test]
async fn many_at_once_make_one() {
    let setup = Setup::new().await;
    let settings = setup.settings();
    let store = store::open(&setup.database(), sealer()).await.unwrap();
    let stop = CancellationToken::new();
    let mut states = Vec::new();
    for _ in 0..6 {
        let (state, registered) = watch::channel(Subscription::Trying);
        states.push(registered);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let subscriber = Subscriber {
            klarna: KlarnaClient::new(&settings.klarna).unwrap(),
            store: Arc::clone(&store),
            webhook_url: "https://acquirer.test/klarna/webhooks".parse().unwrap(),
            settings: settings.registration.clone(),
            lease: settings.outbox.lease,
            doubt: Arc::new(Notify::new()),
            state,
        };
        tokio::spawn(subscriber.run(stop.clone()));
    }
    for state in &mut states {
        let registered = state.wait_for(|state| *state == Subscription::Registered);
        tokio::time::timeout(Duration::from_secs(20), registered).await.unwrap().unwrap();
    }
    stop.cancel();
    assert_eq!(counts(&setup), (1, 1));
    assert_eq!(creations(&setup), 2);
}

/// During a rotation old and new events come side by side, each signed by the key that it names.
#[tokio::test]
async fn several_keys_at_once() {
    let setup = Setup::new().await;
    let acquirer = setup.start_with(|settings| settings.registration.check = Duration::from_millis(10)).await;
    let old = setup.klarna.registered().key();
    assert_eq!(old.1, SIGNING_KEY);
    setup.klarna.registered().forget_keys();
    setup.klarna.heard.await_matching(4, is_creation).await;
    let new = setup.klarna.registered().key();
    assert_ne!(new, old);

    for (reference, (id, secret), (_, other)) in [("tx-1", &old, &new), ("tx-2", &new, &old)] {
        let request_id = format!("krn:payment:eu1:request:{reference}");
        let mut answer = step_up_body();
        answer["payment_request"]["payment_request_id"] = json!(request_id);
        setup.klarna.will([Reply::Json(200, answer)]);
        acquirer.create(ALPHA, &order(reference)).await;
        let is_ours = |call: &Exchange| {
            call.json()["request_payment_transaction"]["payment_transaction_reference"] == reference
        };
        let initial = setup.klarna.heard.matching(|call| call.is_authorize() && is_ours(call)).remove(0);
        let mut body = event_body(&format!("e-{reference}"), "CANCELED", &initial);
        body["payload"]["payment_request_id"] = json!(request_id);
        let body = body.to_string();
        let sign = |secret: &str| signature::sign(&SecretString::from(secret), body.as_bytes());
        // The other key's signature under this key's name is a forgery.
        let forged = setup.klarna.deliver(body.clone(), Some(&sign(other)), Some(id)).await;
        assert_eq!(forged, StatusCode::BAD_REQUEST, "{reference}");
        let sound = setup.klarna.deliver(body.clone(), Some(&sign(secret)), Some(id)).await;
        assert_eq!(sound, StatusCode::OK, "{reference}");
        let is_told = |told: &Exchange| told.json()["data"]["reference"] == reference;
        let told = setup.partner.heard.await_matching(1, is_told).await;
        assert_eq!(told[0].json()["data"]["status"], "canceled");
    }
    acquirer.stop().await;
}

/// A key that was made by hand is believed, and nothing is registered or looked at. What the settings say of it
/// wins over what was kept, or a slip of the hand could not be mended.
#[tokio::test]
async fn what_was_registered_by_hand_is_left_alone() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up(), Reply::approved()]);
    let acquirer = setup.start().await;
    well(&acquirer).await;
    acquirer.create(ALPHA, &order("tx-1")).await;
    acquirer.stop().await;
    let of_notifications = |call: &Exchange| call.path.starts_with("/v2/notification/");
    let calls = setup.klarna.heard.matching(of_notifications).len();
    let (id, secret) = setup.klarna.registered().key();
    for (secret, is_right) in [("a slip of the hand", false), (secret.as_str(), true)] {
        let acquirer = setup
            .start_with(|settings| {
                let key = RegisteredKey { id: id.as_str().into(), secret: secret.into() };
                settings.registration.signing_keys = vec![key];
                settings.registration.check = Duration::from_millis(1);
            })
            .await;
        let health = health(&acquirer).await;
        assert_eq!((&health["webhook"], &health["missing"]), (&"by_hand".into(), &json!([])));
        assert!(doubt(&acquirer).await.is_client_error());
        // The webhook is made by hand too, once it is known where to.
        let url = format!("{}/klarna/webhooks", acquirer.base_url);
        setup.klarna.registered().webhooks[0]["url"] = url.into();
        let status = setup.klarna.send_event("e-1", "COMPLETED", &setup.klarna.authorizes()[0]).await;
        assert_eq!(status.is_success(), is_right, "{status}");
        if is_right {
            setup.klarna.await_authorizes(2).await;
        }
        acquirer.stop().await;
    }
    assert_eq!(setup.klarna.heard.matching(of_notifications).len(), calls, "the notification API was called");
}
