//! The program, killed with SIGKILL at the worst moments and started again on the same database:
//! the same calls go on, and the Partner is told once.

use std::process::Stdio;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::{
    ALPHA, Exchange, Hears, POSTGRES, Reply, Setup, assert_same_call, client, order, verify,
};

struct Program {
    child: Child,
    base_url: String,
}

async fn start(setup: &Setup) -> Program {
    let file = setup.config_file();
    let mut child = Command::new(env!("CARGO_BIN_EXE_reference-acquirer"))
        .args(["serve", "--config", file.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        // The tests' own variable has the program's prefix, and would be taken for a setting of its.
        .env_remove(POSTGRES)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    Program { child, base_url: ready["listening"].as_str().unwrap().to_owned() }
}

impl Program {
    /// SIGKILL: no handler runs, nothing is flushed.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    async fn create(&self, reference: &str) -> Value {
        let request = client().post(format!("{}/v1/payments", self.base_url)).bearer_auth(ALPHA);
        request.json(&order(reference)).send().await.unwrap().json().await.unwrap()
    }

    async fn status_of(&self, payment: &Value) -> Value {
        let url = format!("{}/v1/payments/{}", self.base_url, payment["payment_id"].as_str().unwrap());
        let read: Value = client().get(url).bearer_auth(ALPHA).send().await.unwrap().json().await.unwrap();
        read["status"].clone()
    }
}

/// A program with one payment that waits for its customer.
async fn stepped_up() -> (Setup, Program, Value, Exchange) {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::step_up()]);
    let program = start(&setup).await;
    let payment = program.create("tx-1").await;
    assert_eq!(payment["status"], "step_up_required");
    let initial = setup.klarna.authorizes().remove(0);
    (setup, program, payment, initial)
}

/// Approved, by one logical final call, and told under one id. Another payment is the fence.
async fn assert_finalised_once(setup: &Setup, program: Program, payment: &Value) {
    let is_told = |told: &Exchange| told.json()["data"]["reference"] == "tx-1";
    let told = setup.partner.heard.await_matching(1, is_told).await;
    assert_eq!(told[0].json()["data"]["status"], "approved");
    assert_eq!(program.status_of(payment).await, "approved");
    setup.klarna.will([Reply::approved()]);
    program.create("tx-fence").await;
    setup.partner.heard.await_matching(1, |told| told.json()["data"]["reference"] == "tx-fence").await;
    program.kill().await;

    let ours = |call: &Exchange| {
        call.json()["request_payment_transaction"]["payment_transaction_reference"] == "tx-1"
            && call.json().get("step_up_config").is_none()
    };
    let finals = setup.klarna.heard.matching(|call| call.is_authorize() && ours(call));
    assert!(!finals.is_empty());
    assert_same_call(&finals);
    let told = setup.partner.heard.matching(is_told);
    for attempt in &told {
        verify(attempt);
        assert_eq!(attempt.header("webhook-id"), told[0].header("webhook-id"));
        assert_eq!(attempt.body, told[0].body);
    }
}

#[tokio::test]
async fn after_the_webhook_was_answered() {
    let (setup, program, payment, initial) = stepped_up().await;
    // As many as may be needed: whether the first run came to the final call is chance.
    setup.klarna.will((0..2).map(|_| Reply::approved()));
    assert_eq!(setup.klarna.send_event("e-1", "COMPLETED", &initial).await, StatusCode::OK);
    program.kill().await;
    let program = start(&setup).await;
    assert_finalised_once(&setup, program, &payment).await;
}

#[tokio::test]
async fn while_the_final_call_hangs() {
    let (setup, program, payment, initial) = stepped_up().await;
    setup.klarna.will([Reply::Held(json!({})), Reply::approved()]);
    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;
    setup.klarna.await_authorizes(2).await;
    program.kill().await;
    // Klarna answers after the kill, to nobody.
    setup.klarna.let_go();
    let program = start(&setup).await;
    setup.klarna.await_authorizes(3).await;
    assert_finalised_once(&setup, program, &payment).await;
}

/// Killed again and again, and between retries too.
#[tokio::test]
async fn again_and_again() {
    let (setup, mut program, payment, initial) = stepped_up().await;
    setup.klarna.will([Reply::error(500, "TIMEOUT"), Reply::Held(json!({})), Reply::Held(json!({}))]);
    setup.klarna.will([Reply::approved()]);
    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;
    for hung in [3, 4] {
        setup.klarna.await_authorizes(hung).await;
        program.kill().await;
        program = start(&setup).await;
    }
    setup.klarna.await_authorizes(5).await;
    assert_finalised_once(&setup, program, &payment).await;
}

#[tokio::test]
async fn before_the_partner_was_told() {
    let (setup, program, payment, initial) = stepped_up().await;
    setup.klarna.will([Reply::approved()]);
    setup.partner.will([Hears::Hangs]);
    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;
    setup.partner.await_notifications(1).await;
    program.kill().await;
    let program = start(&setup).await;
    let told = setup.partner.await_notifications(2).await;
    assert_eq!(told[0].header("webhook-id"), told[1].header("webhook-id"));
    assert_finalised_once(&setup, program, &payment).await;
    // Klarna's answer was kept: no second final call.
    let finals =
        |call: &Exchange| call.is_authorize() && call.header("klarna-network-session-token").is_some();
    assert_eq!(setup.klarna.heard.matching(finals).len(), 1);
}

#[tokio::test]
async fn while_the_initial_call_hangs() {
    let setup = Setup::new().await;
    setup.klarna.will([Reply::Held(json!({})), Reply::approved()]);
    let program = start(&setup).await;
    let url = format!("{}/v1/payments", program.base_url);
    let create = client().post(url).bearer_auth(ALPHA).json(&order("tx-1")).send();
    let killed = async {
        setup.klarna.await_authorizes(1).await;
        program.kill().await;
    };
    let (answer, ()) = tokio::join!(create, killed);
    assert!(answer.is_err());
    let program = start(&setup).await;
    assert_eq!(setup.partner.await_verified().await["data"]["status"], "approved");
    assert_same_call(&setup.klarna.await_authorizes(2).await);
    // The Partner, not having heard anything, asks again and gets the payment.
    assert_eq!(program.create("tx-1").await["status"], "approved");
    program.kill().await;
    assert_eq!(setup.klarna.authorizes().len(), 2);
}
