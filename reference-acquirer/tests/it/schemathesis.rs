//! The document against the acquirer itself: schemathesis calls every operation with what the
//! document allows and with what it does not, and every answer must be in the document.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use reference_acquirer::http::routes::ROUTES;
use serde_json::{Value, json};

use crate::support::{ALPHA, Acquirer, Reply, Setup, client, installed, order};

/// An acquirer with payments of each kind, and its document.
struct Tried {
    program: PathBuf,
    setup: Setup,
    acquirer: Acquirer,
    payments: Vec<String>,
    document: Value,
}

impl Tried {
    async fn start() -> Option<Self> {
        let program = installed("st", "answers with schemathesis were")?;
        let setup = Setup::new().await;
        let acquirer = setup.start().await;
        let mut payments = Vec::new();
        for (index, reply) in [Reply::approved(), Reply::step_up(), Reply::declined()].into_iter().enumerate()
        {
            setup.klarna.will([reply]);
            let (_, payment) = acquirer.create(ALPHA, &order(&format!("tx-{index}"))).await;
            payments.push(payment["payment_id"].as_str().unwrap().to_owned());
        }
        setup.klarna.will(std::iter::repeat_with(Reply::approved).take(20_000));
        setup.klarna.will_operate(std::iter::repeat_with(Reply::captured).take(20_000));
        let document = client().get(format!("{}/openapi.json", acquirer.base_url)).send().await.unwrap();
        let document = document.json().await.unwrap();
        Some(Self { program, setup, acquirer, payments, document })
    }

    /// Runs it with the same data each time: whether all held, and what it printed.
    async fn run(&self, more: &[&str]) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        let document = folder.path().join("openapi.json");
        std::fs::write(&document, self.document.to_string()).unwrap();
        let mut command = tokio::process::Command::new(&self.program);
        command
            .current_dir(folder.path())
            .env(
                "SCHEMATHESIS_HOOKS",
                Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis/hooks.py"),
            )
            .env("PAYMENTS", self.payments.join(","))
            .args(["run", document.to_str().unwrap(), "--url", &self.acquirer.base_url])
            .args(["--header", &format!("Authorization: Bearer {ALPHA}")])
            .args(["--seed", "7", "--max-examples", "20", "--generation-database", "none", "--no-color"])
            // What fits a schema may still be refused: what a Partner did before, which URLs are safe and
            // whether network data is JSON stand in no schema.
            .args(["--exclude-checks", "positive_data_acceptance"])
            .args(more)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.success(), said.into_owned())
    }
}

#[tokio::test]
async fn no_answer_is_outside_the_document() {
    let Some(tried) = Tried::start().await else { return };
    let (held, said) = tried.run(&[]).await;
    assert!(held, "{said}");
    assert!(said.contains(&format!("Tested: {}\n", ROUTES.len())), "not all were called: {said}");
    // It came through to Klarna, and to what can be done with a payment.
    assert!(tried.setup.klarna.authorizes().len() > 10, "{said}");
    assert!(tried.setup.klarna.operations().len() > 10, "{said}");
    tried.acquirer.stop().await;
}

#[tokio::test]
async fn an_answer_outside_the_document_is_seen() {
    let Some(mut tried) = Tried::start().await else { return };
    let payment = tried.document.pointer_mut("/components/schemas").unwrap().as_object_mut().unwrap();
    let payment =
        payment.iter_mut().find(|(_, schema)| schema["properties"].get("payment_methods").is_some());
    payment.unwrap().1["required"] = json!(["payment_methods", "more_than_there_is"]);
    let only = ["--include-path", "/v1/payment-methods", "--phases", "fuzzing"];
    let (held, said) = tried.run(&only).await;
    assert!(!held && said.contains("more_than_there_is"), "{said}");
    tried.acquirer.stop().await;
}
