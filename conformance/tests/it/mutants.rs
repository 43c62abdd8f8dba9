//! The defect proxy: the one defect, and nothing else.

mod network_data;
mod scripted;
mod second_calls;
mod webhooks;

use klarna_conformance::mutants::{DEFECTS, Defect, MutantProxy};
use klarna_conformance::plan::{check, embedded_features};
use scripted::{Answers, Party, STEP_UP};
use url::Url;

fn defect(name: &str) -> &'static Defect {
    DEFECTS.iter().find(|defect| defect.name == name).unwrap_or_else(|| panic!("no defect {name}"))
}

/// A proxy with this defect before this Klarna.
async fn before(name: &str, klarna: &Party) -> MutantProxy {
    MutantProxy::start(defect(name), &klarna.base_url, None).await.unwrap()
}

/// A Klarna that wants a step-up of everybody, and a proxy before it.
async fn between(name: &str) -> (Party, MutantProxy, reqwest::Client) {
    let klarna = Party::start(Answers::step_up()).await;
    let proxy = before(name, &klarna).await;
    (klarna, proxy, http())
}

/// A client that follows nothing.
fn http() -> reqwest::Client {
    klarna_simulator::install_crypto_provider();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

const AUTHORIZE: &str = "v2/accounts/krn:partner:global:account:test:ALPHA001/payment/authorize";

/// Status and text of an authorize through the proxy.
async fn authorize(
    proxy: &MutantProxy,
    http: &reqwest::Client,
    body: &str,
    token: Option<&str>,
    key: Option<&str>,
) -> (u16, String) {
    let url = format!("{}{AUTHORIZE}", proxy.base_url());
    let mut request = http.post(url).header("Content-Type", "application/json").body(body.to_owned());
    let optional = [("Klarna-Network-Session-Token", token), ("Klarna-Idempotency-Key", key)];
    for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        request = request.header(name, value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[test]
fn every_defect_is_named_once_and_says_what_must_find_it() {
    let scenarios = check(&embedded_features()).scenarios;
    for defect in DEFECTS {
        let same_name = DEFECTS.iter().filter(|other| other.name == defect.name).count();
        assert_eq!(same_name, 1, "{}", defect.name);
        assert!(scenarios.iter().any(|known| known.id == defect.killed_by), "{}", defect.killed_by);
        assert!(!defect.plants.is_empty() && !defect.finding.is_empty());
    }
}

#[tokio::test]
async fn what_the_defect_does_not_touch_passes_byte_for_byte() {
    for name in DEFECTS.iter().map(|defect| defect.name).filter(|name| *name != "step-up-told-as-approved") {
        let (klarna, proxy, http) = between(name).await;
        // Odd on purpose: nobody may parse and write this again.
        let body = "{ \"b\" : 1.0 , \"a\":\"\\u00e9\",\"b\":2 }\n";
        let (status, text) = authorize(&proxy, &http, body, Some("a token"), None).await;
        assert_eq!((status, text.as_str()), (200, STEP_UP), "{name}");
        let got = klarna.last();
        assert_eq!(got.line, format!("POST /{AUTHORIZE}"));
        assert_eq!(got.body, body.as_bytes(), "{name}");
        assert_eq!(got.header("content-type"), "application/json");
        assert_eq!(got.header("klarna-network-session-token"), "a token");
        assert!(klarna.base_url.as_str().contains(got.header("host")), "{got:?}");

        let url = format!("{}v2/x%3Ay/a:b?q=%5B%5D&r=1", proxy.base_url());
        let response = http.delete(url).header("Partner-Correlation-Id", "p").send().await.unwrap();
        assert_eq!(response.status(), 418);
        assert_eq!(response.headers()["klarna-correlation-id"], "c-1");
        assert!(!response.headers().contains_key("x-hop"), "a header of the other connection");
        let got = klarna.last();
        assert_eq!((got.line.as_str(), got.body.len()), ("DELETE /v2/x%3Ay/a:b?q=%5B%5D&r=1", 0));
        assert_eq!(got.header("partner-correlation-id"), "p");
    }
}

#[tokio::test]
async fn where_klarna_gives_no_answer_the_proxy_gives_none() {
    let nowhere = Url::parse("http://127.0.0.1:9").unwrap();
    let proxy = MutantProxy::start(defect("network-data-dropped"), &nowhere, None).await.unwrap();
    let url = format!("{}{AUTHORIZE}", proxy.base_url());
    let error = http().post(url).body("{}").send().await.unwrap_err();
    assert!(!error.is_status() && !error.is_connect(), "{error:?}");
}
