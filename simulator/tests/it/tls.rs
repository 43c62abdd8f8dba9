//! TLS: spoken by certificates of an authority whose file callers are given.

use klarna_schemas::simulator::control::{CustomerAct, PutSandbox};
use klarna_simulator::Simulator;
use klarna_simulator::config::Settings;
use reqwest::Certificate;

use crate::klarna::{ALPHA, KEY, Klarna, initial};

async fn started() -> Klarna {
    Klarna::trusted(Simulator::builder().seed(7).tls()).await
}

#[tokio::test]
async fn a_payment_is_made_by_tls_and_the_journey_is_led_into_by_it() {
    let klarna = started().await;
    assert_eq!(klarna.simulator.base_url().scheme(), "https");
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let answer = klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!(answer.result(), "STEP_UP_REQUIRED");
    assert!(answer.journey().starts_with("https://"), "{answer:?}");
    assert!(klarna.http.get(answer.journey()).send().await.unwrap().status().is_success());
    klarna.act(&answer, CustomerAct::Approve).await;
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let klarna = started().await;
    let asked = klarna.http.get(klarna.url("/openapi.json")).send().await.unwrap();
    assert_eq!(asked.version(), reqwest::Version::HTTP_2);
    let authority = std::fs::read(klarna.simulator.ca_file().unwrap()).unwrap();
    let older = reqwest::Client::builder()
        .no_proxy()
        .http1_only()
        .tls_certs_only([Certificate::from_pem(&authority).unwrap()])
        .build()
        .unwrap();
    // By its name, too.
    let url = klarna.url("/openapi.json").replace("127.0.0.1", "localhost");
    assert_eq!(older.get(url).send().await.unwrap().version(), reqwest::Version::HTTP_11);
}

#[tokio::test]
async fn whoever_does_not_trust_the_authority_or_speaks_no_tls_gets_nothing_and_harms_nobody() {
    let klarna = started().await;
    let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
    let refused = stranger.get(klarna.url("/openapi.json")).send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("UnknownIssuer"), "{refused:?}");
    let plain = klarna.url("/openapi.json").replace("https:", "http:");
    assert!(stranger.get(plain).send().await.is_err());
    // A connection that says nothing is given up in time, and holds nobody up.
    let silent =
        tokio::net::TcpStream::connect(klarna.simulator.base_url().socket_addrs(|| None).unwrap()[0]);
    let _silent = silent.await.unwrap();
    let signing_keys = klarna.http.get(klarna.url("/v2/notification/signing-keys"));
    assert_eq!(klarna.send(signing_keys.header("authorization", KEY)).await.status, 200);
}

#[tokio::test]
async fn a_folder_keeps_the_authority_for_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("simulator.toml");
    let tls = folder.path().join("tls");
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[tls]\nenabled = true\nfolder = {:?}\n",
        tls.display().to_string()
    );
    std::fs::write(&config, text).unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let builder = Simulator::builder().settings(Settings::load(Some(&config)).unwrap());
        let simulator = builder.start().await.unwrap();
        assert_eq!(simulator.ca_file().unwrap(), tls.join("ca.pem"));
        // A client that was given the file by the first start trusts the second.
        seen.push(std::fs::read(tls.join("ca.pem")).unwrap());
        let http =
            reqwest::Client::builder().no_proxy().tls_certs_only([Certificate::from_pem(&seen[0]).unwrap()]);
        let url = simulator.base_url().join("/openapi.json").unwrap();
        assert!(http.build().unwrap().get(url).send().await.unwrap().status().is_success());
        simulator.shutdown().await;
    }
    assert_eq!(seen[0], seen[1]);
}
