//! No sandbox is in another: whatever two Partners do, in whatever order, each has the answers and the journal
//! that it would have alone.

use jiff::SignedDuration;
use klarna_schemas::simulator::control::{
    ArmFault, CallKind, CustomerAct, Fault, FaultBody, Misbehaviour, PutSandbox, QueuedOutcome, SetClock,
};
use klarna_simulator::Simulator;
use proptest::collection::vec;
use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

use crate::klarna::{Klarna, TOKEN, initial, last, settings};
use crate::sink::Sink;

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
    Fault(Fault),
    Queue,
    /// Rules of which one draws by weight.
    Rules(u8),
    /// The next event misbehaves so.
    Wish(Misbehaviour),
    /// Lets go what is held back.
    Release,
    Snapshot,
    Restore,
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
        1 => prop_oneof![
            Just(Fault::Status { status: 503, body: FaultBody::Klarna }),
            Just(Fault::LoseAnswer),
            Just(Fault::Truncate),
            Just(Fault::Garbage),
        ].prop_map(Step::Fault),
        1 => Just(Step::Queue),
        1 => (1..9_u8).prop_map(Step::Rules),
        3 => proptest::sample::select(Misbehaviour::ALL.to_vec()).prop_map(Step::Wish),
        1 => Just(Step::Release),
        1 => Just(Step::Snapshot),
        1 => Just(Step::Restore),
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
                let (status, answer) =
                    self.authorize(klarna, &[("Klarna-Idempotency-Key", &key)], &body).await;
                let id = answer["payment_request"]["payment_request_id"].as_str();
                self.request = id.map(str::to_owned).or(self.request.take());
                format!("{status} {answer}")
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
                let (status, answer) = self.authorize(klarna, &headers, &last(&format!("t-{number}"))).await;
                format!("{read} {status} {answer}")
            }
            Step::Fault(fault) => {
                control.arm_fault(&account, &ArmFault::once("authorize", fault)).await.unwrap();
                String::new()
            }
            Step::Queue => {
                let outcome = QueuedOutcome::once(CallKind::Any, "DECLINED".into());
                control.queue_outcomes(&account, &[outcome]).await.unwrap();
                String::new()
            }
            Step::Rules(weight) => {
                let rules = json!({"rules": [
                    {"name": "drawn", "when": {"on": "initial"}, "one_of": [
                        {"weight": weight, "then": {"result": "STEP_UP_REQUIRED"}},
                        {"weight": 3, "then": {"result": "DECLINED"}},
                    ]},
                ]});
                self.ask(klarna, Method::PUT, "/rules", &rules).await
            }
            Step::Wish(misbehaviour) => {
                let mut wish =
                    json!({"event_type": "payment.*", "misbehaviour": [misbehaviour], "when": "next"});
                if matches!(misbehaviour, Misbehaviour::Delayed | Misbehaviour::ReplayedLate) {
                    wish["delay"] = json!("10m");
                }
                if misbehaviour == Misbehaviour::Altered {
                    wish["payload_patch"] = json!({"amount": 1});
                }
                self.ask(klarna, Method::POST, "/webhooks", &wish).await
            }
            Step::Release => self.ask(klarna, Method::POST, "/webhooks/release", &json!({})).await,
            Step::Snapshot => {
                control.take_snapshot(&account, Some("there".to_owned())).await.unwrap();
                String::new()
            }
            Step::Restore => {
                let back = control.restore(&account, "there").await;
                back.map_or_else(|_| "nothing to go back to".to_owned(), |view| view.epoch.to_string())
            }
            Step::Advance(minutes) => {
                let by = SetClock::Advance(SignedDuration::from_mins(minutes.into()));
                let mut moved = control.set_clock(&account, &by).await.unwrap();
                // What falls due at once ends in any order.
                moved.happened.sort();
                format!("{moved:?}")
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

    /// Lets deliveries end that are under way: whether a reset comes before or after them is chance.
    async fn settle(&self, klarna: &Klarna) {
        let nowhere = SetClock::Advance(SignedDuration::ZERO);
        klarna.control().set_clock(&self.account.into(), &nowhere).await.unwrap();
    }

    /// Status and body of an answer, or that there is none that can be read.
    async fn authorize(&self, klarna: &Klarna, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let path = format!("/v2/accounts/{}/payment/authorize", self.account);
        let Ok(answer) = klarna.post(&path, headers, body).send().await else { return (0, Value::Null) };
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Asks something of the control API; the status of its answer.
    async fn ask(&self, klarna: &Klarna, method: Method, rest: &str, body: &Value) -> String {
        let path = format!("/_simulator/v1/sandboxes/{}{rest}", self.account);
        klarna.send(klarna.http.request(method, klarna.url(&path)).json(body)).await.status.to_string()
    }

    /// What it saw, what its journal holds, and what was found.
    async fn end(self, klarna: &Klarna) -> Run {
        let path = format!("/_simulator/v1/sandboxes/{}/journal/export?format=stable", self.account);
        let exported = klarna.http.get(klarna.url(&path)).send().await.unwrap().text().await.unwrap();
        let findings = klarna.control().findings(&self.account.into(), None).await.unwrap().findings;
        let without = |finding| {
            let mut finding = serde_json::to_value(finding).unwrap();
            // Numbers of entries: webhooks that fall due at once end in any order.
            finding.as_object_mut().unwrap().remove("exchanges");
            finding.to_string()
        };
        let mut findings: Vec<String> = findings.into_iter().map(without).collect();
        findings.sort();
        Run { seen: self.seen, journal: exported.lines().map(str::to_owned).collect(), findings }
    }
}

/// What is left of one side's run.
#[derive(Debug, PartialEq)]
struct Run {
    seen: Vec<String>,
    journal: Vec<String>,
    findings: Vec<String>,
}

impl Run {
    /// Asks that this is the other run, too, and tells the first line in which they differ.
    #[track_caller]
    fn is(&self, alone: &Self) {
        for (mine, own) in
            [(&self.seen, &alone.seen), (&self.journal, &alone.journal), (&self.findings, &alone.findings)]
        {
            for (mine, own) in mine.iter().zip(own) {
                assert_eq!(mine, own);
            }
            assert_eq!(mine.len(), own.len(), "{:#?}", mine.iter().chain(own).collect::<Vec<_>>());
        }
    }
}

/// An entry without its number.
fn unnumbered(line: &str) -> Value {
    let mut entry: Value = serde_json::from_str(line).unwrap();
    entry.as_object_mut().unwrap().remove("seq");
    entry
}

/// What all runs of one case have in common.
struct Setting<'a> {
    sink: &'a Sink,
    /// Whether the first attempt of each event fails. Which of twins that is would be chance.
    failing: bool,
}

