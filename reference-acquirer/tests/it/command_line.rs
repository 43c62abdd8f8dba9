//! The program itself: ready line, stop, exit codes.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use reference_acquirer::config;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::{ALPHA, POSTGRES, Reply, SIGNING_KEY, Setup, TOKEN, client, order};

pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-acquirer"));
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // The tests' own variable has the program's prefix, and would be taken for a setting of its.
    command.env_remove(POSTGRES);
    command
}

pub(crate) async fn ended(args: &[&str]) -> (Option<i32>, String, String) {
    // A program that goes on where it should have ended is a failure, not a wait.
    let output =
        tokio::time::timeout(Duration::from_secs(30), program(args).output()).await.unwrap().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

async fn signal(child: &Child, name: &str) {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
}

#[tokio::test]
async fn it_is_ready_serves_and_stops() {
    for name in ["-TERM", "-INT"] {
        let setup = Setup::new().await;
        let file = setup.config_file();
        let mut child = program(&["serve", "--config", file.to_str().unwrap()]).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).await.unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let base_url = ready["listening"].as_str().unwrap();

        let health = client().get(format!("{base_url}/healthz")).send().await.unwrap();
        let health: Value = health.json().await.unwrap();
        assert_eq!((&health["status"], &health["webhook"]), (&"ok".into(), &"registered".into()));
        let metrics = client().get(format!("{base_url}/metrics")).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("acquirer_klarna_calls_total"), "{metrics}");

        signal(&child, name).await;
        assert_eq!(child.wait().await.unwrap().code(), Some(0), "{name}");
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "", "nothing but the ready line goes to standard output");
    }
}

/// Chatty as can be, the logs of a whole payment hold no key, no token, no personal data.
#[tokio::test]
async fn logs_hold_no_secret() {
    for format in ["text", "json"] {
        let setup = Setup::new().await;
        let file = setup.config_file();
        setup.klarna.will([Reply::step_up(), Reply::approved()]);
        let mut child = program(&["serve", "--config", file.to_str().unwrap()])
            .env("REFERENCE_ACQUIRER_LOGS__FILTER", "trace")
            .env("REFERENCE_ACQUIRER_LOGS__FORMAT", format)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let base_url =
            serde_json::from_str::<Value>(&line).unwrap()["listening"].as_str().unwrap().to_owned();
        let mut order = order("tx-1");
        order["klarna_network_session_token"] = "partner-token".into();
        order["klarna_network_data"] = "{\"canary\":1}".into();
        let mut stderr = child.stderr.take().unwrap();
        let logs = tokio::spawn(async move {
            let mut logs = String::new();
            stderr.read_to_string(&mut logs).await.unwrap();
            logs
        });
        let create = client().post(format!("{base_url}/v1/payments")).bearer_auth(ALPHA).json(&order);
        assert!(create.send().await.unwrap().status().is_success());
        setup.klarna.send_event("e-1", "COMPLETED", &setup.klarna.authorizes()[0]).await;
        setup.partner.await_verified().await;
        signal(&child, "-TERM").await;
        child.wait().await.unwrap();

        let logs = logs.await.unwrap();
        assert!(logs.contains("payment changed") && logs.contains("c-1"), "{logs}");
        for secret in [
            "klarna_test_api_local",
            ALPHA,
            "whsec_",
            TOKEN,
            "partner-token",
            SIGNING_KEY,
            "canary",
            "Alva",
            "customer+se",
            "+46700000000",
            "Gatan",
        ] {
            let line = logs.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} stands in the {format} logs");
        }
    }
}

#[tokio::test]
async fn a_port_that_is_taken() {
    let setup = Setup::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = setup.config_file();
    let (code, stdout, stderr) =
        ended(&["serve", "--listen", &address, "--config", file.to_str().unwrap()]).await;
    assert_eq!((code, stdout.as_str()), (Some(5), ""), "{stderr}");
    assert!(stderr.contains(&format!("cannot listen on {address}")), "{stderr}");
}

