//! Klarna over TLS: the simulator that a run starts, and one that runs already.

use std::net::SocketAddr;

use klarna_simulator::Simulator;

use crate::exit_codes::attaching_to_nobody;
use crate::foreign_kit::Changed;
use crate::suite::{Ran, run};

/// Everybody calls Klarna in these: the acquirer, a Partner, the Customer, and the suite.
const SOME: [&str; 3] = ["features/the-document.feature", "--seed", "7"];

#[track_caller]
fn all_passed(ran: &Ran) {
    ran.must_exit(0);
    assert!(!ran.statuses().is_empty() && ran.ended("passed").len() == ran.statuses().len(), "{}", ran.all());
}

/// The scenario on how Klarna is called.
const TRANSPORT: &str = "transport/tls/klarna-is-called-by-tls-by-its-name";

#[test]
fn the_reference_acquirer_is_green_by_tls() {
    let ran = run(&[&SOME[..], &["--tls"]].concat());
    all_passed(&ran);
    ran.must_say("Klarna     https://localhost:");
    assert!(ran.events("run-started")[0]["arguments"].to_string().contains("--tls"), "{}", ran.all());
}

#[test]
fn how_klarna_is_called_is_not_judged_where_it_speaks_plain_http() {
    let ran = run(&["features/transport/tls.feature", "--seed", "7"]);
    assert_eq!(ran.ended("not-applicable"), [TRANSPORT], "{}", ran.all());
    ran.must_say("Klarna speaks plain http in this run");
}

#[test]
fn a_handshake_without_the_servers_name_is_red() {
    let acquirer = Changed::new().program(
        "context=ssl.create_default_context(cafile=os.environ.get(\"KLARNA_CA_FILE\"))",
        "context=unnamed(ssl.create_default_context(cafile=os.environ.get(\"KLARNA_CA_FILE\")))",
    );
    let acquirer = acquirer.program(
        "class NoRedirect",
        "def unnamed(context):\n    context.check_hostname = False\n    wrap = context.wrap_socket\n    \
         context.wrap_socket = lambda sock, **more: wrap(sock)\n    return context\n\n\nclass NoRedirect",
    );
    let ran =
        run(&["features/transport/tls.feature", "--acquirer", &acquirer.path(), "--tls", "--seed", "7"]);
    ran.must_exit(1);
    assert_eq!(ran.ended("failed"), [TRANSPORT], "{}", ran.all());
    assert_eq!(ran.failing(TRANSPORT), ["tls.server-name"], "{}", ran.all());
}

#[test]
fn an_acquirer_in_another_language_is_green_by_tls() {
    let acquirer = Changed::new().program(
        "    register()\n    log(",
        "    log(\"told\", KLARNA, os.environ[\"KLARNA_CA_FILE\"])\n    register()\n    log(",
    );
    let ran = run(&[&SOME[..], &["--acquirer", &acquirer.path(), "--tls"]].concat());
    all_passed(&ran);
    let log = ran.report("acquirer.log");
    assert!(log.contains("told https://localhost:") && log.contains("ca.pem"), "{log}");
}

#[test]
fn an_acquirer_that_is_handed_no_authority_does_not_get_far_and_says_why() {
    let acquirer = Changed::new().adapter(
        "PYTHONDONTWRITEBYTECODE: \"1\"",
        "PYTHONDONTWRITEBYTECODE: \"1\"\n    KLARNA_CA_FILE: \"\"",
    );
    let ran = run(&[&SOME[..], &["--acquirer", &acquirer.path(), "--tls"]].concat());
    ran.must_exit(5)
        .must_say("the acquirer did not get ready")
        .must_say("CERTIFICATE_VERIFY_FAILED")
        .must_say("Klarna gives no signing key");
}

