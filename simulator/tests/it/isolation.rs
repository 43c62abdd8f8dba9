//! No sandbox is in another: whatever two Partners do, in whatever order, each has the answers and the journal
//! that it would have alone.

use std::sync::Arc;

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{
    ArmFault, CallKind, CustomerAct, Fault, FaultBody, Misbehaviour, PutSandbox, QueuedOutcome, SendWebhook,
    SetClock,
};
use klarna_schemas::simulator::finding::Finding;
use klarna_schemas::simulator::rules::RulesFile;
use klarna_simulator::Simulator;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::klarna::{Klarna, TOKEN, initial, last};

const ACCOUNTS: [&str; 2] =
    ["krn:partner:global:account:test:ONE00001", "krn:partner:global:account:test:OTHER001"];

/// Something that is done in one sandbox.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// An initial authorize under one of a few references and keys.
    Initial(u8),
    /// The customer does this with the newest request.
    Customer(CustomerAct),
    /// A final authorize with the newest token.
    Final(u8),
    Fault,
    Queue,
    /// A rule by which chance decides.
    Rules,
    /// What befalls the next webhook.
    Misbehave(Misbehaviour),
    Advance(u8),
    /// Takes a snapshot of this name, or goes back to it.
    Snapshot(u8),
    Restore(u8),
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    let act = prop_oneof![
        Just(CustomerAct::Open),
        Just(CustomerAct::Approve),
        Just(CustomerAct::Refuse),
        Just(CustomerAct::Leave),
        Just(CustomerAct::WrongCode),
    ];
    let misbehaviour = prop_oneof![
        Just(Misbehaviour::Duplicate),
        Just(Misbehaviour::Held),
        Just(Misbehaviour::Forged),
        Just(Misbehaviour::ReplayedLate),
    ];
    prop_oneof![
        4 => (0..3_u8).prop_map(Step::Initial),
        4 => act.prop_map(Step::Customer),
        3 => (0..3_u8).prop_map(Step::Final),
        1 => Just(Step::Fault),
        1 => Just(Step::Queue),
        1 => Just(Step::Rules),
        2 => misbehaviour.prop_map(Step::Misbehave),
        2 => (1..120_u8).prop_map(Step::Advance),
        1 => (0..2_u8).prop_map(Step::Snapshot),
        1 => (0..2_u8).prop_map(Step::Restore),
        1 => Just(Step::Reset),
    ]
}

/// One Partner's side: what it did last, and what it saw.
struct Side {
    account: &'static str,
    request: Option<String>,
    seen: Vec<String>,
}

impl Side {
    async fn new(klarna: &Klarna, account: &'static str) -> Self {
        let side = Self { account, request: None, seen: Vec::new() };
        side.reset(klarna).await;
        side
    }

    /// A new sandbox whose clock stands still, at the same time in every run.
    async fn reset(&self, klarna: &Klarna) {
        let (control, account) = (klarna.control(), self.account.into());
        let freeze = Some(SetClock::Freeze(true));
        control.put_sandbox(&account, &PutSandbox { clock: freeze, ..PutSandbox::default() }).await.unwrap();
        let then = SetClock::Set("2030-01-01T00:00:00Z".parse().unwrap());
        control.set_clock(&account, &then).await.unwrap();
    }

