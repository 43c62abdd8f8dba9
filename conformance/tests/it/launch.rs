//! Starting an acquirer, watching it, stopping it; and one payment through each of the two that the
//! repository has, beside a real simulator.

use std::path::Path;
use std::time::Duration;

use klarna_conformance::adapter::{Adapter, AdapterSource, BoundAcquirer, Mode, Outcome};
use klarna_conformance::launch::{self, LaunchError, RunningAcquirer};
use klarna_conformance::partner::{Notification, PartnerStandIn, Verification};
use klarna_schemas::ids::PaymentRequestId;
use klarna_schemas::simulator::control::{CustomerAct, Intent, JournalQuery, PutSandbox};
use klarna_simulator::{Simulator, UnknownAccounts};
use tempfile::TempDir;

use crate::adapter::{context, foreign, load, order};

const LONG: Duration = Duration::from_secs(20);

/// An adapter that launches a shell script; `load` has removed the adapter's own folder by then.
fn shell(script: &str, ready: &str) -> Adapter {
    let script = serde_json::to_string(script).unwrap();
    load(&format!(
        r#"
version: 1
name: script
launch: {{command: [sh, -c, {script}], cwd: /, ready: {{{ready}}}}}
partners: [{{name: alpha, klarna_account: "krn:a", vars: {{key: s3cret-key}}}}]
operations:
  create_payment:
    request: {{method: POST, path: /}}
    answer: {{outcome: [{{status: 201, is: approved}}], read: {{payment_id: $.id}}}}
"#
    ))
    .unwrap()
}

async fn start(adapter: &Adapter) -> (Result<RunningAcquirer, LaunchError>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let started = launch::start(adapter, context(folder.path())).await;
    (started, folder)
}

async fn refused(script: &str, ready: &str) -> String {
    start(&shell(script, ready)).await.0.map(drop).unwrap_err().to_string()
}

const JSON: &str = "stdout_json: listening, within_ms: 3000";

#[tokio::test]
async fn an_acquirer_that_does_not_get_ready_is_told_with_its_last_words() {
    let text = refused("echo no database >&2; exit 3", JSON).await;
    assert!(
        text.contains("it ended before it told where it listens (it ended with exit status: 3)"),
        "{text}"
    );
    assert!(text.contains("    no database"), "{text}");

    let text = refused("echo starting up; exec cat", JSON).await;
    assert!(text.contains("no JSON object: starting up") && text.contains("hint: "), "{text}");

    let text = refused("exec tail -f /dev/null", "stdout_json: listening, within_ms: 200").await;
    assert!(text.contains("it was not ready within 200 ms"), "{text}");
    assert!(text.contains("it wrote nothing"), "{text}");

    let text =
        refused("echo \"key $KLARNA_API_KEY s3cret-key\"; exit 1", "http: \"{{ acquirer.base_url }}/\"")
            .await;
    assert!(text.contains("it ended with exit status: 1"), "{text}");
    assert!(text.contains("key [REDACTED] [REDACTED]"), "{text}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let adapter = load(
        "version: 1\nname: x\nlaunch: {command: [./no-such-program], cwd: /}\npartners: [{name: a, klarna_account: k}]\n\
         operations: {create_payment: {request: {method: POST, path: /}, answer: {outcome: [{is: approved}], read: {payment_id: $.id}}}}\n",
    )
    .unwrap();
    let text = start(&adapter).await.0.map(drop).unwrap_err().to_string();
    assert!(text.contains("./no-such-program cannot be started") && text.contains("hint: "), "{text}");

    let adapter = shell("exit 0", JSON).file().to_owned();
    assert!(!Path::new(&adapter).exists(), "its folder is gone");
    let yaml = "version: 1\nname: x\nlaunch: {command: [sh]}\npartners: [{name: a, klarna_account: k}]\n\
         operations: {create_payment: {request: {method: POST, path: /}, answer: {outcome: [{is: approved}], read: {payment_id: $.id}}}}\n";
    let text = start(&load(yaml).unwrap()).await.0.map(drop).unwrap_err().to_string();
    assert!(text.contains("there is no folder"), "{text}");
}

