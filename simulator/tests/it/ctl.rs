//! `klarna-simulator ctl`: the control API for shells.

use std::process::Command;

use klarna_simulator::Simulator;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Klarna};

/// Runs `ctl` against a simulator: exit code, standard output, standard error.
async fn ctl(klarna: &Klarna, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_klarna-simulator"));
    program.arg("ctl").args(arguments).env("KLARNA_SIMULATOR_URL", klarna.url(""));
    program.env("KLARNA_SIMULATOR_ACCOUNT", ALPHA).env("KLARNA_SIMULATOR_TOKEN", "a-secret");
    let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn the_command_does_what_the_calls_do() {
    let klarna = Klarna::guarded().await;
    let (code, out, err) = ctl(&klarna, &["sandbox.put", r#"{"seed": 3}"#]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["seed"], 3);
    let (code, out, _) = ctl(&klarna, &["journal.read", "-q", "operation=authorize"]).await;
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["entries"], json!([]));
    let (code, out, err) = ctl(&klarna, &["rules.put", r#"{"rules": [{"name": "a"}]}"#]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("does nothing") && err.contains("hint"), "{err}");
    assert_eq!(ctl(&klarna, &["sandbox.paint"]).await.0, Some(2));
    assert_eq!(ctl(&klarna, &["snapshot.restore"]).await.0, Some(2));
    assert_eq!(ctl(&klarna, &["sandbox.read", "{}"]).await.0, Some(2));
    let (code, _, err) = ctl(&klarna, &["sandboxes.list", "--url", "http://127.0.0.1:1"]).await;
    assert_eq!(code, Some(5), "{err}");
    let (code, _, err) = ctl(&klarna, &["sandboxes.list", "--token", "wrong"]).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("guarded by a token"), "{err}");
}

#[tokio::test]
async fn what_is_no_json_is_found_before_it_is_sent() {
    let klarna = Klarna::guarded().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{\n  \"seed\": ,\n}").unwrap();
    let in_file = format!("@{}", file.path().display());
    for (body, place) in [("{\"seed\": 3", "line 1 column 10"), (in_file.as_str(), "line 2 column 11")] {
        // Nobody is there to be asked.
        let (code, out, err) = ctl(&klarna, &["sandbox.put", body, "--url", "http://127.0.0.1:1"]).await;
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains("the body is no JSON") && err.contains(place), "{err}");
        assert!(err.contains(r#"hint: sandbox.put takes such as '{"seed": 7"#), "{err}");
    }
    assert_eq!(ctl(&klarna, &["sandbox.put", ""]).await.0, Some(0), "none at all is an empty object");
}

#[tokio::test]
async fn by_tls_it_says_what_it_does_not_trust_and_how_to_mend_it() {
    let klarna = Klarna::trusted(Simulator::builder().tls()).await;
    let trusted = klarna.simulator.ca_file().unwrap().to_str().unwrap().to_owned();
    assert_eq!(ctl(&klarna, &["sandboxes.list", "--ca-file", &trusted]).await.0, Some(0));
    let (code, _, err) = ctl(&klarna, &["sandboxes.list"]).await;
    assert_eq!(code, Some(5), "{err}");
    assert!(err.contains("UnknownIssuer") && err.contains("hint: ") && err.contains("--ca-file"), "{err}");
    let other = Klarna::trusted(Simulator::builder().tls()).await;
    let other = other.simulator.ca_file().unwrap().to_str().unwrap().to_owned();
    let (code, _, err) = ctl(&klarna, &["sandboxes.list", "--ca-file", &other]).await;
    assert_eq!(code, Some(5), "{err}");
    assert!(err.contains(&format!("{other} vouches for another")), "{err}");
    let plain = klarna.url("").replace("https:", "http:");
    let (code, _, err) = ctl(&klarna, &["sandboxes.list", "--url", &plain]).await;
    assert_eq!(code, Some(5), "{err}");
    assert!(err.contains("its URL begins with https"), "{err}");
}

#[tokio::test]
async fn a_file_of_an_authority_that_cannot_be_used_is_named() {
    let klarna = Klarna::guarded().await;
    let (code, _, err) = ctl(&klarna, &["sandboxes.list", "--ca-file", "/no/such/ca.pem"]).await;
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("/no/such/ca.pem cannot be read") && err.contains("hint: "), "{err}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let name = file.path().display().to_string();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["no certificate", broken] {
        std::fs::write(file.path(), text).unwrap();
        let (code, _, err) = ctl(&klarna, &["sandboxes.list", "--ca-file", &name]).await;
        assert_eq!(code, Some(2), "{text}: {err}");
        assert!(err.contains(&name) && err.contains("certificate"), "{text}: {err}");
    }
}

#[tokio::test]
async fn where_nobody_is_it_says_why_and_what_to_do() {
    let klarna = Klarna::guarded().await;
    let (code, _, err) = ctl(&klarna, &["sandboxes.list", "--url", "http://127.0.0.1:1"]).await;
    assert_eq!(code, Some(5));
    assert!(err.contains("refused") && err.contains("klarna-simulator serve"), "{err}");
}

#[tokio::test]
async fn its_help_shows_what_each_operation_takes() {
    let klarna = Klarna::guarded().await;
    let (code, out, _) = ctl(&klarna, &["--help"]).await;
    assert_eq!(code, Some(0));
    for expected in [
        "  sandbox.put --account ACCOUNT [JSON]\n",
        "  intent.put --account ACCOUNT JSON\n",
        "  snapshot.restore --account ACCOUNT --name NAME\n",
        "  transaction.charge_back --account ACCOUNT --id ID JSON\n",
        "  account.forget [--acquirer ACCOUNT] JSON\n",
        "  journal.export --account ACCOUNT -q format=VALUE\n",
        "'{\"what\": \"both\"}'",
        "-q format, redact, after",
    ] {
        assert!(out.contains(expected), "{expected} in\n{out}");
    }
}
