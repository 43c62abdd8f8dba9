//! Client certificates: how an account gets one, what an answer says of it, and what enforcing them means.

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::simulator::control::{JournalQuery, PutSandbox};
use klarna_simulator::Simulator;
use klarna_simulator::config::ClientCertificateMode;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SignatureAlgorithm};
use reqwest::{Certificate, Identity, Method};
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Answer, KEY, Klarna, initial};

const CREATE: &str = "/v2/account/integration/credentials/client-certificate";
const ENFORCEMENT: &str = "/v2/account/integration/client-certificates/enforcement";
const KEYS: &str = "/v2/notification/signing-keys";
const STATUS: &str = "klarna-mtls-verification-status";
/// The account that [`KEY`] opens, and the last segment of its id.
const LOCAL: &str = "krn:partner:global:account:test:LOCALACQ";
const NAME: &str = "LOCALACQ";

async fn started() -> Klarna {
    Klarna::trusted(Simulator::builder().seed(7).tls()).await
}

/// A signing request, and its key.
pub(crate) fn signing_request(name: &str, algorithm: &'static SignatureAlgorithm) -> (String, KeyPair) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let request = params.serialize_request(&key).unwrap().pem().unwrap();
    (request, key)
}

/// A time so many days from now: an account, which has no sandbox, goes by real time.
#[expect(clippy::disallowed_methods, reason = "an account goes by real time")]
pub(crate) fn in_days(days: i64) -> String {
    (Timestamp::now() + SignedDuration::from_hours(24 * days)).to_string()
}

fn wish(usage: &str, request: &str) -> Value {
    json!({ "description": "tests", "config": { "usage": usage, "certificate_signing_request": request } })
}

async fn asked(klarna: &Klarna, wish: &Value) -> Answer {
    klarna.call(Method::POST, CREATE, &[], Some(wish)).await
}

/// What a client shows that has a certificate of this usage.
async fn issued(klarna: &Klarna, usage: &str) -> Identity {
    let (request, key) = signing_request(NAME, &rcgen::PKCS_ECDSA_P256_SHA256);
    let answer = asked(klarna, &wish(usage, &request)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let certificate = answer.body["client_certificate"].as_str().unwrap();
    Identity::from_pem(format!("{}{certificate}", key.serialize_pem()).as_bytes()).unwrap()
}

/// The same simulator, called by a client with this identity.
fn showing(klarna: &Klarna, identity: Identity) -> reqwest::Client {
    let authority = std::fs::read(klarna.simulator.ca_file().unwrap()).unwrap();
    let client = reqwest::Client::builder().no_proxy().identity(identity);
    client.tls_certs_only([Certificate::from_pem(&authority).unwrap()]).build().unwrap()
}

async fn status_by(klarna: &Klarna, http: &reqwest::Client, key: &str) -> (u16, String) {
    let answer = klarna.send(http.get(klarna.url(KEYS)).header("authorization", key)).await;
    (answer.status, answer.headers[STATUS].to_str().unwrap().to_owned())
}

fn is(status: u16, word: &str) -> (u16, String) {
    (status, word.to_owned())
}

#[tokio::test]
async fn a_certificate_that_was_issued_to_the_caller_is_valid_and_no_other() {
    let klarna = started().await;
    assert_eq!(status_by(&klarna, &klarna.http, KEY).await, is(200, "NOT_PRESENT"));
    let mine = showing(&klarna, issued(&klarna, "MTLS").await);
    assert_eq!(status_by(&klarna, &mine, KEY).await, is(200, "VALID"));
    // It names one account: with the key of another it is not the caller's.
    assert_eq!(status_by(&klarna, &mine, "klarna_test_api_other").await, is(200, "INVALID"));
    // One for signing opens no connection, and one of nobody's making is worth nothing.
    let signing = showing(&klarna, issued(&klarna, "JWT_SIGNING").await);
    assert_eq!(status_by(&klarna, &signing, KEY).await, is(200, "INVALID"));
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, NAME);
    let forged = params.self_signed(&key).unwrap().pem();
    let forged = Identity::from_pem(format!("{}{forged}", key.serialize_pem()).as_bytes()).unwrap();
    assert_eq!(status_by(&klarna, &showing(&klarna, forged), KEY).await, is(200, "INVALID"));
    // A refused call tells it, too.
    assert_eq!(status_by(&klarna, &mine, "nobody").await, is(401, "VALID"));
}

#[tokio::test]
async fn a_wrong_certificate_on_an_authorize_is_found_and_none_is_not() {
    let klarna = started().await;
    let path = klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize"));
    for (usage, found) in [("MTLS", false), ("JWT_SIGNING", true)] {
        klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
        let http = showing(&klarna, issued(&klarna, usage).await);
        let call = http.post(&path).header("authorization", KEY).header("content-type", "application/json");
        klarna.send(call.body(initial("t-1").to_string())).await;
        let payment = klarna.journal("authorize").await.entries.last().unwrap().payment.clone().unwrap();
        let rules = klarna.findings(&payment).await;
        assert_eq!(rules.contains(&"client-certificate.valid".to_owned()), found, "{usage}: {rules:?}");
    }
}

