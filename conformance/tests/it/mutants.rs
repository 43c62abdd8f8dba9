//! The defect proxy: the one defect, and nothing else.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use klarna_conformance::mutants::{DEFECTS, Defect, MutantProxy};
use serde_json::{Value, json};
use url::Url;

/// A Klarna that remembers what it got and always answers the same.
struct Klarna {
    base_url: Url,
    seen: Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>,
    _stop: tokio_util::task::AbortOnDropHandle<()>,
}

const STEP_UP: &str = "{ \"payment_transaction_response\" : {\"result\":\"STEP_UP_REQUIRED\"},\"n\":1.0 }\n";

impl Klarna {
    async fn start() -> Self {
        type Seen = Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>;
        let seen: Seen = Arc::default();
        let answer = |State(seen): State<Seen>, request: Request| async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            seen.lock().unwrap().push((format!("{} {}", parts.method, parts.uri), parts.headers, body));
            Response::builder()
                .status(if parts.uri.path().ends_with("authorize") { 200 } else { 418 })
                .header("Klarna-Correlation-Id", "c-1")
                .header("connection", "x-hop")
                .header("x-hop", "gone")
                .body(Body::from(STEP_UP))
                .unwrap()
        };
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = Url::parse(&format!("http://{}/", socket.local_addr().unwrap())).unwrap();
        let task = tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        Self { base_url, seen, _stop: tokio_util::task::AbortOnDropHandle::new(task) }
    }

    fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn last(&self) -> (String, HeaderMap, Bytes) {
        self.seen.lock().unwrap().last().cloned().unwrap()
    }
}

fn defect(name: &str) -> &'static Defect {
    DEFECTS.iter().find(|defect| defect.name == name).unwrap()
}

async fn between(name: &str) -> (Klarna, MutantProxy, reqwest::Client) {
    klarna_simulator::install_crypto_provider();
    let klarna = Klarna::start().await;
    let proxy = MutantProxy::start(defect(name), &klarna.base_url).await.unwrap();
    (klarna, proxy, reqwest::Client::builder().no_proxy().build().unwrap())
}

const AUTHORIZE: &str = "v2/accounts/krn:partner:global:account:test:ALPHA001/payment/authorize";

async fn authorize(
    proxy: &MutantProxy,
    http: &reqwest::Client,
    body: &str,
    token: Option<&str>,
) -> (u16, String) {
    let url = format!("{}{AUTHORIZE}", proxy.base_url());
    let mut request = http.post(url).header("Content-Type", "application/json").body(body.to_owned());
    if let Some(token) = token {
        request = request.header("Klarna-Network-Session-Token", token);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[test]
fn every_defect_says_what_must_find_it() {
    for defect in DEFECTS {
        let (file, slug) = defect.killed_by.split_once('/').unwrap();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../features");
        assert!(folder.join(format!("{file}.feature")).exists(), "{}", defect.killed_by);
        assert!(!slug.is_empty() && !defect.plants.is_empty() && !defect.finding.is_empty());
    }
}

#[tokio::test]
async fn what_the_defect_does_not_touch_passes_byte_for_byte() {
    for name in ["network-data-dropped", "network-data-reserialised", "final-call-skipped"] {
        let (klarna, proxy, http) = between(name).await;
        // Odd on purpose: nobody may parse and write this again.
        let body = "{ \"b\" : 1.0 , \"a\":\"\\u00e9\",\"b\":2 }\n";
        let (status, text) = authorize(&proxy, &http, body, None).await;
        assert_eq!((status, text.as_str()), (200, STEP_UP), "{name}");
        let (call, headers, got) = klarna.last();
        assert_eq!(call, format!("POST /{AUTHORIZE}"));
        assert_eq!(got, body.as_bytes(), "{name}");
        assert_eq!(headers["content-type"], "application/json");
        assert!(klarna.base_url.as_str().contains(headers["host"].to_str().unwrap()), "{headers:?}");

        let url = format!("{}v2/x%3Ay/a:b?q=%5B%5D&r=1", proxy.base_url());
        let response = http.delete(url).header("Partner-Correlation-Id", "p").send().await.unwrap();
        assert_eq!(response.status(), 418);
        assert_eq!(response.headers()["klarna-correlation-id"], "c-1");
        assert!(!response.headers().contains_key("x-hop"), "a header of the other connection");
        let (call, headers, got) = klarna.last();
        assert_eq!((call.as_str(), got.len()), ("DELETE /v2/x%3Ay/a:b?q=%5B%5D&r=1", 0));
        assert_eq!(headers["partner-correlation-id"], "p");
    }
}

#[tokio::test]
async fn network_data_is_dropped_or_written_again() {
    let body =
        json!({"currency": "SEK", "klarna_network_data": "{ \"b\":1.0,\"a\":\"\\u00e9\"}"}).to_string();
    let (klarna, proxy, http) = between("network-data-dropped").await;
    authorize(&proxy, &http, &body, None).await;
    assert_eq!(serde_json::from_slice::<Value>(&klarna.last().2).unwrap(), json!({"currency": "SEK"}));
    let (klarna, proxy, http) = between("network-data-reserialised").await;
    authorize(&proxy, &http, &body, Some("token")).await;
    let got: Value = serde_json::from_slice(&klarna.last().2).unwrap();
    assert_eq!(got["klarna_network_data"], "{\"a\":\"é\",\"b\":1}");
}

#[tokio::test]
async fn the_final_call_is_swallowed_and_answered() {
    let (klarna, proxy, http) = between("final-call-skipped").await;
    let body = |reference: &str| {
        json!({"currency": "SEK", "request_payment_transaction": {"amount": 5, "payment_transaction_reference": reference}})
            .to_string()
    };
    // A token that the Partner brings to a first call is none of this defect's business.
    assert_eq!(authorize(&proxy, &http, &body("tx-1"), Some("brought")).await.1, STEP_UP);
    // A second call without token is not final.
    assert_eq!(authorize(&proxy, &http, &body("tx-1"), None).await.1, STEP_UP);
    assert_eq!(klarna.calls(), 2);
    let (status, text) = authorize(&proxy, &http, &body("tx-1"), Some("of the webhook")).await;
    assert_eq!((status, klarna.calls()), (200, 2));
    let answer: Value = serde_json::from_str(&text).unwrap();
    let answer = &answer["payment_transaction_response"];
    assert_eq!(answer["result"], "APPROVED");
    assert_eq!(answer["payment_transaction"]["amount"], 5);
    assert_eq!(answer["payment_transaction"]["payment_transaction_reference"], "tx-1");
    assert_eq!(authorize(&proxy, &http, &body("tx-2"), Some("of the webhook")).await.1, STEP_UP);
}

#[tokio::test]
async fn an_unreachable_klarna_is_a_bad_gateway() {
    klarna_simulator::install_crypto_provider();
    let nowhere = Url::parse("http://127.0.0.1:9").unwrap();
    let proxy = MutantProxy::start(defect("network-data-dropped"), &nowhere).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(authorize(&proxy, &http, "{}", None).await.0, 502);
}
