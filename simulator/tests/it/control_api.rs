//! The control API as a product: its document, and its page of examples.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use klarna_schemas::catalogue::{check, check_against};
use klarna_schemas::simulator::control::{CallKind, PutSandbox, QueuedOutcome};
use klarna_simulator::Simulator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{ALPHA, Klarna, initial};

const LOCAL: &str = "krn:partner:global:account:test:LOCALACQ";

async fn document(klarna: &Klarna) -> Value {
    klarna.send(klarna.http.get(klarna.url("/_simulator/openapi.json"))).await.body
}

/// Every operation of the document: by its id, its whole description.
fn operations(document: &Value) -> BTreeMap<String, Value> {
    let paths = document["paths"].as_object().unwrap().values();
    paths
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| (operation["operationId"].as_str().unwrap().to_owned(), operation.clone()))
        .collect()
}

#[tokio::test]
async fn the_document_is_openapi_and_every_reference_in_it_leads_somewhere() {
    let klarna = Klarna::start().await;
    let document = document(&klarna).await;
    let schema: Value = serde_json::from_str(include_str!("openapi-3.1.schema.json")).unwrap();
    assert_eq!(check_against(&schema, &document).unwrap(), Vec::<String>::new());
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        open.extend(value.as_object().into_iter().flat_map(|members| members.values()));
        open.extend(value.as_array().into_iter().flatten());
    }
}

/// The examples of the page: the operation, and its line of shell.
fn examples(page: &str) -> Vec<(String, String)> {
    let sections = page.split("\n### ").skip(1);
    sections
        .map(|section| {
            let name = section.lines().next().unwrap().to_owned();
            let line = section.split("```sh\n").nth(1).unwrap().split("\n```").next().unwrap();
            (name, line.to_owned())
        })
        .collect()
}

/// A Payment Request that is open, and a transaction of which something was captured.
async fn request_and_transaction(klarna: &Klarna, number: usize) -> (String, String) {
    let control = klarna.control();
    let then = ["STEP_UP_REQUIRED", "APPROVED"];
    let then = then
        .map(|result| QueuedOutcome { force: true, ..QueuedOutcome::once(CallKind::Initial, result.into()) });
    // What examples have queued comes first: a new sandbox has nothing.
    control.put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    control.queue_outcomes(&ALPHA.into(), &then).await.unwrap();
    let stepped_up = klarna.authorize(ALPHA, &[], &initial(&format!("r-{number}"))).await;
    let approved = klarna.authorize(ALPHA, &[], &initial(&format!("t-{number}"))).await;
    let transaction = &approved.body["payment_transaction_response"]["payment_transaction"];
    let transaction = transaction["payment_transaction_id"].as_str().unwrap().to_owned();
    let path = format!("/v2/accounts/{ALPHA}/payment/transactions/{transaction}/capture");
    let capture = json!({"capture_amount": 1000});
    let captured = klarna.call(Method::POST, &path, &[], Some(&capture)).await;
    assert!(captured.status < 300, "{}", captured.body);
    (stepped_up.request_id(), transaction)
}

#[tokio::test]
async fn every_operation_has_an_example_that_works_and_answers_as_its_schema_says() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    std::fs::write(&rules, "version = 1\n").unwrap();
    let klarna = Klarna::of(Simulator::builder().rules(rules)).await;
    let operations = operations(&document(&klarna).await);
    let examples = examples(include_str!("../../../docs/control-api.md"));
    let shown: BTreeSet<_> = examples.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(shown, operations.keys().cloned().collect());
    for (number, (name, line)) in examples.into_iter().enumerate() {
        let (mut request, mut transaction) = (String::new(), String::new());
        if line.contains("$request") || line.contains("$transaction") {
            (request, transaction) = request_and_transaction(&klarna, number).await;
        }
        let klarna_url = klarna.url("");
        let shell =
            format!("set -eu\ncurl() {{ command curl --noproxy '*' --fail-with-body \"$@\"; }}\n{line}");
        let run = tokio::task::spawn_blocking(move || {
            let mut bash = Command::new("bash");
            bash.args(["-c", &shell]).env("klarna", klarna_url).env("account", ALPHA).env("acquirer", LOCAL);
            bash.env("request", request).env("transaction", transaction).output().unwrap()
        });
        let output = run.await.unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{name}: {line}\n{out}\n{err}");
        let answers = &operations[&name]["responses"];
        let (_, success) =
            answers.as_object().unwrap().iter().find(|(status, _)| status.starts_with('2')).unwrap();
        let reference = success["content"]["application/json"]["schema"]["$ref"].as_str();
        let Some(component) = reference.and_then(|reference| reference.rsplit('/').next()) else { continue };
        // `SimulatorJournalPage` is simulator/journal-page.
        let mut file = String::new();
        for letter in component.chars() {
            if letter.is_uppercase() && !file.is_empty() {
                file.push('-');
            }
            file.extend(letter.to_lowercase());
        }
        let file = match file.split_once('-') {
            Some(("simulator", rest)) => format!("simulator/{rest}"),
            _ => format!("klarna/{file}"),
        };
        let answer: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(check(&file, &answer).unwrap(), [], "{name}: {answer:#}");
    }
}
