//! Acquirers behind one address, a Partner who buys from them, and what the simulator saw of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klarna_schemas::ids::PartnerAccountId;
use klarna_schemas::simulator::control::{JournalQuery, PutSandbox};
use klarna_schemas::simulator::journal::JournalEntry;
use klarna_simulator::Simulator;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::parties::{Balancer, Ears};

/// The Partner's account, and its key at the acquirer.
const ACCOUNT: &str = "krn:partner:global:account:test:ALPHA001";
const KEY: &str = "alpha-test-key";

/// For whatever must come about.
pub(super) const DEADLINE: Duration = Duration::from_mins(4);

/// After how long an acquirer's claim is anybody's: more than three calls to Klarna.
pub(super) const LEASE: Duration = Duration::from_millis(3500);

/// What a Partner waits for an answer before it asks again.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) struct Fleet {
    pub(super) simulator: Simulator,
    pub(super) balancer: Balancer,
    pub(super) programs: Vec<Program>,
    pub(super) ears: Ears,
    config: PathBuf,
    http: reqwest::Client,
    _folder: TempDir,
}

/// One process.
pub(super) struct Program {
    pub(super) child: Child,
    pub(super) base_url: String,
}

impl Fleet {
    /// A simulator that asks each customer, who approves; so many acquirers; `None` is a SQLite file.
    pub(super) async fn start(count: usize, postgres: Option<&str>) -> Self {
        klarna_simulator::install_crypto_provider();
        let simulator = Simulator::builder().seed(7).start().await.unwrap();
        step_up_and_approve(&simulator).await;
        let (ears, notification_url) = Ears::start().await;
        let balancer = Balancer::start().await;
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite://{}", folder.path().join("acquirer.db").display());
        let config = folder.path().join("acquirer.toml");
        let text = format!(
            r#"
            listen = "127.0.0.1:0"
            public_url = "{public}"
            database = "{database}"
            database_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
            [klarna]
            base_url = "{klarna}"
            api_key = "klarna_test_api_local"
            timeout_ms = 1000
            retry = {{ attempts = 9, first_ms = 20, max_ms = 500 }}
            [outbox]
            poll_ms = 200
            lease_ms = {lease}
            [reconcile]
            first_ms = 4000
            every_ms = 2000
            [create]
            answer_ms = 2000
            [notifications]
            timeout_ms = 1000
            span_ms = 600000
            retry = {{ first_ms = 20, max_ms = 500 }}
            [registration]
            check_ms = 1000
            check_gap_ms = 1
            [logs]
            filter = "error"
            [[partners]]
            name = "alpha"
            api_key = "{KEY}"
            klarna_partner_account = "{ACCOUNT}"
            notification_url = "{notification_url}"
            notification_secret = "whsec_YWxwaGEtbm90aWZpY2F0aW9uLXNlY3JldA=="
            "#,
            public = balancer.url,
            database = postgres.unwrap_or(&file),
            klarna = simulator.base_url(),
            lease = LEASE.as_millis(),
        );
        std::fs::write(&config, text).unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).pool_max_idle_per_host(0);
        let http = http.build().unwrap();
        let mut fleet =
            Self { simulator, balancer, programs: Vec::new(), ears, config, http, _folder: folder };
        for _ in 0..count {
            fleet.programs.push(Program::start(&fleet.config).await);
        }
        fleet.lead_to_all();
        fleet
    }

    /// The balancer hears of the programs that there are now.
    fn lead_to_all(&self) {
        let addresses = self.programs.iter().map(|program| {
            let url = program.base_url.trim_start_matches("http://");
            url.trim_end_matches('/').parse().unwrap()
        });
        self.balancer.lead_to(addresses.collect());
    }

    /// SIGKILL, and the same once more from the beginning.
    pub(super) async fn restart(&mut self, index: usize) {
        self.programs[index].child.kill().await.unwrap();
        self.programs[index] = Program::start(&self.config).await;
        self.lead_to_all();
    }

    /// What a Partner does, whoever answers.
    pub(super) fn shop(&self) -> Shop {
        Shop {
            url: self.balancer.url.clone(),
            http: self.http.clone(),
            bought: Arc::default(),
            closed: Arc::default(),
        }
    }

    /// Every payment that was begun has its one end everywhere, and nobody has anything left to do.
    pub(super) async fn everything_is_accounted_for(&self, bought: usize) {
        let wanted: BTreeSet<String> = (0..bought).map(reference).collect();
        until("the Partner is told of all", async || {
            let ends = self.ears.ends();
            (ends.len() >= wanted.len()).then_some(())
        })
        .await;
        let ends = self.ears.ends();
        assert_eq!(ends.keys().cloned().collect::<BTreeSet<_>>(), wanted);
        for (reference, ends) in &ends {
            assert_eq!(ends, &["approved"], "{reference}: one notification, told under one id");
        }

        // By Klarna's journal: each payment is one, and its final call is one call.
        let mut calls: BTreeMap<String, Vec<Call>> = BTreeMap::new();
        for entry in self.authorizes().await {
            let call = Call::of(&entry);
            calls.entry(call.transaction.clone()).or_default().push(call);
        }
        assert_eq!(calls.len(), bought, "payments at Klarna");
        for (transaction, calls) in &calls {
            for is_final in [false, true] {
                let same: Vec<_> = calls.iter().filter(|call| call.is_final == is_final).collect();
                let first = same.first().unwrap_or_else(|| panic!("{transaction}: no such call"));
                assert!(same.iter().all(|call| call.same == first.same), "{transaction}: {same:#?}");
            }
            let approved = calls.iter().any(|call| call.is_final && call.result == "APPROVED");
            assert!(approved, "{transaction} {calls:#?}");
        }

        until("no work is open", async || {
            let mut open = 0.0;
            for program in &self.programs {
                open += program.open_work(&self.http).await.unwrap_or(0.0);
            }
            (open == 0.0).then_some(())
        })
        .await;
    }

    async fn authorizes(&self) -> Vec<JournalEntry> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let query = JournalQuery {
                after: Some(after),
                operation: Some("authorize".to_owned()),
                ..JournalQuery::default()
            };
            let page = self.simulator.control().journal(&account(), &query).await.unwrap();
            assert_eq!(page.dropped, 0, "the journal was too small for this test");
            if page.entries.is_empty() {
                return all;
            }
            after = page.entries.last().unwrap().seq.max(after + 1);
            all.extend(page.entries);
        }
    }

    /// How many signing keys and webhooks Klarna has of the acquirer.
    pub(super) async fn registered(&self) -> (usize, usize) {
        let count = async |what: &str, list: &str| {
            let url = self.simulator.base_url().join(&format!("v2/notification/{what}")).unwrap();
            let request = self.http.get(url).header("authorization", "Basic klarna_test_api_local");
            let answer: Value = request.send().await.unwrap().json().await.unwrap();
            answer[list].as_array().unwrap_or_else(|| panic!("{answer}")).len()
        };
        (count("signing-keys", "signing_keys").await, count("webhooks", "webhooks").await)
    }
}