    async fn play(&mut self, klarna: &Klarna, step: Step) {
        let (control, account) = (klarna.control(), self.account.into());
        let seen = match step {
            Step::Initial(number) => {
                let key = format!("i-{number}");
                let body = initial(&format!("t-{number}"));
                let answer = klarna.authorize(self.account, &[("Klarna-Idempotency-Key", &key)], &body).await;
                let id = answer.body["payment_request"]["payment_request_id"].as_str();
                self.request = id.map(str::to_owned).or(self.request.take());
                format!("{} {}", answer.status, answer.body)
            }
            Step::Customer(act) => {
                let Some(request) = &self.request else { return };
                let acted = control.act_as_customer(&account, &request.as_str().into(), act).await;
                acted.map_or_else(|_| "refused".to_owned(), |acted| format!("{acted:?}"))
            }
            Step::Final(number) => {
                let Some(request) = &self.request else { return };
                let path = format!("/v2/accounts/{}/payment/requests/{request}", self.account);
                let read = klarna.get(&path).await.body;
                let token = read["state_context"]["klarna_network_session_token"]
                    .as_str()
                    .unwrap_or("none")
                    .to_owned();
                let key = format!("f-{number}");
                let headers = [(TOKEN, token.as_str()), ("Klarna-Idempotency-Key", &key)];
                let answer = klarna.authorize(self.account, &headers, &last(&format!("t-{number}"))).await;
                format!("{read} {} {}", answer.status, answer.body)
            }
            Step::Fault => {
                let fault = Fault::Status { status: 503, body: FaultBody::Klarna };
                control.arm_fault(&account, &ArmFault::once("authorize", fault)).await.unwrap();
                String::new()
            }
            Step::Queue => {
                let outcome = QueuedOutcome::once(CallKind::Any, "DECLINED".into());
                control.queue_outcomes(&account, &[outcome]).await.unwrap();
                String::new()
            }
            Step::Rules => {
                let rules = json!({"rules": [{"name": "chance", "one_of": [
                    {"weight": 2, "then": {"result": "STEP_UP_REQUIRED", "customer": {"act": "approve", "after": "1m"}}},
                    {"weight": 1, "then": {"result": "DECLINED"}},
                ]}]});
                let rules: RulesFile = serde_json::from_value(rules).unwrap();
                format!("{:?}", control.put_rules(&account, &rules).await.unwrap())
            }
            Step::Misbehave(misbehaviour) => {
                let mut wish =
                    json!({"event_type": "payment.*", "misbehaviour": [misbehaviour], "when": "next"});
                if misbehaviour == Misbehaviour::ReplayedLate {
                    wish["delay"] = json!("1m");
                }
                let wish: SendWebhook = serde_json::from_value(wish).unwrap();
                format!("{:?}", control.send_webhook(&account, &wish).await.unwrap())
            }
            Step::Snapshot(number) => {
                let taken = control.take_snapshot(&account, Some(format!("s-{number}"))).await;
                taken.map_or_else(|_| "refused".to_owned(), |taken| taken.name)
            }
            Step::Restore(number) => {
                let restored = control.restore(&account, &format!("s-{number}")).await;
                restored.map_or_else(|_| "refused".to_owned(), |restored| format!("epoch {}", restored.epoch))
            }
            Step::Advance(minutes) => {
                let by = SetClock::Advance(SignedDuration::from_mins(minutes.into()));
                format!("{:?}", control.set_clock(&account, &by).await.unwrap())
            }
            Step::Reset => {
                self.reset(klarna).await;
                self.request = None;
                String::new()
            }
        };
        self.seen.push(seen);
        self.settle(klarna).await;
    }

    /// Waits for the deliveries that are under way: what is done next may depend on them.
    async fn settle(&self, klarna: &Klarna) {
        let moment = SetClock::Advance(SignedDuration::from_millis(1));
        klarna.control().set_clock(&self.account.into(), &moment).await.unwrap();
    }

    /// What it saw, and what its journal holds.
    async fn end(mut self, klarna: &Klarna, sink: &Listener) -> Vec<String> {
        let path = format!("/_simulator/v1/sandboxes/{}/journal/export?format=stable", self.account);
        let exported = klarna.http.get(klarna.url(&path)).send().await.unwrap().text().await.unwrap();
        self.seen.extend(exported.lines().map(str::to_owned));
        let findings = klarna.control().findings(&self.account.into(), None).await.unwrap();
        self.seen.extend(findings.findings.into_iter().map(|finding| {
            // Deliveries run side by side: which of two ended first is nobody's promise.
            let finding = Finding { exchanges: Vec::new(), ..finding };
            serde_json::to_string(&finding).unwrap()
        }));
        // Where it listens is another place in each run.
        self.seen.iter().map(|seen| seen.replace(&sink.url, "SINK")).collect()
    }
}

/// A simulator, and a listener for its webhooks that takes some of them at the second attempt only.
async fn klarna() -> (Klarna, Listener) {
    let public = "https://klarna.example".parse().unwrap();
    let klarna = Klarna::of(Simulator::builder().seed(5).public_url(public)).await;
    let sink = Listener::start().await;
    let key = klarna.send(klarna.post("/v2/notification/signing-keys", &[], &Value::Null)).await;
    let webhook = json!({"url": sink.url, "event_types": ["payment.*"], "event_version": "v2",
        "signing_key_id": key.body["signing_key_id"], "status": "ENABLED"});
    let made = klarna.send(klarna.post("/v2/notification/webhooks", &[], &webhook)).await;
    assert_eq!(made.status, 201, "{made:?}");
    (klarna, sink)
}

