//! Notifications as a Partner reads them: verified by the standard's own library.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::{ALPHA, Exchange, KEY, Reply, Setup, installed, order, secret_of};

/// Verifies what it reads on standard input, and prints what it took from it.
const RECEIVER: &str = "\
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
told = json.load(sys.stdin)
try:
    print(json.dumps(Webhook(told['secret']).verify(told['body'], told['headers'])))
except WebhookVerificationError as error:
    sys.exit(f'refused: {error}')
";

/// What the library makes of a notification: the body, or why it refuses it.
async fn receive(
    python: &Path,
    secret: &str,
    told: &Exchange,
    change: impl FnOnce(&mut Value),
) -> Result<Value, String> {
    let headers: serde_json::Map<_, _> = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .map(|name| (name.to_owned(), told.header(name).unwrap().into()))
        .into_iter()
        .collect();
    let mut input =
        json!({"secret": secret, "headers": headers, "body": String::from_utf8_lossy(&told.body)});
    change(&mut input);
    let mut child = Command::new(python)
        .args(["-c", RECEIVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap());
    }
    Err(String::from_utf8(output.stderr).unwrap())
}

/// What somebody between could do to a notification.
type Change = fn(&mut Value);

#[tokio::test]
async fn the_standards_own_library_takes_what_partners_are_told() {
    let Some(python) = installed("python", "notifications with the library of Standard Webhooks were") else {
        return;
    };
    let setup = Setup::new().await;
    setup.klarna.will([Reply::approved()]);
    let (old, new) = (secret_of(KEY), secret_of(b"alpha's next notification secret"));
    let acquirer = setup
        .start_with(|settings| {
            settings.partners[0].notification_secret = Some(format!("{new},{old}").into());
        })
        .await;
    // Letters of several bytes, as they may be re-encoded on the way.
    acquirer.create(ALPHA, &order("beställning-1")).await;
    let told = setup.partner.await_notifications(1).await;
    acquirer.stop().await;

    for secret in [&old, &new] {
        let taken = receive(&python, secret, &told[0], |_| {}).await.unwrap();
        assert_eq!(taken["data"]["reference"], "beställning-1");
        assert_eq!(taken, told[0].json());
    }
    let strangers = receive(&python, &secret_of(b"another"), &told[0], |_| {}).await.unwrap_err();
    assert!(strangers.contains("refused: "), "{strangers}");
    let changes: [Change; 3] = [
        |told| told["body"] = told["body"].as_str().unwrap().replace("approved", "declined").into(),
        |told| told["headers"]["webhook-id"] = "msg_other".into(),
        |told| told["headers"]["webhook-timestamp"] = "1700000000".into(),
    ];
    for change in changes {
        let refused = receive(&python, &new, &told[0], change).await.unwrap_err();
        assert!(refused.contains("refused: "), "{refused}");
    }
}