#[test]
fn a_defect_shows_by_tls() {
    let scenario = "features/final-authorization/driven-by-the-webhook.feature";
    let ran = run(&[scenario, "--tags", "@AP-27", "--defect", "final-call-skipped", "--tls", "--seed", "7"]);
    ran.must_exit(1)
        .must_say("the defect proxy speaks TLS to Klarna only")
        .must_say("Klarna     https://localhost:");
    let [failed] = &ran.ended("failed")[..] else { panic!("one scenario fails: {}", ran.all()) };
    assert!(ran.failing(failed).contains(&"final.missing".to_owned()), "{}", ran.all());
}

/// Where "localhost" is `::1` first, nobody listens there.
async fn a_name_is_followed_to_the_address_that_answers(url: &url::Url, file: &str) {
    let port = url.port().unwrap();
    let both = [SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port)), SocketAddr::from(([127, 0, 0, 1], port))];
    let authority = reqwest::Certificate::from_pem(&std::fs::read(file).unwrap()).unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([authority])
        .resolve_to_addrs("localhost", &both)
        .build()
        .unwrap();
    let answer = http.get(url.join("openapi.json").unwrap()).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulator_that_runs_already_is_trusted_by_the_file_it_names() {
    let simulator = Simulator::builder().tls().start().await.unwrap();
    let file = simulator.ca_file().unwrap().display().to_string();
    let mut url = simulator.base_url().clone();
    url.set_host(Some("localhost")).unwrap();
    a_name_is_followed_to_the_address_that_answers(&url, &file).await;

    let url = url.to_string();
    let ran = tokio::task::spawn_blocking(move || {
        let named = ["--simulator", &url, "--simulator-ca-file", &file];
        all_passed(&run(&[&SOME[..], &named].concat()));

        run(&["--simulator", &url])
            .must_exit(5)
            .must_say("invalid peer certificate: UnknownIssuer")
            .must_say("hint: --simulator-ca-file names the authority to trust");

        let folder = tempfile::tempdir().unwrap();
        let another = folder.path().join("another.pem");
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert;
        std::fs::write(&another, certificate.pem()).unwrap();
        run(&["--simulator", &url, "--simulator-ca-file", &another.display().to_string()])
            .must_exit(5)
            .must_say("invalid peer certificate")
            .must_say("another.pem vouches for another");

        run(&["--simulator", &url.replacen("https", "http", 1)])
            .must_exit(5)
            .must_say("hint: is this the base URL of a klarna-simulator?");

        let adapter = attaching_to_nobody(&folder);
        run(&[&named[..], &["--acquirer", &adapter]].concat())
            .must_exit(5)
            .must_say("nobody hands an acquirer that runs already anything")
            .must_say("KLARNA_CA_FILE");
    });
    ran.await.unwrap();
}

#[test]
fn flags_that_do_not_fit_each_other_are_a_mistake_of_usage() {
    let https = ["--simulator", "https://127.0.0.1:1"];
    run(&[&https[..], &["--tls"]].concat()).must_exit(2).must_say("--tls");
    run(&["--simulator-ca-file", "ca.pem"]).must_exit(2).must_say("--simulator <URL>");
    run(&["--tls", "--simulator-ca-file", "ca.pem"]).must_exit(2);
    run(&["--tls", "--simulator-public-url", "http://klarna:1"])
        .must_exit(2)
        .must_say("--simulator-public-url must begin with https://");
    run(&["--simulator", "http://127.0.0.1:1", "--simulator-ca-file", "ca.pem"])
        .must_exit(2)
        .must_say("--simulator-ca-file is about TLS");

    let absent = [&https[..], &["--simulator-ca-file", "absent.pem"]].concat();
    run(&absent).must_exit(2).must_say("--simulator-ca-file: ").must_say("absent.pem cannot be read");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "no certificate").unwrap();
    run(&[&https[..], &["--simulator-ca-file", &file.display().to_string()]].concat())
        .must_exit(2)
        .must_say("ca.pem is not a file of certificates: no certificate stands in it");
}