/// `./acquirer` and `cwd` begin at the adapter's own folder, wherever the suite was started.
#[cfg(unix)]
#[tokio::test]
async fn relative_paths_begin_at_the_adapter() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    let program = folder.path().join("below/acquirer");
    std::fs::write(&program, format!("#!/bin/sh\n{SERVES} pwd >&2; exec tail -f /dev/null\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let path = folder.path().join("acme.yaml");
    std::fs::write(
        &path,
        "version: 1\nname: x\nlaunch: {command: [./acquirer], cwd: below}\npartners: [{name: a, klarna_account: k}]\n\
         operations: {create_payment: {request: {method: POST, path: /}, answer: {outcome: [{is: approved}], read: {payment_id: $.id}}}}\n",
    )
    .unwrap();
    let adapter = Adapter::load(&AdapterSource::File(path)).unwrap();
    let (running, _work) = start(&adapter).await;
    let running = running.unwrap();
    assert!(said(&running, "/").await.contains("http"), "the ready line");
    assert!(said(&running, "below").await.ends_with("/below"));
    running.stop().await;
}

#[tokio::test]
async fn nothing_at_the_address_that_is_attached_to_is_told() {
    let adapter = load(
        "version: 1\nname: x\nattach: {base_url: \"http://127.0.0.1:9\"}\npartners: [{name: a, klarna_account: k}]\n\
         operations: {create_payment: {request: {method: POST, path: /}, answer: {outcome: [{is: approved}], read: {payment_id: $.id}}}}\n",
    )
    .unwrap();
    let error = start(&adapter).await.0.map(drop).unwrap_err();
    assert!(matches!(error, LaunchError::NothingThere { .. }), "{error}");
    assert!(error.to_string().contains("KLARNA_BASE_URL="), "{error}");
}

const SERVES: &str = "echo '{\"listening\":\"http://127.0.0.1:1\"}'; echo ready >&2;";

#[tokio::test]
async fn it_is_asked_to_stop_and_may_say_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("trap 'echo goodbye >&2; exit 0' TERM; {SERVES} tail -f /dev/null & wait");
    let mut context = context(folder.path());
    let log = folder.path().join("reports/acquirer.log");
    context.log_file = Some(log.clone());
    let running = launch::start(&shell(&script, JSON), context).await.unwrap();
    assert_eq!(running.base_url().as_str(), "http://127.0.0.1:1/");
    assert_eq!(running.has_died(), None);
    running.stop().await;
    let text = std::fs::read_to_string(log).unwrap();
    assert!(text.ends_with("goodbye\n") && text.contains("listening"), "{text}");
}

