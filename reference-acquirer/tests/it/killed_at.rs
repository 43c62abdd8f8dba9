//! The program, killed with SIGKILL at each numbered point of the flow (`src/points.rs`) and started
//! again on the same database: everything comes to its one right end, on SQLite and on PostgreSQL.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use http::{Method, StatusCode};
use klarna_schemas::signature;
use reference_acquirer::points::{ARMED, Point, VARIABLE};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::{
    ALPHA, Database, Exchange, POSTGRES, Setup, assert_same_call, client, event_body, order, verify,
};

/// For all that a test does.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often it is looked whether something has come about that tells nobody.
const LOOK: Duration = Duration::from_millis(40);

/// What a Partner lives through while the program dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    /// Step-up, webhook, final call, notification.
    Purchase,
    /// The same, and the webhook never comes.
    LostWebhook,
    /// The final call is never answered, so the request is canceled.
    Unanswered,
    /// The Partner cancels during the step-up.
    Cancel,
    /// Approved at once, then captured.
    Capture,
    /// Approved at once, then refunded.
    Refund,
}

impl Story {
    fn order(self) -> Value {
        let mut order = order("tx-1");
        if matches!(self, Self::Capture | Self::Refund) {
            // The Partner's own token: Klarna has nothing to ask the customer.
            order["klarna_network_session_token"] = json!("krn:network:eu1:test:session-token:own");
        }
        order
    }

    /// What is done with the payment: the path beneath it, and the body.
    fn operation(self) -> Option<(&'static str, Value)> {
        match self {
            Self::Cancel => Some(("cancel", json!({}))),
            Self::Capture => Some(("captures", json!({"amount": 700, "reference": "op-1"}))),
            Self::Refund => Some(("refunds", json!({"amount": 700, "reference": "op-1"}))),
            Self::Purchase | Self::LostWebhook | Self::Unanswered => None,
        }
    }

    fn end(self) -> &'static str {
        match self {
            Self::Unanswered => "failed",
            Self::Cancel => "canceled",
            _ => "approved",
        }
    }

    fn has_final_call(self) -> bool {
        matches!(self, Self::Purchase | Self::LostWebhook | Self::Unanswered)
    }
}

/// A point that has no story would not compile.
fn stories(point: Point) -> &'static [Story] {
    use Story::{Cancel, Capture, LostWebhook, Purchase, Refund, Unanswered};
    match point {
        Point::PaymentAsked
        | Point::PaymentStored
        | Point::InitialCall
        | Point::InitialAnswered
        | Point::InitialKept
        | Point::CreateAnswer => &[Purchase, Capture],
        Point::EventVerified | Point::EventStored | Point::EventTaken | Point::EventKept => &[Purchase],
        Point::FinalCall | Point::FinalAnswered | Point::FinalKept => &[Purchase, Unanswered],
        Point::NotifyCall | Point::NotifyAnswered | Point::NotifyKept => &[Purchase, Cancel],
        Point::OperationAsked
        | Point::OperationStored
        | Point::OperationCall
        | Point::OperationAnswered
        | Point::OperationKept => &[Cancel, Capture, Refund],
        Point::ReadCall | Point::ReadAnswered | Point::ReadKept => &[LostWebhook],
        Point::WithdrawCall | Point::WithdrawAnswered => &[Unanswered],
    }
}

/// A program that is to die once, and to live on afterwards.
struct Life<'a> {
    setup: &'a Setup,
    database: &'a Database,
    story: Story,
    http: reqwest::Client,
    child: Child,
    base_url: String,
    died: bool,
}

impl<'a> Life<'a> {
    async fn begin(setup: &'a Setup, database: &'a Database, story: Story, point: Point) -> Self {
        let child = start(setup, database, story, Some(point));
        let base_url = String::new();
        let mut life = Self { setup, database, story, http: client(), child, base_url, died: false };
        life.learn_address().await;
        life
    }

