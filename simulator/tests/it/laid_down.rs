//! Acquirer accounts laid down in the settings, as acquirers have who register by hand.

use jiff::SignedDuration;
use klarna_schemas::klarna::webhook::EVENT_TYPES;
use klarna_schemas::signature;
use klarna_schemas::simulator::control::SetClock;
use klarna_simulator::Simulator;
use klarna_simulator::config::Settings;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Klarna, initial};
use crate::sink::Sink;

/// Settings whose one account has registered what `rest` says.
fn settings(rest: &str) -> Settings {
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[[acquirers]]\napi_key = \"klarna_test_api_local\"\n\
         account = \"{BY_HAND}\"\n{rest}"
    );
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Settings::load(Some(file.path())).unwrap()
}

const BY_HAND: &str = "krn:partner:global:account:test:BYHAND01";
const KEY: &str = "[[acquirers.signing_keys]]\nid = \"krn:key:1\"\nsecret = \"not so secret\"\n";

fn webhook(url: &str, more: &str) -> String {
    format!("[[acquirers.webhooks]]\nurl = \"{url}\"\nsigning_key_id = \"krn:key:1\"\n{more}\n")
}

/// One more account.
fn account(id: &str, api_key: &str, more: &str) -> String {
    format!("[[acquirers]]\napi_key = \"{api_key}\"\naccount = \"{id}\"\n{more}")
}

async fn refused(rest: &str) -> String {
    let builder = Simulator::builder().settings(settings(rest));
    builder.start().await.map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn a_webhook_that_was_registered_by_hand_is_served_and_signed() {
    let mut sink = Sink::start().await;
    let disabled = webhook(&sink.url, "event_types = [\"payment.*\"]\nstatus = \"DISABLED\"");
    let rest = format!("{KEY}{}{disabled}", webhook(&sink.url, ""));
    let klarna = Klarna::of(Simulator::builder().settings(settings(&rest))).await;
    let listed = klarna.get("/v2/notification/webhooks").await;
    assert_eq!(listed.body["webhooks"].as_array().unwrap().len(), 2);
    let read = klarna.get("/v2/notification/signing-keys/krn:key:1").await;
    assert_eq!((read.status, read.body.get("signing_key")), (200, None::<&Value>));

    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let received = sink.next().await;
    assert_eq!(received.headers["klarna-signing-key-id"], "krn:key:1");
    let written = received.headers["klarna-signature"].to_str().unwrap();
    assert!(signature::verify(&"not so secret".into(), &received.body, written));
    let recipient = &received.json()["metadata"]["recipient_account_id"];
    assert_eq!(recipient, "krn:partner:global:account:test:BYHAND01");
    // The disabled one would have been served beside it: the clock waits for what is under way.
    klarna.control().set_clock(&ALPHA.into(), &SetClock::Advance(SignedDuration::ZERO)).await.unwrap();
    assert_eq!(klarna.journal("event:*").await.entries.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_laid_down_is_told_with_its_place() {
    let good = "http://127.0.0.1:1/x";
    let cases = [
        (webhook(good, ""), "webhooks[0].signing_key_id: there is no signing key krn:key:1"),
        (format!("{KEY}{}", webhook("http://acquirer/x", "")), "webhooks[0].url: must be https"),
        (
            format!("{KEY}{KEY}"),
            "acquirers[0].signing_keys[1].id: krn:key:1 stands at acquirers[0].signing_keys[0].id too",
        ),
        (KEY.replace("not so secret", ""), "signing_keys[0].secret: is empty"),
        (KEY.replace("krn:key:1", " "), "signing_keys[0].id: is empty"),
        (webhook(good, "status = \"ENABLD\""), "webhooks[0].status: Klarna has no status \"ENABLD\""),
        (webhook(good, "event_types = []"), "webhooks[0].event_types: names none"),
        (
            webhook(good, "event_types = [\"payment.*\", \"payment.request.state-changed.*\"]"),
            "webhooks[0].event_types[1]: Klarna has no event \"payment.request.state-changed.*\"",
        ),
        (
            account("krn:b", "klarna_test_api_local", ""),
            "acquirers[1].api_key: acquirers[0].api_key is the same",
        ),
        (account("krn:b", "", ""), "acquirers[1].api_key: is empty"),
        (account("", "another", ""), "acquirers[1].account: is empty"),
        (account(BY_HAND, "another", ""), "acquirers[1].account: acquirers[0].account is the same"),
        (
            format!("{KEY}{}", account("krn:b", "another", KEY)),
            "acquirers[1].signing_keys[0].id: krn:key:1 stands at acquirers[0].signing_keys[0].id too",
        ),
        (format!("{KEY}{0}{0}", webhook(good, "")), "webhooks[1].url: another webhook"),
    ];
    for (rest, expected) in cases {
        let said = refused(&rest).await;
        assert!(said.contains(expected) && said.contains("hint"), "{said}");
        assert!(said.contains("acquirer account \"krn:") || expected.contains("account: is empty"), "{said}");
        // The file.
        assert!(said.contains(".toml"), "{said}");
        assert!(!said.contains("klarna_test_api_local") && !said.contains("not so secret"), "{said}");
    }
}

#[tokio::test]
async fn every_event_of_the_catalogue_can_be_laid_down() {
    let wildcards = ["*", "payment.*", "settlement.*", "partner.*", "identity.*", "payment.dispute.*"];
    let all: Vec<_> = EVENT_TYPES.iter().chain(&wildcards).collect();
    let rest = format!("{KEY}{}", webhook("http://127.0.0.1:1/x", &format!("event_types = {all:?}")));
    let klarna = Klarna::of(Simulator::builder().settings(settings(&rest))).await;
    assert_eq!(klarna.get("/v2/notification/webhooks").await.body["webhooks"][0]["event_types"], json!(all));
}

#[tokio::test]
async fn plain_http_goes_to_hosts_that_were_allowed() {
    for (allowed, status) in [(&[][..], 400), (&["acquirer".to_owned()][..], 201)] {
        let builder = Simulator::builder().allow_http_webhooks(allowed.iter().cloned());
        let klarna = Klarna::of(builder).await;
        let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
        let webhook = json!({
            "url": "http://acquirer:8081/klarna", "event_types": ["payment.*"], "event_version": "v2",
            "signing_key_id": key.body["signing_key_id"],
        });
        let answer = klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 400 {
            let reason = answer.body["validation_errors"][0]["reason"].as_str().unwrap().to_owned();
            assert!(reason.contains("--allow-http-webhooks acquirer"), "{reason}");
        }
    }
}