/// Lines of the log that hold `mark`, as soon as there is one.
async fn said(running: &RunningAcquirer, mark: &str) -> String {
    let said = async {
        loop {
            match running.log_tail(50).lines().find(|line| line.contains(mark)) {
                Some(line) => return line.to_owned(),
                None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(LONG, said).await.unwrap()
}

/// A wrapper script that does not pass signals on must leave nothing behind.
#[tokio::test]
async fn what_a_wrapper_started_ends_with_it() {
    for stop in [true, false] {
        let script =
            format!("{SERVES} sh -c 'echo inner $$ >&2; exec tail -f /dev/null' & trap '' TERM; wait");
        let (running, _folder) = start(&shell(&script, JSON)).await;
        let running = running.unwrap();
        let line = said(&running, "inner ").await;
        let pid: i32 = line.trim_start_matches("inner ").parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        assert!(rustix::process::test_kill_process(pid).is_ok());
        if stop {
            running.stop().await;
        } else {
            drop(running);
        }
        // Somebody must still collect it, then it is no more.
        let gone = async {
            while std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))
                .is_ok_and(|stat| !stat.contains(") Z "))
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LONG, gone).await.unwrap();
    }
}

#[tokio::test]
async fn a_death_is_noticed() {
    let (running, _folder) = start(&shell(&format!("{SERVES} exit 9"), JSON)).await;
    let running = running.unwrap();
    let died = async {
        loop {
            match running.has_died() {
                Some(how) => return how,
                None => tokio::task::yield_now().await,
            }
        }
    };
    assert_eq!(tokio::time::timeout(LONG, died).await.unwrap(), "it ended with exit status: 9");
    running.stop().await;
}

#[tokio::test]
async fn it_gets_the_launch_environment() {
    let script = format!(
        "{SERVES} echo \"$KLARNA_BASE_URL|$PARTNER_NOTIFICATION_URL|$PARTNER_RETURN_URL|$ACQUIRER_LISTEN|${{KLARNA_CA_FILE-none}}\" >&2; exec tail -f /dev/null"
    );
    let (running, _folder) = start(&shell(&script, JSON)).await;
    let running = running.unwrap();
    assert_eq!(
        said(&running, "|").await,
        "http://127.0.0.1:9|http://127.0.0.1:9/notifications|http://127.0.0.1:9/shop/return|127.0.0.1:0|none"
    );
    running.stop().await;
}

/// Everything that a payment needs.
struct Stage {
    simulator: Simulator,
    stand_in: PartnerStandIn,
    running: RunningAcquirer,
    bound: BoundAcquirer,
    adapter: Adapter,
    folder: TempDir,
}

impl Stage {
    async fn set(adapter: Adapter) -> Self {
        let simulator =
            Simulator::builder().seed(7).unknown_accounts(UnknownAccounts::Refuse).start().await.unwrap();
        for partner in adapter.partners() {
            simulator.control().put_sandbox(&partner.klarna_account, &PutSandbox::default()).await.unwrap();
        }
        let stand_in = PartnerStandIn::start(adapter.listen().partner, &adapter).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut context = context(folder.path());
        context.klarna_base_url = simulator.base_url().clone();
        context.partner_base_url = stand_in.base_url().clone();
        let running = launch::start(&adapter, context.clone()).await.unwrap();
        let bound = BoundAcquirer::new(&adapter, running.base_url(), &context).unwrap();
        Self { simulator, stand_in, running, bound, adapter, folder }
    }

    /// One step-up payment from the order to the Partner's ears.
    async fn step_up_payment(&self, index: usize, mode: Mode) {
        let partner = &self.adapter.partners()[index];
        let control = self.simulator.control();
        let data = "{ \"b\" : 1.0,\"a\":\"\\u00e9\\/\",\"b\":2}\n";
        let reference = format!("tx-{index}-{}", mode.as_str());
        let mut order = order(&reference);
        order.mode = mode;
        order.return_url = self.stand_in.return_url(&reference).to_string();
        order.network_data = Some(data.to_owned());
        let intent = Intent {
            network_data: Some(data.to_owned()),
            session_token: None,
            amount: serde_json::from_value(order.amount.into()).unwrap(),
            currency: order.currency.parse().unwrap(),
            purchase_reference: Some(order.purchase_reference.clone()),
            line_items: None,
            customer: None,
            shipping: None,
            payment_option_id: None,
        };
        control.declare_intent(&partner.klarna_account, &intent).await.unwrap();

        let answer = self.bound.create_payment(partner, &order).await.unwrap_or_else(|error| {
            panic!("{error}\n{}", self.running.log_tail(40));
        });
        assert_eq!(answer.outcome, Outcome::StepUp, "{:?}", answer.exchange);
        assert!(
            answer.read["redirect_url"].starts_with(self.simulator.base_url().as_str()),
            "{:?}",
            answer.read
        );
        let payment_id = &answer.read["payment_id"];
        let read = self.bound.read_payment(partner, payment_id).await.unwrap();
        assert_eq!(read.outcome, Outcome::StepUp);

        let request = PaymentRequestId(answer.read["payment_request_id"].clone());
        for act in [CustomerAct::Open, CustomerAct::Approve] {
            control.act_as_customer(&partner.klarna_account, &request, act).await.unwrap();
        }
        let approved = |one: &Notification| one.outcome == Some(Outcome::Approved);
        let heard = self.stand_in.await_notification(payment_id, approved, LONG).await;
        let heard = heard.unwrap_or_else(|instead| {
            panic!("{instead:?} {:?}\n{}", self.stand_in.strays(), self.running.log_tail(60));
        });
        assert_eq!(heard.verified, Verification::Good);
        assert_eq!(heard.partner.as_deref(), Some(partner.name.as_str()));
        let read = self.bound.read_payment(partner, payment_id).await.unwrap();
        assert_eq!(read.outcome, Outcome::Approved);

        let query = JournalQuery { operation: Some("authorize".to_owned()), ..JournalQuery::default() };
        let page = control.journal(&partner.klarna_account, &query).await.unwrap();
        let bodies: Vec<_> = page.entries.iter().filter_map(|entry| entry.request.json()).collect();
        assert!(bodies.len() >= 2, "{bodies:?}");
        assert!(bodies.iter().all(|body| body["klarna_network_data"] == data), "{bodies:?}");
        let findings = control.findings(&partner.klarna_account, None).await.unwrap();
        assert!(findings.findings.is_empty(), "{:#?}", findings.findings);
    }

    async fn strike(self) {
        self.running.stop().await;
        self.simulator.shutdown().await;
    }
}

#[tokio::test]
async fn a_payment_goes_through_the_built_in_acquirer() {
    let adapter = Adapter::load(&AdapterSource::Builtin("reference-acquirer".to_owned())).unwrap();
    let stage = Stage::set(adapter).await;
    tokio::join!(stage.step_up_payment(0, Mode::Redirect), stage.step_up_payment(1, Mode::Sdk));
    stage.strike().await;
}

#[tokio::test]
async fn a_payment_goes_through_an_acquirer_in_another_language() {
    let python = std::process::Command::new("python3").arg("--version").output();
    if !python.is_ok_and(|output| output.status.success()) {
        // This test binary is a place of its own for the environment.
        #[expect(clippy::disallowed_methods, reason = "CI must not skip in silence")]
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "python3 is missing, and CI=true says that it must be there");
        println!("SKIPPED: python3 is missing, so no foreign acquirer was bound");
        return;
    }
    let stage = Stage::set(Adapter::load(&AdapterSource::File(foreign())).unwrap()).await;
    tokio::join!(stage.step_up_payment(0, Mode::Sdk), stage.step_up_payment(1, Mode::Redirect));
    stage.strike().await;
}

#[tokio::test]
async fn rendered_files_are_for_their_owner_only() {
    let adapter = Adapter::load(&AdapterSource::Builtin("reference-acquirer".to_owned())).unwrap();
    let stage = Stage::set(adapter).await;
    let path: &Path = &stage.folder.path().join("acquirer.toml");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("krn:partner:global:account:test:DELTA001"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    stage.strike().await;
}
