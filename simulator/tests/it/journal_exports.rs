//! The journal written out: as an archive, as a script, and as lines that are equal for equal calls.

use std::process::Command;

use base64::Engine as _;
use klarna_schemas::simulator::control::{
    ArmFault, CustomerAct, Fault, MintSessionToken, MintedTokenState, PutSandbox, SetClock,
};
use klarna_simulator::Simulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::journal::{busy, journal_path, page, text};
use crate::klarna::{ALPHA, KEY, Klarna, TOKEN, initial, last};
use crate::sink::Sink;

#[tokio::test]
async fn an_archive_is_what_browsers_open_and_tells_no_secret() {
    let klarna = busy().await;
    let archive: Value =
        serde_json::from_str(&text(&klarna, &journal_path("/export?format=har")).await).unwrap();
    assert_eq!(archive["log"]["version"], "1.2");
    let entries = archive["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), page(&klarna, &[]).await.entries.len());
    for entry in entries {
        // What HAR 1.2 asks of each entry.
        for (member, kind) in [("startedDateTime", "text"), ("time", "number"), ("cache", "object")] {
            let there = match kind {
                "text" => entry[member].is_string(),
                "number" => entry[member].is_number(),
                _ => entry[member].is_object(),
            };
            assert!(there, "{member}: {entry}");
        }
        for member in
            ["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"]
        {
            assert!(!entry["request"][member].is_null(), "request.{member}: {entry}");
        }
        for member in [
            "status",
            "statusText",
            "httpVersion",
            "cookies",
            "headers",
            "content",
            "redirectURL",
            "headersSize",
            "bodySize",
        ] {
            assert!(!entry["response"][member].is_null(), "response.{member}: {entry}");
        }
        for member in ["send", "wait", "receive"] {
            assert!(entry["timings"][member].is_number());
        }
        assert!(entry["request"]["url"].as_str().unwrap().starts_with("http"));
    }
    let token =
        page(&klarna, &[("header", TOKEN)]).await.entries[0].request.header(TOKEN).unwrap().to_owned();
    for format in ["har", "curl", "ndjson"] {
        let black = text(&klarna, &journal_path(&format!("/export?format={format}"))).await;
        assert!(!black.contains(&token) && !black.contains(KEY), "{format}");
    }
    let plain = text(&klarna, &journal_path("/export?format=har&redact=false")).await;
    assert!(plain.contains(&token) && !plain.contains(KEY));
}

#[tokio::test]
async fn the_script_makes_the_calls_again_byte_for_byte() {
    let klarna = Klarna::start().await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
    let bodies: [&[u8]; 5] = [
        initial("t-1").to_string().leak().as_bytes(),
        "{\"currency\": \"SEK\",\n \"it's\": \"å $HOME `x` \\\\\"}".as_bytes(),
        b"\x00\x01\xff no text",
        b"@/etc/hostname",
        b"",
    ];
    for body in bodies {
        let request = klarna.http.post(klarna.url(&path)).header("authorization", format!("Basic {KEY}"));
        let request = request.header("content-type", "application/json").header("x-odd", "it's; \"odd\"");
        request.body(body).send().await.unwrap();
    }
    let before = page(&klarna, &[]).await;
    let script = text(&klarna, &journal_path("/export?format=curl&redact=false")).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("again.sh");
    std::fs::write(&file, script).unwrap();
    let klarna_url = klarna.url("");
    let ran = tokio::task::spawn_blocking(move || {
        let mut bash = Command::new("bash");
        bash.arg(&file)
            .env("KLARNA_BASE_URL", klarna_url)
            .env("KLARNA_API_KEY", KEY)
            .env("no_proxy", "*")
            .output()
            .unwrap()
    });
    let ran = ran.await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let after = page(&klarna, &[("after", &before.next_after.to_string())]).await;
    assert_eq!(after.entries.len(), before.entries.len());
    for (one, other) in before.entries.iter().zip(&after.entries) {
        assert_eq!(one.request.body(), other.request.body());
        assert_eq!(one.request.target, other.request.target);
        assert_eq!(one.request.header("x-odd"), other.request.header("x-odd"));
    }
}

#[tokio::test]
async fn an_archive_has_cookies_and_forms_and_stands_in_the_order_of_beginnings() {
    let klarna = busy().await;
    let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
    let form = klarna.http.post(klarna.url(&path)).header("authorization", format!("Basic {KEY}"));
    let form = form.header("cookie", "sid=one; lang=sv").form(&[("a", "1 2"), ("b", "å")]);
    klarna.send(form).await;
    let exported = text(&klarna, &journal_path("/export?format=har&redact=false")).await;
    let archive: Value = serde_json::from_str(&exported).unwrap();
    let entries = archive["log"]["entries"].as_array().unwrap();
    let request = &entries.last().unwrap()["request"];
    assert_eq!(request["cookies"], json!([{"name": "sid", "value": "one"}, {"name": "lang", "value": "sv"}]));
    let params = json!([{"name": "a", "value": "1 2"}, {"name": "b", "value": "å"}]);
    assert_eq!(request["postData"]["params"], params);
    let started: Vec<_> = entries.iter().map(|entry| entry["startedDateTime"].as_str().unwrap()).collect();
    let started: Vec<jiff::Timestamp> = started.into_iter().map(|at| at.parse().unwrap()).collect();
    assert!(started.is_sorted());
}

#[tokio::test]
async fn what_is_secret_is_blackened_wherever_it_stands() {
    let settings = |settings: &mut klarna_simulator::config::Settings| {
        settings.acquirers[0].api_key = "by-hand-without-any-form".into();
    };
    let klarna = Klarna::with(settings).await;
    klarna.control().put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let wish = MintSessionToken { state: MintedTokenState::Completed, length: None };
    let minted = klarna.control().mint_session_token(&ALPHA.into(), &wish).await.unwrap();
    let token = minted.klarna_network_session_token;
    let own = "by-hand-without-any-form";
    let other = "klarna_test_api_another_one";
    let brought = "brought-along-by-a-partner";
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!(":{own}"));
    let percent = token.replace(':', "%3A");
    let path = format!("/v2/accounts/{ALPHA}/payment/requests/x");
    let get = |target: String, headers: &[(&str, &str)]| {
        let mut request =
            klarna.http.get(klarna.url(&target)).header("authorization", format!("Basic {encoded}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        klarna.send(request)
    };
    get(format!("{path}?klarna_network_session_token={percent}&k={own}&auth={encoded}"), &[]).await;
    get(format!("{path}?k={other}&{percent}&password=hunter2"), &[(TOKEN, brought)]).await;
    let headers = [
        ("X-Api-Key", "sesame-one"),
        ("X-Forwarded-Authorization", "Basic sesame-two"),
        ("Proxy-Authorization", "Basic sesame-three"),
        ("Cookie", "sid=sesame-four"),
        ("X-Odd", encoded.as_str()),
        ("X-Seen", brought),
    ];
    get(path.clone(), &headers).await;
    let body = json!({"x": token, "note": format!("it is {own}"), other: [brought]}).to_string();
    let authorize = klarna.http.post(klarna.url(&format!("/v2/accounts/{ALPHA}/payment/authorize")));
    let authorize = authorize.header("authorization", format!("Basic {encoded}"));
    klarna.send(authorize.header("content-type", "application/json").body(body)).await;
    let secrets = [&token, &percent, own, other, brought, &encoded, "sesame", "hunter2"].map(str::to_owned);
    for format in ["har", "curl", "ndjson"] {
        let mut black = text(&klarna, &journal_path(&format!("/export?format={format}"))).await;
        // Bodies in base64 are looked into, too.
        let words: Vec<String> = black
            .split(|at: char| !at.is_ascii_alphanumeric() && !"+/=".contains(at))
            .map(str::to_owned)
            .collect();
        for word in words {
            let read = base64::engine::general_purpose::STANDARD.decode(word).unwrap_or_default();
            black.push_str(&String::from_utf8_lossy(&read));
        }
        for secret in &secrets {
            assert!(!black.contains(secret.as_str()), "{format}: {secret}\n{black}");
        }
        let plain = text(&klarna, &journal_path(&format!("/export?format={format}&redact=false"))).await;
        assert!(plain.contains("sesame-four"), "{format}");
    }
}

/// A fresh simulator whose webhooks come to this listener.
async fn fresh(sink: &Sink) -> Klarna {
    let klarna =
        Klarna::of(Simulator::builder().seed(11).public_url("https://klarna.example".parse().unwrap())).await;
    sink.subscribe(&klarna, &["payment.*"]).await;
    klarna
}

/// Everything that has a part in a payment, each webhook at its third attempt.
async fn script(klarna: &Klarna, sink: &Sink) -> String {
    sink.fail_each(2);
    let control = klarna.control();
    let account = ALPHA.into();
    let epoch = control.put_sandbox(&account, &PutSandbox::default()).await.unwrap().epoch.to_string();
    let awaited = async |state: &str| {
        let operation = format!("event:payment.request.state-change.{state}");
        let query = [("operation", operation.as_str()), ("epoch", &epoch), ("wait_ms", "10000")];
        page(klarna, &query).await.entries.remove(0)
    };
    control.set_clock(&account, &SetClock::Freeze(true)).await.unwrap();
    let then = SetClock::Set("2030-01-01T00:00:00Z".parse().unwrap());
    control.set_clock(&account, &then).await.unwrap();
    let key = |key| [("Klarna-Idempotency-Key", key)];
    let stepped_up = klarna.authorize(ALPHA, &key("k-1"), &initial("t-1")).await;
    awaited("submitted").await;
    klarna.act(&stepped_up, CustomerAct::Approve).await;
    let event = awaited("completed").await;
    let token =
        event.request.json().unwrap()["payload"]["klarna_network_session_token"].as_str().unwrap().to_owned();
    control.arm_fault(&account, &ArmFault::once("authorize", Fault::LoseAnswer)).await.unwrap();
    let headers = [("Klarna-Idempotency-Key", "k-2"), (TOKEN, token.as_str())];
    let path = format!("/v2/accounts/{ALPHA}/payment/authorize");
    assert!(klarna.post(&path, &headers, &last("t-1")).send().await.is_err());
    let approved = klarna.authorize(ALPHA, &headers, &last("t-1")).await;
    let id = approved.body["payment_transaction_response"]["payment_transaction"]["payment_transaction_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let capture = json!({"capture_amount": 100});
    let path = format!("/v2/accounts/{ALPHA}/payment/transactions/{id}/capture");
    assert_eq!(klarna.call(Method::POST, &path, &key("k-3"), Some(&capture)).await.status, 201);
    klarna.authorize(ALPHA, &key("k-4"), &json!({"currency": "SEK"})).await;
    klarna.authorize(ALPHA, &key("k-1"), &last("t-9")).await;
    control.set_clock(&account, &SetClock::Advance(jiff::SignedDuration::from_hours(2))).await.unwrap();
    let exported = text(klarna, &journal_path("/export?format=stable")).await;
    assert!(exported.lines().count() >= 8, "{exported}");
    exported
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_journal_byte_for_byte() {
    let sink = Sink::start().await;
    let klarna = fresh(&sink).await;
    let first = script(&klarna, &sink).await;
    assert!(first.matches("\"status\":503").count() >= 6, "events are tried again: {first}");
    for _ in 0..2 {
        assert_same_lines(&first, &script(&fresh(&sink).await, &sink).await);
    }
    // Deleted and made again on the same simulator, it is as fresh.
    klarna.call(Method::DELETE, &format!("/_simulator/v1/sandboxes/{ALPHA}"), &[], None).await;
    assert_same_lines(&first, &script(&klarna, &sink).await);
    // After a reset it is another epoch, and all that is made of it.
    let reset = script(&klarna, &sink).await;
    let second: Vec<&str> = reset.lines().filter(|line| line.contains("\"epoch\":2")).collect();
    assert_eq!(second.len(), first.lines().count());
    for (one, other) in first.lines().zip(second) {
        let member = |line: &str, name: &str| serde_json::from_str::<Value>(line).unwrap()[name].clone();
        for name in ["operation", "virtual_at", "direction", "ended", "findings", "fault"] {
            assert_eq!(member(one, name), member(other, name), "{name}");
        }
        let payment = member(one, "payment").as_str().map(|name| name.replace("e1", "e2"));
        assert_eq!(member(other, "payment").as_str().map(str::to_owned), payment);
    }
}

/// Asks that two texts are equal, and tells the first line in which they are not.
#[track_caller]
fn assert_same_lines(one: &str, other: &str) {
    for (left, right) in one.lines().zip(other.lines()) {
        assert_eq!(left, right);
    }
    assert_eq!(one.lines().count(), other.lines().count());
}
