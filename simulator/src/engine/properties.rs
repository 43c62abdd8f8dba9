//! What holds of a sandbox whatever is done to it, in whatever order.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::klarna::payment_request::PaymentRequestState as State;
use klarna_schemas::simulator::control::{CallKind, CustomerAct, QueuedOutcome};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::{
    AuthorizeCommand, Effect, IdempotencyKey, Policies, PresentedToken, Reply, Sandbox, TokenHeader,
};

/// One thing that can be done; numbers pick among what is there.
#[derive(Debug, Clone)]
enum Step {
    Initial { reference: u8, key: u8 },
    Final { token: usize, key: u8, amount: i64 },
    Customer(usize, CustomerAct),
    Queue(CallKind, AuthorizationResult),
    Pass { minutes: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let act = prop_oneof![
        Just(CustomerAct::Open),
        Just(CustomerAct::Approve),
        Just(CustomerAct::Refuse),
        Just(CustomerAct::Leave)
    ];
    let result = prop_oneof![
        Just(AuthorizationResult::Approved),
        Just(AuthorizationResult::Declined),
        Just(AuthorizationResult::StepUpRequired)
    ];
    let call = prop_oneof![Just(CallKind::Initial), Just(CallKind::Final), Just(CallKind::Any)];
    prop_oneof![
        3 => (0..4_u8, 0..6_u8).prop_map(|(reference, key)| Step::Initial { reference, key }),
        3 => (0..6_usize, 0..6_u8, 99..=100_i64).prop_map(|(token, key, amount)| Step::Final { token, key, amount }),
        4 => (0..6_usize, act).prop_map(|(request, act)| Step::Customer(request, act)),
        1 => (call, result).prop_map(|(call, result)| Step::Queue(call, result)),
        1 => (1..200_i64).prop_map(|minutes| Step::Pass { minutes }),
    ]
}

/// An authorize: initial without a token, else final.
pub(super) fn command(reference: u8, key: u8, amount: i64, token: Option<String>) -> AuthorizeCommand {
    let mut raw = json!({
        "currency": "SEK",
        "request_payment_transaction": {"amount": amount, "payment_transaction_reference": format!("t-{reference}")},
    });
    if token.is_none() {
        raw["step_up_config"] = json!({"customer_interaction_config": {"return_url": "https://a.example"}});
    }
    AuthorizeCommand {
        acquirer: "acquirer".into(),
        request: Ok(serde_json::from_value(raw.clone()).unwrap()),
        raw,
        token: token.map(|value| PresentedToken { value, header: TokenHeader::Session }),
        customer_token: None,
        key: Some(IdempotencyKey(format!("k-{key}"))),
        token_is_foreign: false,
        by_policy: false,
        undocumented: Vec::new(),
        older_names: Vec::new(),
        headers: Vec::new(),
        answer_fault: None,
    }
}

/// What an onlooker who sees only effects remembers.
#[derive(Default)]
struct Onlooker {
    states: HashMap<String, State>,
    tokens: Vec<String>,
    uuids: Vec<Uuid>,
    /// Transactions made by final calls, by token.
    made: HashMap<String, HashSet<String>>,
}

impl Onlooker {
    fn see(&mut self, effects: Vec<Effect>, token: Option<&str>) {
        let replies = effects.iter().filter(|effect| matches!(effect, Effect::Reply(_))).count();
        assert!(replies <= 1, "one command has one reply");
        for effect in effects {
            match effect {
                Effect::Emit(event) => {
                    if let super::effect::EventPayload::Request(payload) = &event.payload {
                        self.moved(payload);
                    }
                }
                Effect::TokenIssued(issued) if issued.contains("session-token") => self.tokens.push(issued),
                Effect::Reply(decided) => self.answered(&decided.reply, token),
                Effect::TokenIssued(_)
                | Effect::TokenDied(_)
                | Effect::Forgot { .. }
                | Effect::ActedAsPlanned { .. } => {}
            }
        }
    }

    fn moved(&mut self, payload: &klarna_schemas::klarna::webhook::PaymentRequestPayload) {
        let id = payload.payment_request_id.0.clone();
        let before = self.states.insert(id, payload.state.clone());
        assert_eq!(before, payload.previous_state, "events tell the whole way");
        let legal = match (&before, &payload.state) {
            (None, State::Submitted) | (Some(State::Submitted), State::InProgress | State::Expired) => true,
            (Some(State::InProgress), to) => *to != State::InProgress,
            (Some(State::Completed), to) => *to == State::Expired,
            _ => false,
        };
        assert!(legal, "{before:?} → {:?}", payload.state);
        let has_token = payload.klarna_network_session_token.is_some() && payload.state == State::Completed;
        assert_eq!(has_token, payload.state == State::Completed);
    }

    fn answered(&mut self, reply: &Reply, token: Option<&str>) {
        let Reply::Authorized(answer) = reply else { return };
        if let Some(request) = &answer.payment_request {
            let uuid = request.payment_request_id.as_str().rsplit(':').next().unwrap().parse().unwrap();
            if !self.uuids.contains(&uuid) {
                self.uuids.push(uuid);
            }
        }
        if let (Some(token), Some(made)) = (token, &answer.payment_transaction_response.payment_transaction) {
            self.made.entry(token.to_owned()).or_default().insert(made.payment_transaction_id.0.clone());
        }
    }
}

fn play(steps: &[Step]) -> Onlooker {
    let policies = Policies { payments: 100, ..Policies::defaults() };
    let mut sandbox = Sandbox::new("partner".into(), 1, policies);
    let mut onlooker = Onlooker::default();
    let mut now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    for step in steps {
        match step {
            Step::Initial { reference, key } => {
                onlooker.see(sandbox.authorize(&command(*reference, *key, 100, None), now), None);
            }
            Step::Final { token, key, amount } => {
                let Some(value) = onlooker.tokens.get(*token).cloned() else { continue };
                // Keys of its own: a key that another call has used would replay that call.
                let own_key = 100 + u8::try_from(*token * 10).unwrap() + key;
                let call = command(9, own_key, *amount, Some(value.clone()));
                onlooker.see(sandbox.authorize(&call, now), Some(&value));
            }
            Step::Customer(request, act) => {
                let Some(uuid) = onlooker.uuids.get(*request) else { continue };
                if let Ok(effects) = sandbox.customer(*uuid, *act, now) {
                    onlooker.see(effects, None);
                }
            }
            Step::Queue(on, result) => {
                let (on, result) = (*on, result.clone());
                sandbox.queue(vec![QueuedOutcome::once(on, result)]).unwrap();
            }
            Step::Pass { minutes } => {
                now += SignedDuration::from_mins(*minutes);
                onlooker.see(sandbox.tick(now), None);
                assert!(sandbox.next_due().is_none_or(|due| due > now), "nothing due is left behind");
            }
        }
    }
    onlooker
}

proptest! {
    #[test]
    fn requests_move_along_the_table_and_a_token_makes_one_transaction(steps in prop::collection::vec(step(), 1..60)) {
        let onlooker = play(&steps);
        for (token, made) in &onlooker.made {
            prop_assert!(made.len() <= 1, "{token} made {made:?}");
        }
    }

    #[test]
    fn the_same_steps_give_the_same_tokens(steps in prop::collection::vec(step(), 1..30)) {
        prop_assert_eq!(play(&steps).tokens, play(&steps).tokens);
    }
}