impl Setting<'_> {
    async fn klarna(&self, journal_bytes: Option<usize>) -> Klarna {
        self.sink.fail_each(usize::from(self.failing));
        let settings = settings(|settings| {
            settings.seed = 5;
            settings.public_url = "https://klarna.example".to_owned();
            settings.limits.journal_bytes = journal_bytes.unwrap_or(settings.limits.journal_bytes);
        });
        let klarna = Klarna::of(Simulator::builder().settings(settings)).await;
        self.sink.subscribe(&klarna, &["payment.*"]).await;
        klarna
    }

    fn plays(&self, step: Step) -> bool {
        let makes_twins = matches!(
            step,
            Step::Wish(Misbehaviour::Duplicate | Misbehaviour::Parallel | Misbehaviour::ReplayedLate)
        );
        !(self.failing && makes_twins)
    }

    /// One side alone.
    async fn alone(&self, account: &'static str, steps: &[Step]) -> Run {
        let klarna = self.klarna(None).await;
        self.side(&klarna, account, steps).await
    }

    /// One side, whoever else is there.
    async fn side(&self, klarna: &Klarna, account: &'static str, steps: &[Step]) -> Run {
        let mut side = Side::new(klarna, account).await;
        for step in steps.iter().filter(|step| self.plays(**step)) {
            side.play(klarna, *step).await;
        }
        side.end(klarna).await
    }

    /// Both on one simulator, at the same time.
    async fn at_once(&self, [one, other]: [&[Step]; 2]) -> [Run; 2] {
        let klarna = self.klarna(None).await;
        let (one, other) =
            tokio::join!(self.side(&klarna, ACCOUNTS[0], one), self.side(&klarna, ACCOUNTS[1], other),);
        [one, other]
    }

    /// Both on one simulator; `turns` says whose turn it is while both have something to do.
    async fn together(&self, steps: [&[Step]; 2], turns: &[bool], journal_bytes: Option<usize>) -> [Run; 2] {
        let klarna = self.klarna(journal_bytes).await;
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
            if self.plays(step) {
                side.play(&klarna, step).await;
            }
        }
        [one.end(&klarna).await, other.end(&klarna).await]
    }
}

fn on_a_runtime<T>(threads: usize, run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
        .block_on(run)
}

/// So much holds some of what happens, and not all.
const SMALL: usize = 10_000;

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_sandbox_is_as_it_would_be_alone(
        one in vec(step(), 1..18),
        other in vec(step(), 1..18),
        turns in vec(any::<bool>(), 1..36),
        failing in any::<bool>(),
    ) {
        on_a_runtime(1, async {
            let sink = Sink::start().await;
            let setting = Setting { sink: &sink, failing };
            let alone = [setting.alone(ACCOUNTS[0], &one).await, setting.alone(ACCOUNTS[1], &other).await];
            for (run, alone) in setting.together([&one, &other], &turns, None).await.iter().zip(&alone) {
                run.is(alone);
            }
        });
    }

    #[test]
    fn each_sandbox_is_as_it_would_be_alone_while_the_other_is_busy(
        one in vec(step(), 1..18),
        other in vec(step(), 1..18),
        failing in any::<bool>(),
    ) {
        on_a_runtime(2, async {
            let sink = Sink::start().await;
            let setting = Setting { sink: &sink, failing };
            let alone = [setting.alone(ACCOUNTS[0], &one).await, setting.alone(ACCOUNTS[1], &other).await];
            for (run, alone) in setting.at_once([&one, &other]).await.iter().zip(&alone) {
                run.is(alone);
            }
        });
    }

    #[test]
    fn a_journal_that_makes_room_changes_nothing_but_what_it_keeps(
        one in vec(step(), 6..18),
        other in vec(step(), 6..18),
        turns in vec(any::<bool>(), 1..36),
        failing in any::<bool>(),
    ) {
        on_a_runtime(1, async {
            let sink = Sink::start().await;
            let setting = Setting { sink: &sink, failing };
            let alone = [setting.alone(ACCOUNTS[0], &one).await, setting.alone(ACCOUNTS[1], &other).await];
            let together = setting.together([&one, &other], &turns, Some(SMALL)).await;
            for (run, alone) in together.into_iter().zip(alone) {
                assert_eq!((run.seen, run.findings), (alone.seen, alone.findings));
                let mut whole: Vec<Value> = alone.journal.iter().map(|line| unnumbered(line)).collect();
                for entry in run.journal.iter().map(|line| unnumbered(line)) {
                    let place = whole.iter().position(|own| *own == entry);
                    whole.remove(place.unwrap_or_else(|| panic!("a stray entry: {entry}")));
                }
            }
        });
    }
}
