//! No sandbox is in another: whatever two Partners do, in whatever order, each has the answers and the journal
//! that it would have alone.

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{
    ArmFault, CallKind, CustomerAct, Fault, FaultBody, PutSandbox, QueuedOutcome, SetClock,
};
use klarna_simulator::Simulator;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

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
    Advance(u8),
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
    prop_oneof![
        4 => (0..3_u8).prop_map(Step::Initial),
        4 => act.prop_map(Step::Customer),
        3 => (0..3_u8).prop_map(Step::Final),
        1 => Just(Step::Fault),
        1 => Just(Step::Queue),
        1 => (1..120_u8).prop_map(Step::Advance),
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
    }

    /// What it saw, and what its journal holds.
    async fn end(mut self, klarna: &Klarna) -> Vec<String> {
        let path = format!("/_simulator/v1/sandboxes/{}/journal/export?format=stable", self.account);
        let exported = klarna.http.get(klarna.url(&path)).send().await.unwrap().text().await.unwrap();
        self.seen.extend(exported.lines().map(str::to_owned));
        let findings = klarna.control().findings(&self.account.into(), None).await.unwrap();
        self.seen.push(
            serde_json::to_value(findings.findings)
                .map_or_else(|_| String::new(), |value: Value| value.to_string()),
        );
        self.seen
    }
}

async fn klarna() -> Klarna {
    let public = "https://klarna.example".parse().unwrap();
    Klarna::of(Simulator::builder().seed(5).public_url(public)).await
}

/// One side alone.
async fn alone(account: &'static str, steps: &[Step]) -> Vec<String> {
    let klarna = klarna().await;
    let mut side = Side::new(&klarna, account).await;
    for step in steps {
        side.play(&klarna, *step).await;
    }
    side.end(&klarna).await
}

/// Both on one simulator; `turns` says whose turn it is while both have something to do.
async fn together(steps: [&[Step]; 2], turns: &[bool]) -> [Vec<String>; 2] {
    let klarna = klarna().await;
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
    [one.end(&klarna).await, other.end(&klarna).await]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_sandbox_is_as_it_would_be_alone(
        one in vec(step(), 1..14),
        other in vec(step(), 1..14),
        turns in vec(any::<bool>(), 1..28),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let [first, second] = together([&one, &other], &turns).await;
            assert_eq!(first, alone(ACCOUNTS[0], &one).await);
            assert_eq!(second, alone(ACCOUNTS[1], &other).await);
        });
    }
}
