//! Every operation of the table can be called by a method.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::http::{Method as Verb, StatusCode, Uri};
use klarna_schemas::simulator::control::{
    ActAsCustomer, ArmFault, CustomerAct, ExportFormat, Fault, JournalExport, JournalQuery, MintSessionToken,
    MintedTokenState, PutSandbox, Registrations, ReleaseWebhooks, RequestEnd, SetClock, SetEvolution,
};
use klarna_schemas::simulator::rules::RulesFile;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::control::operations::{CONTROL, ControlOperation};

/// Whether a call is one of this operation: parts of its path in braces stand for anything.
fn is_of(operation: &ControlOperation, method: &str, path: &str) -> bool {
    let expected = format!("{BASE}{}", operation.path);
    let (expected, path): (Vec<_>, Vec<_>) = (expected.split('/').collect(), path.split('/').collect());
    operation.method == method
        && expected.len() == path.len()
        && expected.iter().zip(path).all(|(part, is)| part.starts_with('{') || *part == is)
}

fn made<T: DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap()
}

/// Calls every method, of one that refuses everything.
async fn call_all(control: &ControlClient) {
    let (sandbox, acquirer) = (&"a:b".into(), "c:d");
    let query = &JournalQuery::default();
    let export = JournalExport { format: ExportFormat::Har, redact: None };
    let fault = &ArmFault::once("authorize", Fault::Stall);
    let token = &MintSessionToken { length: None, state: MintedTokenState::Unused };
    let request = &"krn:r".into();
    let act = &ActAsCustomer::new("krn:r".into(), CustomerAct::Open);
    drop(control.sandboxes().await);
    drop(control.put_sandbox(sandbox, &PutSandbox::default()).await);
    drop(control.sandbox(sandbox).await);
    drop(control.delete_sandbox(sandbox).await);
    drop(control.declare_intent(sandbox, &made(json!({"amount": 1, "currency": "SEK"}))).await);
    drop(control.set_presentation(sandbox, &made(json!({"instruction": "HIDE_KLARNA"}))).await);
    drop(control.mint_session_token(sandbox, token).await);
    drop(control.make_partner_key(sandbox).await);
    drop(control.set_clock(sandbox, &SetClock::Freeze(true)).await);
    drop(control.take_snapshot(sandbox, None).await);
    drop(control.snapshots(sandbox).await);
    drop(control.drop_snapshot(sandbox, "a/b").await);
    drop(control.restore(sandbox, "a/b").await);
    drop(control.queue_outcomes(sandbox, &[]).await);
    drop(control.put_rules(sandbox, &RulesFile::of(Vec::new())).await);
    drop(control.rules(sandbox).await);
    drop(control.explain(sandbox, &made(json!({}))).await);
    drop(control.rules_file().await);
    drop(control.reload_rules().await);
    drop(control.evolve(sandbox, &SetEvolution::default()).await);
    drop(control.evolution(sandbox).await);
    drop(control.arm_fault(sandbox, fault).await);
    drop(control.armed_faults(sandbox).await);
    drop(control.lift_faults(sandbox).await);
    drop(control.arm_account_fault(acquirer, fault).await);
    drop(control.armed_account_faults(acquirer).await);
    drop(control.lift_account_faults(acquirer).await);
    drop(control.send_webhook(sandbox, &made(json!({"event_type": "e"}))).await);
    drop(control.waiting_webhooks(sandbox).await);
    drop(control.release_webhooks(sandbox, &ReleaseWebhooks::default()).await);
    drop(control.forget_registrations(acquirer, Registrations::Both).await);
    drop(control.act_as_customer(sandbox, request, CustomerAct::Open).await);
    drop(control.act(sandbox, act).await);
    drop(control.end_payment_request(sandbox, request, RequestEnd::Cancel).await);
    drop(control.charge_back(sandbox, &"krn:t".into(), made(json!(1))).await);
    drop(control.journal(sandbox, query).await);
    drop(control.account_journal(acquirer, query).await);
    drop(control.lobby_journal(query).await);
    drop(control.account_findings(acquirer).await);
    drop(control.lobby_findings().await);
    drop(control.follow_journal(sandbox, query).await);
    drop(control.follow_account_journal(acquirer, query).await);
    drop(control.export_journal(sandbox, query, export).await);
    drop(control.export_account_journal(acquirer, query, export).await);
    drop(control.follow_lobby_journal(query).await);
    drop(control.export_lobby_journal(query, export).await);
    drop(control.findings(sandbox, None).await);
}

#[tokio::test]
async fn each_operation_has_a_method() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let app = axum::Router::new().fallback(async move |method: Verb, uri: Uri| {
        noted.lock().unwrap().push((method.to_string(), uri.path().to_owned()));
        StatusCode::NOT_FOUND
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    call_all(&ControlClient::new(base.parse().unwrap()).unwrap()).await;
    server.abort();
    let mut called = BTreeSet::new();
    for (method, path) in seen.lock().unwrap().iter() {
        let operation = CONTROL.iter().find(|one| is_of(one, method, path));
        called.insert(operation.unwrap_or_else(|| panic!("{method} {path} is no operation")).id);
    }
    let all: BTreeSet<_> = CONTROL.iter().map(|one| one.id).collect();
    assert_eq!(called, all);
}
