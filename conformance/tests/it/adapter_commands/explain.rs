//! `adapter explain`: a request that can be pasted, and answers read with reasons.

use std::process::Command;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use tempfile::TempDir;

use super::{SOUND, adapter, adapter_told, write};

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "acme.yaml", SOUND);
    folder
}

const CREATE: &[&str] = &["explain", "create_payment", "--acquirer", "acme.yaml"];

#[test]
fn the_calls_stand_as_curl_lines_and_rules_in_words() {
    let folder = folder();
    adapter(folder.path(), CREATE, &[])
        .must_exit(0)
        .must_print("before create_payment, call 1")
        .must_print("curl -sS -i -X POST 'http://127.0.0.1:9/payments/'\"$SESSION\"")
        .must_print("-H 'authorization: Bearer '\"$ACME_KEY\"")
        .must_print("$ACME_KEY is partner.vars.key")
        .must_print("$SESSION is session, read from an earlier answer")
        .must_print("1. where the status is 201, and $.state is paid or done: approved")
        .must_print(
            "2. where the status is 2xx, and $.action is there, and the header X-Kind is web: step_up",
        )
        .must_print("3. where the status is 4xx: invalid")
        .must_print("payment_id    $.id")
        .must_print("redirect_url  the header location");
}

/// Pasted into a shell with the secret in its environment, the line makes the call.
#[tokio::test]
async fn the_curl_line_makes_the_call() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let record = std::sync::Arc::clone(&seen);
    let router = axum::Router::new().fallback(async move |uri: Uri, headers: HeaderMap, body: Bytes| {
        let authorization = headers["authorization"].to_str().unwrap().to_owned();
        record.lock().unwrap().push((authorization, uri.path().to_owned(), body));
        (StatusCode::CREATED, [("location", "/go")], "{\"state\":\"done\",\"id\":\"p-1\"}")
    });
    let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(socket, router).await });
    let folder = folder();
    let path = folder.path().to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let args = [CREATE, &["--base-url", &url]].concat();
        let said = adapter(&path, &args, &[]);
        let line = said.out.lines().rfind(|line| line.trim().starts_with("curl ")).unwrap().to_owned();
        let ran = Command::new("sh")
            .args(["-c", &line])
            .envs([("ACME_KEY", "from-the-shell"), ("SESSION", "s-1")])
            .output()
            .unwrap();
        std::fs::write(path.join("answer.txt"), ran.stdout).unwrap();
        adapter(&path, &[CREATE, &["--answer-file", "answer.txt"]].concat(), &[])
    });
    answer
        .await
        .unwrap()
        .must_exit(0)
        .must_print("rule 1 fits")
        .must_print("payment_id: p-1")
        .must_print("redirect_url: /go");
    server.abort();
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0].0, "Bearer from-the-shell");
    assert_eq!(seen[0].1, "/payments/s-1");
    let body: serde_json::Value = serde_json::from_slice(&seen[0].2).unwrap();
    assert_eq!(body["amount"], "459.00");
}

#[test]
fn an_answer_is_read_with_the_reasons_of_each_rule() {
    let folder = folder();
    let answered = |answer: &str, body: &str| {
        adapter_told(folder.path(), &[CREATE, &["--answer", answer]].concat(), body)
    };
    answered("201:-", "{\"state\":\"done\",\"id\":7}")
        .must_exit(0)
        .must_print("rule 1 fits")
        .must_print("so the outcome is approved")
        .must_print("payment_id: 7")
        .must_print("redirect_url: nothing at the header location");
    answered("202:-", "{\"action\":{},\"state\":\"open\"}")
        .must_exit(1)
        .must_print(
            "rule 1 does not fit: the status is 202, and not 201; $.state is \"open\", and not paid or done",
        )
        .must_print("rule 2 does not fit: the header X-Kind finds nothing, and not web")
        .must_print("rule 3 does not fit: the status is 202, and not 4xx")
        .must_print("so nobody knows what it means")
        .must_complain("no rule of operations.create_payment.answer.outcome fits the answer");
    answered("404", "").must_exit(0).must_print("so the outcome is invalid");

    write(
        folder.path(),
        "answer.txt",
        "HTTP/1.1 202 Accepted\r\nX-Kind: web\r\nLocation: /go\r\n\r\n{\"action\":{}}",
    );
    adapter(folder.path(), &[CREATE, &["--answer-file", "answer.txt"]].concat(), &[])
        .must_exit(0)
        .must_print("rule 2 fits")
        .must_print("redirect_url: /go")
        .must_print("payment_id: nothing at $.id");
}

/// What follows a payment has words of its own, and names what the answers before it gave.
#[test]
fn a_capture_is_explained_by_what_was_read_before_it() {
    let folder = folder();
    adapter(folder.path(), &["explain", "capture"], &[])
        .must_exit(0)
        .must_print("\"$PAYMENT_ID\"")
        .must_print("$PAYMENT_ID is payment_id, read from an earlier answer")
        .must_print(": done");
    adapter(folder.path(), &["explain", "cancel", "--acquirer", "acme.yaml"], &[])
        .must_exit(2)
        .must_complain("the adapter binds no operation cancel");
}

#[test]
fn what_cannot_be_explained_is_told() {
    let folder = folder();
    let explain = |args: &[&str]| adapter(folder.path(), &[&["explain"], args].concat(), &[]);
    explain(&["creat_payment"]).must_exit(2).must_complain("did you mean \"create_payment\"?");
    explain(&["list_payment_methods", "--acquirer", "acme.yaml"])
        .must_exit(2)
        .must_complain("acme.yaml: the adapter binds no operation list_payment_methods")
        .must_complain("it binds create_payment, read_payment");
    explain(&["create_payment", "--answer", "2xx"]).must_exit(2).must_complain("\"2xx\" is no HTTP status");
    explain(&["create_payment", "--answer-file", "acme.yaml"]).must_exit(2).must_complain("curl -i");
    write(folder.path(), "bad.yaml", "version: 1\n");
    explain(&["create_payment", "--acquirer", "bad.yaml"]).must_exit(3).must_complain("bad.yaml");
}
