//! A Klarna that takes no call without a client certificate, and an acquirer with one and without.

use std::path::Path;

use klarna_simulator::Simulator;
use rcgen::{CertificateParams, DnType, KeyPair};
use reqwest::Certificate;
use serde_json::{Value, json};

use super::fleet::{Program, step_up_and_approve};

/// The account that the key opens, by the last segment of its id: the name that its certificate bears.
const NAME: &str = "LOCALACQ";
const AUTHORIZATION: &str = "Basic klarna_test_api_local";

/// Has the simulator issue a certificate, keeps it and its key in files, and then has it enforced.
async fn issue_and_enforce(simulator: &Simulator, folder: &Path) {
    let authority = Certificate::from_pem(&std::fs::read(simulator.ca_file().unwrap()).unwrap()).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, NAME);
    let request = params.serialize_request(&key).unwrap().pem().unwrap();
    let wish =
        json!({"description": "tests", "config": {"usage": "MTLS", "certificate_signing_request": request}});
    let url = |path: &str| simulator.base_url().join(path).unwrap();
    let asked = http
        .post(url("v2/account/integration/credentials/client-certificate"))
        .header("authorization", AUTHORIZATION)
        .json(&wish);
    let issued: Value = asked.send().await.unwrap().json().await.unwrap();
    std::fs::write(folder.join("client.pem"), issued["client_certificate"].as_str().unwrap()).unwrap();
    std::fs::write(folder.join("client.key"), key.serialize_pem()).unwrap();
    let enforced = http
        .put(url("v2/account/integration/client-certificates/enforcement"))
        .header("authorization", AUTHORIZATION)
        .json(&json!({"enforced_from": "NOW"}));
    assert_eq!(enforced.send().await.unwrap().status(), 204);
}

/// A certificate of the acquirer's name that it has signed itself, and its key.
fn strange_certificate(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, NAME);
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("stranger.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("stranger.key"), key.serialize_pem()).unwrap();
}

async fn start(simulator: &Simulator, folder: &Path, name: &str, certificate: &str) -> Program {
    let ca = simulator.ca_file().unwrap().display();
    let klarna = format!("ca_file = \"{ca}\"\n{certificate}");
    Program::start_in(folder, name, simulator, [&klarna, ""]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn klarna_takes_the_acquirer_by_its_certificate_and_refuses_it_without() {
    klarna_simulator::install_crypto_provider();
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::builder().seed(7).tls().start().await.unwrap();
    issue_and_enforce(&simulator, folder.path()).await;

    let bare = start(&simulator, folder.path(), "bare", "").await;
    let health = bare.registration().await;
    assert_eq!(health["webhook"], "failing", "{health}");
    assert!(health["reason"].as_str().unwrap().contains("401"), "{health}");
    step_up_and_approve(&simulator).await;
    let refused = bare.sells(1).await;
    assert_eq!(refused["status"], "failed", "{refused}");

    let files = format!(
        "client_certificate_file = \"{folder}/client.pem\"\nclient_key_file = \"{folder}/client.key\"",
        folder = folder.path().display()
    );
    let certified = start(&simulator, folder.path(), "certified", &files).await;
    let health = certified.registration().await;
    assert_eq!(health["webhook"], "registered", "{health}");
    let sold = certified.sells(2).await;
    assert_eq!(sold["status"], "approved", "{sold}");

    // A certificate that Klarna has not issued is none.
    strange_certificate(folder.path());
    let files = files.replace("client.", "stranger.");
    let stranger = start(&simulator, folder.path(), "stranger", &files).await;
    let health = stranger.registration().await;
    assert_eq!(health["webhook"], "failing", "{health}");
    let reason = health["reason"].as_str().unwrap();
    assert!(reason.contains("401"), "refused by Klarna, for what it is: {health}");
    let refused = stranger.sells(3).await;
    assert_eq!(refused["status"], "failed", "{refused}");
}