#[tokio::test]
async fn the_journal_has_how_a_call_was_secured() {
    let klarna = started().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let mine = showing(&klarna, issued(&klarna, "MTLS").await);
    let by_name = klarna.url(KEYS).replace("127.0.0.1", "localhost");
    klarna.send(mine.get(by_name).header("authorization", KEY)).await;
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    let query = JournalQuery { operation: Some("signing_key.list".to_owned()), ..JournalQuery::default() };
    let of_account = klarna.control().account_journal(LOCAL, &query).await.unwrap();
    let tls = of_account.entries[0].tls.clone().unwrap();
    let seen = (tls.version.as_str(), tls.server_name.as_deref(), tls.client_certificate.as_str());
    assert_eq!(seen, ("1.3", Some("localhost"), "VALID"));
    // An address is no name.
    let tls = klarna.journal("authorize").await.entries[0].tls.clone().unwrap();
    assert_eq!((tls.server_name, tls.client_certificate.as_str()), (None, "NOT_PRESENT"));
    let plain = Klarna::start().await;
    plain.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!(plain.journal("authorize").await.entries[0].tls, None);
}

#[tokio::test]
async fn an_account_that_enforces_them_is_called_with_one_or_not_at_all() {
    let klarna = started().await;
    let mine = showing(&klarna, issued(&klarna, "MTLS").await);
    let enforced = klarna.call(Method::PUT, ENFORCEMENT, &[], Some(&json!({ "enforced_from": "NOW" }))).await;
    assert_eq!((enforced.status, enforced.body), (204, Value::Null));
    let bare = klarna.get(KEYS).await;
    assert_eq!(bare.refusal(), (401, "UNAUTHORIZED", ""));
    assert_eq!(bare.headers[STATUS], "NOT_PRESENT");
    assert_eq!(klarna.authorize(ALPHA, &[], &initial("t-1")).await.status, 401);
    assert_eq!(status_by(&klarna, &mine, KEY).await, is(200, "VALID"));
    // Other accounts go on as they were.
    assert_eq!(status_by(&klarna, &klarna.http, "klarna_test_api_other").await, is(200, "NOT_PRESENT"));
    // An account without its certificate can get another, and can go back.
    issued(&klarna, "MTLS").await;
    assert_eq!(klarna.call(Method::DELETE, ENFORCEMENT, &[], None).await.status, 204);
    assert_eq!(klarna.get(KEYS).await.status, 200);
}

#[tokio::test]
async fn enforcement_may_begin_within_three_months_and_every_account_may_begin_so() {
    let klarna = started().await;
    let set = async |time: &str| {
        let body = json!({ "enforced_from": time });
        klarna.call(Method::PUT, ENFORCEMENT, &[], Some(&body)).await
    };
    assert_eq!(set(&in_days(80)).await.status, 204);
    assert_eq!(klarna.get(KEYS).await.status, 200);
    for wrong in [in_days(100), "TOMORROW".to_owned()] {
        assert_eq!(set(&wrong).await.refusal(), (400, "VALIDATION_ERROR", "enforced_from"), "{wrong}");
    }
    assert_eq!(set(&in_days(-1)).await.status, 204);
    assert_eq!(klarna.get(KEYS).await.status, 401);
    let strict =
        Klarna::with(|settings| settings.tls.client_certificates = ClientCertificateMode::Enforce).await;
    assert_eq!(strict.get(KEYS).await.refusal(), (401, "UNAUTHORIZED", ""));
}

#[tokio::test]
async fn a_request_that_klarna_would_not_sign_is_refused_with_the_reason() {
    let klarna = Klarna::start().await;
    let (good, key) = signing_request(NAME, &rcgen::PKCS_ECDSA_P256_SHA256);
    let (other_name, _) = signing_request("SOMEBODY", &rcgen::PKCS_ECDSA_P256_SHA256);
    let (other_curve, _) = signing_request(NAME, &rcgen::PKCS_ECDSA_P384_SHA384);
    let (other_kind, _) = signing_request(NAME, &rcgen::PKCS_ED25519);
    // The last letter before the padding is of the signature.
    let broken = good.replacen("MIH", "MIG", 1);
    for (request, reason) in [
        ("none", "PKCS#10"),
        (&key.serialize_pem(), "PKCS#10"),
        (&broken, "PKCS#10"),
        (&other_name, NAME),
        (&other_curve, "prime256v1"),
        (&other_kind, "prime256v1"),
    ] {
        let refused = asked(&klarna, &wish("MTLS", request)).await;
        let parameter = "config.certificate_signing_request";
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR", parameter), "{request}");
        let given = refused.body["validation_errors"][0]["reason"].as_str().unwrap();
        assert!(given.contains(reason), "{given}");
    }
    assert_eq!(
        asked(&klarna, &wish("TLS", &good)).await.refusal(),
        (400, "VALIDATION_ERROR", "config.usage")
    );
    // By plain http it is issued all the same, and the same key brings the same certificate.
    let key = [("Klarna-Idempotency-Key", "k-1")];
    let wish = wish("MTLS", &good);
    let once = klarna.call(Method::POST, CREATE, &key, Some(&wish)).await;
    let again = klarna.call(Method::POST, CREATE, &key, Some(&wish)).await;
    assert_eq!((once.status, &once.body), (201, &again.body));
    assert!(once.body["client_certificate"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
}
