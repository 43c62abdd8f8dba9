//! The client of the control API: what its calls bring.

use futures::StreamExt as _;
use klarna_schemas::simulator::control::{
    Evolution, ExportFormat, JournalExport, JournalQuery, PutSandbox, SetEvolution,
};
use klarna_simulator::control::client::{ControlError, Followed};

use crate::klarna::{ALPHA, BETA, Klarna, initial};

const LOCAL: &str = "krn:partner:global:account:test:LOCALACQ";

fn of(operation: &str) -> JournalQuery {
    JournalQuery { operation: Some(operation.to_owned()), ..JournalQuery::default() }
}

/// The operation of what came.
fn operation(followed: Option<Result<Followed, ControlError>>) -> String {
    match followed {
        Some(Ok(Followed::Entry(entry))) => entry.operation.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn sandboxes_are_listed_and_deleted() {
    let klarna = Klarna::start().await;
    let control = klarna.control();
    for account in [ALPHA, BETA] {
        control.put_sandbox(&account.into(), &PutSandbox::default()).await.unwrap();
    }
    let listed = control.sandboxes().await.unwrap().sandboxes;
    assert_eq!(listed.iter().map(|one| one.account.as_str()).collect::<Vec<_>>(), [ALPHA, BETA]);
    control.delete_sandbox(&ALPHA.into()).await.unwrap();
    assert_eq!(control.sandboxes().await.unwrap().sandboxes.len(), 1);
    let again = control.delete_sandbox(&ALPHA.into()).await;
    assert!(matches!(again, Err(ControlError::Refused { status: 404, .. })), "{again:?}");
}

#[tokio::test]
async fn evolution_is_read_as_it_was_put() {
    let klarna = Klarna::start().await;
    let control = klarna.control();
    control.put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    assert_eq!(control.evolution(&ALPHA.into()).await.unwrap(), SetEvolution::default());
    let kinds = SetEvolution { kinds: [Evolution::LongerIds].into() };
    control.evolve(&ALPHA.into(), &kinds).await.unwrap();
    assert_eq!(control.evolution(&ALPHA.into()).await.unwrap(), kinds);
}

#[tokio::test]
async fn a_journal_is_followed_until_the_sandbox_is_gone() {
    let klarna = Klarna::start().await;
    let control = klarna.control();
    control.put_sandbox(&ALPHA.into(), &PutSandbox::default()).await.unwrap();
    let mut followed = Box::pin(control.follow_journal(&ALPHA.into(), &of("authorize")).await.unwrap());
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    assert_eq!(operation(followed.next().await), "authorize");
    klarna.authorize(ALPHA, &[], &initial("t-2")).await;
    let Some(Ok(Followed::Entry(second))) = followed.next().await else { panic!("nothing came") };
    assert!(String::from_utf8(second.request.body()).unwrap().contains("t-2"));
    // Reading on behind the first entry finds the second, which is there already.
    let behind = JournalQuery { after: Some(second.seq - 1), ..of("authorize") };
    let mut resumed = Box::pin(control.follow_journal(&ALPHA.into(), &behind).await.unwrap());
    assert!(matches!(resumed.next().await, Some(Ok(Followed::Entry(entry))) if entry.seq == second.seq));
    control.delete_sandbox(&ALPHA.into()).await.unwrap();
    assert!(followed.next().await.is_none());
    let refused = control.follow_journal(&ALPHA.into(), &of("authorize")).await.err();
    let Some(ControlError::Refused { status: 404, detail, .. }) = refused else { panic!("{refused:?}") };
    assert!(detail.contains("\n  hint: ") && !detail.contains('{'), "for people: {detail}");
}

#[tokio::test]
async fn an_acquirers_journal_is_followed_and_written_out() {
    let klarna = Klarna::start().await;
    let control = klarna.control();
    klarna.get("/v2/notification/webhooks").await;
    let mut followed = Box::pin(control.follow_account_journal(LOCAL, &of("webhook.list")).await.unwrap());
    assert_eq!(operation(followed.next().await), "webhook.list");
    let export = JournalExport { format: ExportFormat::Ndjson, redact: None };
    let text = control.export_account_journal(LOCAL, &of("webhook.*"), export).await.unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[tokio::test]
async fn a_journal_is_written_out_in_each_form() {
    let klarna = Klarna::start().await;
    let control = klarna.control();
    klarna.authorize(ALPHA, &[], &initial("t-1")).await;
    for (format, redact, says) in [
        (ExportFormat::Har, None, "\"version\":\"1.2\""),
        (ExportFormat::Curl, None, "curl"),
        (ExportFormat::Ndjson, Some(false), "authorize"),
        (ExportFormat::Stable, None, "authorize"),
    ] {
        let export = JournalExport { format, redact };
        let text = control.export_journal(&ALPHA.into(), &of("authorize"), export).await.unwrap();
        let bare: String = text.split_whitespace().collect();
        assert!(bare.contains(says), "{format:?}: {text}");
        let none = control.export_journal(&ALPHA.into(), &of("signing_key.list"), export).await.unwrap();
        assert!(none.len() < text.len(), "{format:?}: the conditions hold");
    }
}