    async fn learn_address(&mut self) {
        let mut line = String::new();
        let stdout = self.child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).await.unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        ready["listening"].as_str().unwrap().clone_into(&mut self.base_url);
    }

    /// It has died: of what it was to die of, and for the first time.
    async fn live_again(&mut self, status: ExitStatus) {
        assert_eq!(status.signal(), Some(9), "{status}");
        assert!(!self.died, "killed twice");
        self.died = true;
        self.child = start(self.setup, self.database, self.story, None);
        self.learn_address().await;
    }

    /// Awaits what others do, whether or not the program dies meanwhile.
    async fn meanwhile<T>(&mut self, what: impl Future<Output = T>) -> T {
        tokio::pin!(what);
        loop {
            let status = tokio::select! {
                done = &mut what => return done,
                status = self.child.wait() => status.unwrap(),
            };
            self.live_again(status).await;
        }
    }

    /// Asks, and asks again if the program has died of it, as a Partner or Klarna would.
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, Value) {
        loop {
            let mut request = self.http.request(method.clone(), format!("{}{path}", self.base_url));
            request = request.header("content-type", "application/json").body(body.to_owned());
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            if let Ok(response) = request.send().await {
                let status = response.status();
                return (status, response.json().await.unwrap_or_default());
            }
            let status = self.child.wait().await.unwrap();
            self.live_again(status).await;
        }
    }

    async fn as_partner(&mut self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let key = format!("Bearer {ALPHA}");
        self.ask(method, path, &[("authorization", &key)], body).await
    }

    async fn read(&mut self, id: &str) -> Value {
        let (status, payment) = self.as_partner(Method::GET, &format!("/v1/payments/{id}"), "").await;
        assert_eq!(status, StatusCode::OK);
        payment
    }

    /// The payment, once it is no longer `pending`.
    async fn create(&mut self) -> Value {
        let order = self.story.order().to_string();
        let (_, made) = self.as_partner(Method::POST, "/v1/payments", &order).await;
        let id = made["payment_id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        self.look_until(async |life| Some(life.read(&id).await).filter(|it| it["status"] != "pending")).await
    }

    /// Klarna's event, as often as it takes.
    async fn hear_that_the_customer_approved(&mut self) {
        let initial = self.setup.klarna.authorizes().remove(0);
        let body = event_body("e-1", "COMPLETED", &initial).to_string();
        // A program that dies young may have no key yet, or one whose creation it has not seen.
        self.look_until(async |life| {
            let (id, secret) = life.setup.klarna.registered().newest_key()?;
            let signature = signature::sign(&SecretString::from(secret), body.as_bytes());
            let headers = [("klarna-signature", signature.as_str()), ("klarna-signing-key-id", id.as_str())];
            let (status, _) = life.ask(Method::POST, "/klarna/webhooks", &headers, &body).await;
            status.is_success().then_some(())
        })
        .await;
    }

    /// The operation, once it has ended. Asked again under the key of the first time, it is no other one.
    async fn operate(&mut self, id: &str, path: &str, body: &Value) {
        let (path, body) = (format!("/v1/payments/{id}/{path}"), body.to_string());
        let authorization = format!("Bearer {ALPHA}");
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", "asked-once")];
        self.look_until(async |life| {
            let (status, answer) = life.ask(Method::POST, &path, &headers, &body).await;
            // What a program that died had begun is under way until its lease ends.
            assert!(status.is_success() || status == StatusCode::CONFLICT, "{status} {answer}");
            status.is_success().then_some(())
        })
        .await;
        self.look_until(async |life| {
            let payment = life.read(id).await;
            (payment["operations"][0]["status"] == "succeeded").then_some(())
        })
        .await;
    }

    /// Looks now and then until there is something.
    async fn look_until<T>(&mut self, mut look: impl AsyncFnMut(&mut Self) -> Option<T>) -> T {
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            if let Some(seen) = look(self).await {
                return seen;
            }
            self.meanwhile(ticks.tick()).await;
        }
    }
}

