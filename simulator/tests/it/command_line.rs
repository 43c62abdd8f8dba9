//! The program itself: its ready line, its refusals, its exit codes.

use std::process::{Command, Output, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_klarna-simulator"));
    command.env_remove("RUST_LOG");
    command
}

fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = program().args(arguments).output().unwrap();
    assert!(stdout.is_empty(), "nothing but the ready line goes to standard output");
    (status.code(), String::from_utf8(stderr).unwrap())
}

async fn serve(arguments: &[&str]) -> (tokio::process::Child, String) {
    let (child, ready) = ready(arguments).await;
    let url = ready["listening"].as_str().unwrap().to_owned();
    (child, url)
}

/// A running program, and the one line that it prints.
async fn ready(arguments: &[&str]) -> (tokio::process::Child, serde_json::Value) {
    let mut command = tokio::process::Command::from(program());
    let command = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let ready = serde_json::from_str(&line).unwrap();
    (child, ready)
}

#[tokio::test]
async fn it_serves_on_a_free_port_and_stops_on_sigterm() {
    let (mut child, url) = serve(&["serve", "--listen", "127.0.0.1:0", "--outcome", "approve"]).await;
    klarna_simulator::install_crypto_provider();
    let answer = reqwest::get(format!("{url}/v2/notification/webhooks")).await.unwrap();
    assert_eq!(answer.status(), 401);
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status =
        tokio::time::timeout(std::time::Duration::from_secs(10), child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
    let mut rest = String::new();
    child.stdout.take().unwrap().read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "", "nothing but the ready line goes to standard output");
}

#[tokio::test]
async fn by_tls_the_ready_line_names_the_file_that_callers_trust() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("simulator.toml");
    let tls = folder.path().join("tls").display().to_string();
    std::fs::write(&config, format!("[tls]\nfolder = {tls:?}\n")).unwrap();
    let (_child, ready) =
        ready(&["serve", "--listen", "127.0.0.1:0", "--tls", "--config", config.to_str().unwrap()]).await;
    let authority = std::fs::read(ready["ca_file"].as_str().unwrap()).unwrap();
    klarna_simulator::install_crypto_provider();
    let trusting = [reqwest::Certificate::from_pem(&authority).unwrap()];
    let http = reqwest::Client::builder().no_proxy().tls_certs_only(trusting).build().unwrap();
    let url = format!("{}/v2/notification/webhooks", ready["listening"].as_str().unwrap());
    assert_eq!(http.get(url).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let (_child, url) = serve(&["serve", "--listen", "127.0.0.1:0"]).await;
    let address = url.trim_start_matches("http://").to_owned();
    let (code, said) =
        tokio::task::spawn_blocking(move || refused(&["serve", "--listen", &address])).await.unwrap();
    assert_eq!(code, Some(5));
    assert!(said.contains("cannot listen on") && said.contains("hint"), "{said}");
}

#[test]
fn wrong_usage_and_settings_are_told_with_their_place() {
    assert_eq!(refused(&["serve", "--outcome", "maybe"]).0, Some(2));
    assert_eq!(refused(&["sevre"]).0, Some(2));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "seed = 1\n[limits]\nbody_bites = 3\n").unwrap();
    let (code, said) = refused(&["serve", "--config", file.path().to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(said.contains("body_bites"), "{said}");
    std::fs::write(
        file.path(),
        "[[acquirers]]\napi_key = \"k\"\naccount = \"krn:a\"\n[[acquirers.webhooks]]\nurl = \"https://a.example\"\n",
    )
    .unwrap();
    let (code, said) = refused(&["serve", "--config", file.path().to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(said.contains("line 4") && said.contains("signing_key_id"), "{said}");
    let (code, said) = refused(&["serve", "--config", "/no/such/file.toml"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("/no/such/file.toml"), "{said}");
}

#[test]
fn help_and_settings_are_worth_reading() {
    let print =
        |arguments: &[&str]| String::from_utf8(program().args(arguments).output().unwrap().stdout).unwrap();
    for expected in [
        "--listen",
        "--public-url",
        "--outcome",
        "--allow-http-webhooks",
        "klarna_test_api_local",
        "Examples",
    ] {
        assert!(print(&["serve", "--help"]).contains(expected), "{expected}");
    }
    assert_eq!(print(&["config"]), klarna_simulator::config::DEFAULTS);
    assert!(print(&["--version"]).starts_with("klarna-simulator "));
}

#[test]
fn a_broken_rules_file_keeps_it_from_starting_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    std::fs::write(&file, "version: 1\nrules:\n  - name: a\n    then: {result: MAYBE}\n").unwrap();
    let (code, told) = refused(&["serve", "--listen", "127.0.0.1:0", "--rules", file.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(told.contains("rules.yaml:4:20: rules[0].then.result"), "{told}");
    let (code, told) = refused(&["serve", "--listen", "127.0.0.1:0", "--rules", "nowhere.yaml"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("nowhere.yaml: the file cannot be read"), "{told}");
}

/// Serves one authorize without an idempotency key, and stops; the exit code, and what was told at the end.
async fn one_bad_call(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = tokio::process::Command::from(program());
    let command = command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    klarna_simulator::install_crypto_provider();
    let url = ready["listening"].as_str().unwrap();
    let account = "krn:partner:global:account:test:ALPHA001";
    let body = crate::klarna::initial("t-1").to_string();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let call = http.post(format!("{url}/v2/accounts/{account}/payment/authorize")).body(body);
    let answer = call.header("authorization", "Basic klarna_test_api_local").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn at_its_end_it_tells_what_it_has_found_and_fails_where_it_is_to() {
    let (code, told) = one_bad_call(&[]).await;
    assert_eq!(code, Some(0));
    assert!(told.contains(" required, "), "{told}");
    let rule = "  required  idempotency-key.present, 1 time; first in krn:partner:global:account:test:ALPHA001 e1p1: ";
    assert!(told.contains(rule), "{told}");
    assert_eq!(one_bad_call(&["--fail-on", "required"]).await.0, Some(1));
    assert_eq!(one_bad_call(&["--fail-on", "any"]).await.0, Some(1));
    assert_eq!(one_bad_call(&["--fail-on", "none"]).await.0, Some(0));
}