impl Program {
    /// One that has a SQLite file and the Partner, in a folder under a name, and these settings more:
    /// lines of `[klarna]`, and whole tables.
    pub(super) async fn start_in(
        folder: &std::path::Path,
        name: &str,
        simulator: &Simulator,
        [klarna, tables]: [&str; 2],
    ) -> Self {
        let config = folder.join(format!("{name}.toml"));
        let text = format!(
            r#"
            listen = "127.0.0.1:0"
            database = "sqlite://{folder}/{name}.db"
            database_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
            [klarna]
            base_url = "{base_url}"
            api_key = "klarna_test_api_local"
            {klarna}
            [logs]
            filter = "off"
            {tables}
            [[partners]]
            name = "alpha"
            api_key = "{KEY}"
            klarna_partner_account = "{ACCOUNT}"
            "#,
            folder = folder.display(),
            base_url = simulator.base_url(),
        );
        std::fs::write(&config, text).unwrap();
        Self::start(&config).await
    }

    pub(super) async fn start(config: &std::path::Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_klarna-conformance"))
            .args(["__reference-acquirer", "serve", "--config", config.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { child, base_url: ready["listening"].as_str().unwrap().to_owned() }
    }

    /// What became of a payment, once that is known.
    pub(super) async fn sells(&self, number: usize) -> Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let payments = format!("{}/v1/payments", self.base_url.trim_end_matches('/'));
        let asked = http.post(&payments).bearer_auth(KEY).json(&order(number)).send().await.unwrap();
        let made: Value = asked.json().await.unwrap();
        let payment =
            format!("{payments}/{}", made["payment_id"].as_str().unwrap_or_else(|| panic!("{made}")));
        until("the payment has its end", async || {
            let read = http.get(&payment).bearer_auth(KEY).send().await.ok()?;
            let payment: Value = read.json().await.ok()?;
            let open = ["pending", "step_up_required"].contains(&payment["status"].as_str()?);
            (!open).then_some(payment)
        })
        .await
    }

    /// What it says of its registration at Klarna, once that is known.
    pub(super) async fn registration(&self) -> Value {
        let url = format!("{}/healthz", self.base_url.trim_end_matches('/'));
        until("Klarna has answered", async || {
            let health: Value = reqwest::get(&url).await.ok()?.json().await.ok()?;
            (health["webhook"] != "trying").then_some(health)
        })
        .await
    }

    pub(super) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_raw(self.child.id().unwrap().try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// `None` where nobody answers.
    async fn open_work(&self, http: &reqwest::Client) -> Option<f64> {
        let metrics = http.get(format!("{}/metrics", self.base_url.trim_end_matches('/')));
        let text = metrics.send().await.ok()?.text().await.ok()?;
        let mut rows = text.lines().filter(|line| line.starts_with("acquirer_open_work_rows{")).peekable();
        // It is measured now and then; before that nothing is known.
        if rows.peek().is_none() {
            return Some(f64::NAN);
        }
        Some(rows.map(|row| row.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum())
    }
}

/// Buys until it is told to close, and asks again whenever it is not answered.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    url: String,
    http: reqwest::Client,
    bought: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
}

impl Shop {
    /// So many at once; answers how many there were in all.
    pub(super) async fn open(&self, at_once: usize) -> usize {
        let tills = (0..at_once).map(|_| async {
            while !self.closed.load(Ordering::Relaxed) {
                self.buy(self.bought.fetch_add(1, Ordering::Relaxed)).await;
            }
        });
        futures::future::join_all(tills).await;
        self.bought()
    }

    pub(super) fn bought(&self) -> usize {
        self.bought.load(Ordering::Relaxed)
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    async fn buy(&self, number: usize) {
        let order = order(number);
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        let taken = async {
            loop {
                ticks.tick().await;
                let request = self.http.post(format!("{}/v1/payments", self.url)).bearer_auth(KEY);
                let Ok(answer) = request.json(&order).send().await else { continue };
                let status = answer.status();
                if status.is_success() {
                    return;
                }
                let why = answer.text().await;
                assert!(status.is_server_error(), "{status} {why:?}");
            }
        };
        tokio::time::timeout(DEADLINE, taken).await.unwrap();
    }
}

/// What a Partner posts.
pub(super) fn order(number: usize) -> Value {
    json!({"reference": reference(number), "amount": 1000 + number, "currency": "SEK",
        "mode": "redirect", "purchase_reference": reference(number),
        "customer": {"given_name": "Alva", "family_name": "Ek", "email": "customer+se@klarna.com",
            "phone": "+46700000000"},
        "billing_address": {"street_address": "Gatan 1", "postal_code": "11122", "city": "Stockholm",
            "country": "SE"}, "return_url": "https://shop.test/back",
        "order_lines": [{"name": "Shoe", "quantity": 1, "total_amount": 1000 + number}]})
}

/// Asks each customer for a step-up, and has the customer approve.
pub(super) async fn step_up_and_approve(simulator: &Simulator) {
    let rules = json!([{"name": "steps up", "then":
        {"result": "STEP_UP_REQUIRED", "customer": [{"act": "approve"}]}}]);
    let wish = PutSandbox { rules: serde_json::from_value(rules).unwrap(), ..PutSandbox::default() };
    simulator.control().put_sandbox(&account(), &wish).await.unwrap();
}

/// One authorize as Klarna saw it.
#[derive(Debug)]
struct Call {
    transaction: String,
    is_final: bool,
    /// What must be alike in all repetitions: key and body.
    same: (String, String),
    result: String,
}

impl Call {
    fn of(entry: &JournalEntry) -> Self {
        let json = |text: &str| -> Value {
            serde_json::from_slice(&STANDARD.decode(text).unwrap()).unwrap_or_default()
        };
        let body = json(&entry.request.body_base64);
        let key = entry
            .request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("klarna-idempotency-key"));
        let answer = entry.response.as_ref().map(|response| json(&response.body_base64)).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            transaction: text(&body["request_payment_transaction"]["payment_transaction_reference"]),
            is_final: body.get("step_up_config").is_none(),
            same: (key.unwrap().1.clone(), entry.request.body_base64.clone()),
            result: text(&answer["payment_transaction_response"]["result"]),
        }
    }
}

pub(super) fn account() -> PartnerAccountId {
    PartnerAccountId::from(ACCOUNT)
}

fn reference(number: usize) -> String {
    format!("order-{number:05}")
}

/// Looks now and then until there is something.
pub(super) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let seen = async {
        loop {
            ticks.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    };
    let in_time = tokio::time::timeout(DEADLINE, seen).await;
    in_time.unwrap_or_else(|_| panic!("this never came: {what}"))
}

/// Lets time pass, for what happens at a moment that nobody foresees.
pub(super) async fn pass(time: Duration) {
    let never = tokio::time::timeout(time, std::future::pending::<()>());
    assert!(never.await.is_err());
}

/// A schema of a test's own in the PostgreSQL that tests may use; `None` where there is none, which in
/// CI is no excuse.
pub(super) async fn postgres() -> Option<(String, String, String)> {
    const NAME: &str = "ACQUIRER_TEST_POSTGRES";
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    let (server, ci) = (std::env::var(NAME), std::env::var_os("CI"));
    let Ok(server) = server else {
        assert!(ci.is_none(), "CI leaves nothing out: {NAME} must name a server");
        return None;
    };
    let schema = reference_acquirer::chance::new_id("fleet");
    let url = reference_acquirer::store::make_schema(&server, &schema).await.unwrap();
    Some((server, schema, url))
}