fn start(setup: &Setup, database: &Database, story: Story, deadly: Option<Point>) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-acquirer"));
    command
        .args(["serve", "--config", setup.config_file().to_str().unwrap(), "--database", &database.url()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .env_remove(POSTGRES)
        // Nobody waits long for a lease of the dead; nor for the look at a step-up that has ended.
        .env("REFERENCE_ACQUIRER_KLARNA__TIMEOUT_MS", "400")
        .env("REFERENCE_ACQUIRER_NOTIFICATIONS__TIMEOUT_MS", "400")
        .env("REFERENCE_ACQUIRER_OUTBOX__LEASE_MS", "1700")
        .env(
            "REFERENCE_ACQUIRER_RECONCILE__FIRST_MS",
            if story == Story::LostWebhook { "1" } else { "3000" },
        );
    if let Some(point) = deadly {
        command.env(VARIABLE, point.name());
    }
    command.spawn().unwrap()
}

async fn live_through(story: Story, point: Point, database: &Database) {
    let setup = Setup::new().await;
    setup.klarna.decides(if story == Story::Unanswered { Some(500) } else { None });
    let mut life = Life::begin(&setup, database, story, point).await;

    let payment = life.create().await;
    let id = payment["payment_id"].as_str().unwrap().to_owned();
    if matches!(story, Story::Purchase | Story::Unanswered) {
        life.hear_that_the_customer_approved().await;
    }
    if let Some((path, body)) = story.operation() {
        life.operate(&id, path, &body).await;
    }
    life.look_until(async |life| (life.read(&id).await["status"] == story.end()).then_some(())).await;
    let news = 1 + usize::from(story.operation().is_some());
    life.look_until(async |life| (told(life.setup).len() >= news).then_some(())).await;
    // Nothing is stuck. The gauge of open work counts the same rows.
    life.look_until(async |life| (life.database.open_work().await == 0).then_some(())).await;
    assert!(life.died, "the program was never at {}", point.name());
    assert_eq!(life.read(&id).await["status"], story.end());
    life.child.kill().await.unwrap();
    judge(&setup, story, news);
}

/// The ids under which the Partner was told, each with what it was told, however often.
fn told(setup: &Setup) -> Vec<(String, Value)> {
    let mut told: Vec<(String, Value)> = Vec::new();
    for attempt in setup.partner.heard.matching(|_| true) {
        verify(&attempt);
        let id = attempt.header("webhook-id").unwrap().to_owned();
        match told.iter().find(|(earlier, _)| *earlier == id) {
            Some((_, body)) => assert_eq!(attempt.json(), *body),
            None => told.push((id, attempt.json())),
        }
    }
    told
}

fn judge(setup: &Setup, story: Story, news: usize) {
    let told = told(setup);
    assert_eq!(told.len(), news, "{told:#?}");
    let ends: Vec<_> = told.iter().filter(|(_, told)| told["type"] == "payment.updated").collect();
    assert_eq!(ends.len(), 1, "{told:#?}");
    assert_eq!(ends[0].1["data"]["status"], story.end());

    let is_initial = |call: &Exchange| call.json().get("step_up_config").is_some();
    let initials = setup.klarna.heard.matching(|call| call.is_authorize() && is_initial(call));
    assert!(!initials.is_empty());
    assert_same_call(&initials);
    let finals = setup.klarna.heard.matching(|call| call.is_authorize() && !is_initial(call));
    assert_eq!(!finals.is_empty(), story.has_final_call());
    assert_same_call(&finals);
    let operations = setup.klarna.operations();
    assert_eq!(!operations.is_empty(), matches!(story, Story::Capture | Story::Refund));
    assert_same_call(&operations);
}

async fn die_at(name: &str, database: &Database) {
    const { assert!(ARMED, "these tests are of a build that can be killed") };
    let point = *Point::ALL.iter().find(|point| point.name() == name).unwrap();
    for (number, story) in stories(point).iter().enumerate() {
        let whole = async {
            if number == 0 {
                return live_through(*story, point, database).await;
            }
            let another = database.another().await;
            live_through(*story, point, &another).await;
            another.drop().await;
        };
        let in_time = tokio::time::timeout(DEADLINE, whole).await;
        assert!(in_time.is_ok(), "{name}, {story:?}: something never came");
    }
}

macro_rules! killed_at {
    ($($test:ident $point:literal;)*) => {
        $(async fn $test(database: &Database) {
            die_at($point, database).await;
        })*

        crate::support::on_both! { $($test)* }

        #[test]
        fn there_is_a_test_of_each_point() {
            let tested = [$($point),*];
            let points: Vec<_> = Point::ALL.iter().map(|point| point.name()).collect();
            assert_eq!(tested[..], points[..]);
        }
    };
}

killed_at! {
    before_the_payment_is_stored "payment-asked";
    after_the_payment_is_stored "payment-stored";
    before_the_initial_call "initial-call";
    after_the_initial_answer "initial-answered";
    after_the_initial_answer_is_stored "initial-kept";
    before_the_partner_is_answered "create-answer";
    before_the_event_is_stored "event-verified";
    after_the_event_is_stored "event-stored";
    when_the_event_is_taken_up "event-taken";
    after_the_approval_is_stored "event-kept";
    before_the_final_call "final-call";
    after_the_final_answer "final-answered";
    after_the_final_answer_is_stored "final-kept";
    before_the_partner_is_told "notify-call";
    after_the_partner_was_told "notify-answered";
    after_it_is_stored_that_the_partner_was_told "notify-kept";
    before_the_operation_is_stored "operation-asked";
    after_the_operation_is_stored "operation-stored";
    before_the_operation_s_call "operation-call";
    after_the_operation_s_answer "operation-answered";
    after_the_operation_s_answer_is_stored "operation-kept";
    before_the_step_up_is_read "read-call";
    after_the_step_up_was_read "read-answered";
    after_what_was_read_is_stored "read-kept";
    before_the_withdrawal "withdraw-call";
    after_the_withdrawal "withdraw-answered";
}

/// Only this crate's own tests can have it turned on, and no release has it even so.
#[test]
fn no_other_build_can_be_killed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut named = Vec::new();
    for manifest in ["", "schemas", "simulator", "reference-acquirer", "conformance"] {
        let text = std::fs::read_to_string(folder.join(manifest).join("Cargo.toml")).unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        for (section, content) in &table {
            if content.to_string().contains("kill-points") {
                named.push(format!("{manifest} {section}"));
            }
        }
        let default = table.get("features").and_then(|features| features.get("default"));
        assert!(default.is_none_or(|default| !default.to_string().contains("kill-points")));
    }
    named.sort();
    assert_eq!(named, ["reference-acquirer dev-dependencies", "reference-acquirer features"]);
}

/// The page that numbers the points says what the code says.
#[test]
fn the_points_are_numbered_in_the_docs() {
    let page = include_str!("../../../docs/architecture.md");
    let rows: Vec<_> = page.lines().skip_while(|line| !line.starts_with("| point |")).skip(2).collect();
    for (row, point) in rows.iter().zip(Point::ALL) {
        assert_eq!(*row, format!("| {} | `{}` | {} |", point.number(), point.name(), point.meaning()));
    }
    assert!(rows.get(Point::ALL.len()).is_some_and(|after| !after.starts_with('|')));
}