/// SQLite is for one process at a time; the second is told so, and the first is not disturbed.
#[tokio::test]
async fn a_database_that_is_in_use() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    let file = setup.config_file();
    let (code, stdout, stderr) = ended(&["serve", "--config", file.to_str().unwrap()]).await;
    assert_eq!((code, stdout.as_str()), (Some(5), ""), "{stderr}");
    assert!(stderr.contains("another process serves ") && stderr.contains("acquirer.db;"), "{stderr}");
    setup.klarna.will([Reply::approved()]);
    assert_eq!(acquirer.create(ALPHA, &order("tx-1")).await.1["status"], "approved");
    acquirer.stop().await;
    setup.start().await.stop().await;
}

#[tokio::test]
async fn two_partners_on_one_account() {
    let setup = Setup::new().await;
    let file = setup.config_file();
    let text = std::fs::read_to_string(&file).unwrap().replace("BETA0001", "ALPHA001");
    let line =
        1 + text.lines().enumerate().filter(|(_, line)| line.contains("test:ALPHA001")).last().unwrap().0;
    std::fs::write(&file, text).unwrap();
    let (code, stdout, stderr) = ended(&["serve", "--config", file.to_str().unwrap()]).await;
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    let complaint = "partners \"alpha\" and \"beta\" share the Klarna account \
                     krn:partner:global:account:test:ALPHA001; each needs its own";
    assert!(stderr.contains(&format!("{}:{line}:13: {complaint}", file.display())), "{stderr}");
}

#[tokio::test]
async fn settings_and_flags_that_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acquirer.toml");
    std::fs::write(&file, "[klarna]\napi_key = 5\n").unwrap();
    let (code, _, stderr) = ended(&["serve", "--config", file.to_str().unwrap()]).await;
    assert_eq!(code, Some(2));
    assert!(stderr.contains("acquirer.toml:2:1: klarna.api_key"), "{stderr}");
    assert_eq!(ended(&["serve", "--config", "/nowhere/acquirer.toml"]).await.0, Some(2));
    assert_eq!(ended(&["serve", "--listne", "x"]).await.0, Some(2));
    assert_eq!(ended(&[]).await.0, Some(2));
}

/// What `new-api-key` prints opens the API: the key for the Partner, its hash for the file.
#[tokio::test]
async fn a_new_api_key_and_its_hash_fit() {
    let setup = Setup::new().await;
    let file = setup.config_file();
    let (code, stdout, _) = ended(&["new-api-key"]).await;
    let (key, hash) = stdout.trim().split_once('\n').unwrap();
    assert_eq!(code, Some(0));
    let key = key.strip_prefix("api_key = \"").unwrap().trim_end_matches('"');
    assert!(hash.starts_with("api_key_sha256 = \""), "{hash}");

    let (code, stdout, stderr) = ended(&["check-config", "--config", file.to_str().unwrap()]).await;
    assert_eq!((code, stdout.trim()), (Some(0), "the settings can be used"));
    assert_eq!(stderr.matches("stands in plain").count(), 2, "{stderr}");
    assert!(!stderr.contains(ALPHA), "{stderr}");

    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(&format!("api_key = \"{ALPHA}\""), hash)).unwrap();
    let (_, _, stderr) = ended(&["check-config", "--config", file.to_str().unwrap()]).await;
    assert_eq!(stderr.matches("stands in plain").count(), 1, "{stderr}");
    let sources = config::Sources { file: Some(file), ..config::Sources::default() };
    let hashed = config::load(&sources).unwrap();
    let acquirer = setup.start_with(|settings| *settings = hashed).await;
    setup.klarna.will([Reply::approved()]);
    assert_eq!(acquirer.create(key, &order("tx-1")).await.1["status"], "approved");
    assert_eq!(acquirer.create(ALPHA, &order("tx-2")).await.0, 401);
    acquirer.stop().await;
}

#[tokio::test]
async fn it_explains_itself() {
    for (args, expected) in [
        (vec!["--help"], "Examples:"),
        (vec!["serve", "--help"], "--klarna-url"),
        (vec!["--version"], "reference-acquirer 0."),
        (vec!["defaults"], "[klarna.retry]"),
    ] {
        let (code, stdout, _) = ended(&args).await;
        assert_eq!(code, Some(0));
        assert!(stdout.contains(expected), "{stdout}");
    }
}