/// Answers each webhook by what it is alone, so that nobody's depends on another's.
struct Listener {
    url: String,
}

impl Listener {
    async fn start() -> Self {
        let app = axum::Router::new().fallback(async |body: bytes::Bytes| {
            let first = String::from_utf8_lossy(&body).contains("state-change.in-progress");
            if first { http::StatusCode::SERVICE_UNAVAILABLE } else { http::StatusCode::OK }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url }
    }
}

/// Compares what was seen in company with what was seen alone; shows the first difference and where it is.
fn assert_same(together: &[String], alone: &[String]) {
    for (index, (one, other)) in together.iter().zip(alone).enumerate() {
        let same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
        let from = same.saturating_sub(100);
        let around = |text: &str| {
            String::from_utf8_lossy(text.as_bytes().get(from..).unwrap_or_default()).into_owned()
        };
        assert!(
            one == other,
            "line {index}, byte {same}:\n  {:.300}\nalone:\n  {:.300}",
            around(one),
            around(other)
        );
    }
    assert_eq!(together.len(), alone.len(), "one has more: {:?}", together.last());
}

/// One side alone.
async fn alone(account: &'static str, steps: &[Step]) -> Vec<String> {
    let (klarna, sink) = klarna().await;
    let mut side = Side::new(&klarna, account).await;
    for step in steps {
        side.play(&klarna, *step).await;
    }
    side.end(&klarna, &sink).await
}

/// Both on one simulator; `turns` says whose turn it is while both have something to do.
async fn together(steps: [&[Step]; 2], turns: &[bool]) -> [Vec<String>; 2] {
    let (klarna, sink) = klarna().await;
    let mut one = Side::new(&klarna, ACCOUNTS[0]).await;
    let mut other = Side::new(&klarna, ACCOUNTS[1]).await;
    let mut left = steps.map(|steps| steps.iter().copied());
    let mut turns = turns.iter().copied().cycle();
    loop {
        let first = turns.next().unwrap_or(true);
        let (mine, theirs) = if first { (0, 1) } else { (1, 0) };
        let (whose, step) = match left[mine].next() {
            Some(step) => (mine, step),
            None => match left[theirs].next() {
                Some(step) => (theirs, step),
                None => break,
            },
        };
        let side = if whose == 0 { &mut one } else { &mut other };
        side.play(&klarna, step).await;
    }
    [one.end(&klarna, &sink).await, other.end(&klarna, &sink).await]
}

/// Both on one simulator, at once: nobody says whose turn it is.
async fn at_once(steps: [Vec<Step>; 2]) -> [Vec<String>; 2] {
    let (klarna, sink) = klarna().await;
    let (klarna, sink) = (Arc::new(klarna), Arc::new(sink));
    let run = |account: &'static str, steps: Vec<Step>| {
        let (klarna, sink) = (klarna.clone(), sink.clone());
        tokio::spawn(async move {
            let mut side = Side::new(&klarna, account).await;
            for step in steps {
                side.play(&klarna, step).await;
            }
            side.end(&klarna, &sink).await
        })
    };
    let [one, other] = steps;
    let (one, other) = (run(ACCOUNTS[0], one), run(ACCOUNTS[1], other));
    [one.await.unwrap(), other.await.unwrap()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_sandbox_is_as_it_would_be_alone(
        one in vec(step(), 1..14),
        other in vec(step(), 1..14),
        turns in vec(any::<bool>(), 1..28),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let [first, second] = together([&one, &other], &turns).await;
            assert_same(&first, &alone(ACCOUNTS[0], &one).await);
            assert_same(&second, &alone(ACCOUNTS[1], &other).await);
        });
    }

    #[test]
    fn each_sandbox_is_as_it_would_be_alone_where_both_are_busy_at_once(
        one in vec(step(), 1..20),
        other in vec(step(), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
        runtime.block_on(async {
            let [first, second] = at_once([one.clone(), other.clone()]).await;
            assert_same(&first, &alone(ACCOUNTS[0], &one).await);
            assert_same(&second, &alone(ACCOUNTS[1], &other).await);
        });
    }
}
