//! What holds of a transaction's money, whatever is asked of it, in whatever order.

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::ids::PaymentTransactionId;
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::klarna::transaction::{
    CaptureTransaction, ReauthorizeTransaction, RefundPayment, TransactionState as State,
};
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{CallKind, QueuedOutcome};
use proptest::prelude::*;
use serde_json::json;

use super::properties::command;
use super::transaction::TransactionRecord;
use super::{Acted, Effect, Policies, Sandbox};

/// One thing that can be done to a transaction over 100.
#[derive(Debug, Clone)]
enum Step {
    Capture { amount: i64, release: bool },
    Refund { amount: i64, capture: Option<usize> },
    Reauthorize { days: Option<i64>, amount: Option<i64> },
    ChargeBack(i64),
    Void,
    Pass { days: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..60_i64, prop::bool::weighted(0.1)).prop_map(|(amount, release)| Step::Capture { amount, release }),
        6 => (1..60_i64, prop::option::of(0..4_usize)).prop_map(|(amount, capture)| Step::Refund { amount, capture }),
        2 => (prop::option::of(1..30_i64), prop::option::of(1..200_i64)).prop_map(|(days, amount)| Step::Reauthorize { days, amount }),
        1 => (1..60_i64).prop_map(Step::ChargeBack),
        1 => Just(Step::Void),
        2 => (1..30_i64).prop_map(|days| Step::Pass { days }),
    ]
}

/// Does a step; whether it was served, where it can be refused.
fn take(
    sandbox: &mut Sandbox,
    id: &PaymentTransactionId,
    step: &Step,
    now: Timestamp,
) -> (Option<bool>, Vec<Effect>) {
    let mut effects = Vec::new();
    let acted = match step {
        Step::Capture { amount, release } => {
            let mut asked = json!({"capture_amount": amount});
            if *release {
                asked["remaining_authorization"] = json!("RELEASE");
            }
            let asked: CaptureTransaction = serde_json::from_value(asked).unwrap();
            sandbox.capture(id, &asked, now, &mut effects)
        }
        Step::Refund { amount, capture } => {
            let asked: RefundPayment = serde_json::from_value(json!({"refund_amount": amount})).unwrap();
            match capture {
                None => sandbox.refund_transaction(id, &asked, now, &mut effects),
                Some(ordinal) => {
                    let capture = format!("{id}:capture:{ordinal}").into();
                    sandbox.refund_capture(&capture, &asked, now, &mut effects)
                }
            }
        }
        Step::Reauthorize { days, amount } => {
            let asked = ReauthorizeTransaction {
                extension_days: *days,
                amount: amount.map(MinorUnits),
                supplementary_purchase_data: None,
            };
            sandbox.reauthorize(id, &asked, now, &mut effects)
        }
        Step::ChargeBack(amount) => {
            let (outcome, effects) = sandbox.charge_back(id, MinorUnits(*amount), now);
            return (Some(outcome.is_ok()), effects);
        }
        Step::Void => sandbox.void(id, now, &mut effects),
        Step::Pass { .. } => return (None, sandbox.tick(now)),
    };
    let Acted { outcome, .. } = acted;
    (Some(outcome.is_ok()), effects)
}

fn assert_sound(record: &TransactionRecord) {
    let captured = record.captured();
    assert!(captured <= record.amount.0, "captured {captured} of {}", record.amount);
    for capture in &record.captures {
        assert!((0..=capture.amount.0).contains(&capture.returned.0), "{capture:?}");
    }
    let refunded: i64 = record.refunds.iter().filter_map(|refund| Some(refund.refund_amount?.0)).sum();
    let taken: i64 = record.chargebacks.iter().filter_map(|made| Some(made.chargeback_amount?.0)).sum();
    let returned: i64 = record.captures.iter().map(|capture| capture.returned.0).sum();
    assert_eq!(returned, refunded + taken, "what went back went back of some capture");
    assert!(returned <= captured);
    let open = matches!(record.state, State::Authorized | State::Expired);
    assert!(!open || captured < record.amount.0, "there is something left, or it is over");
}

fn may_lead(from: &State, to: &State) -> bool {
    from == to
        || matches!(
            (from, to),
            (State::Authorized, State::Expired | State::Completed | State::Closed)
                | (State::Expired, State::Authorized | State::Closed)
        )
}

proptest! {
    #[test]
    fn no_more_is_captured_than_authorized_and_no_more_goes_back_than_was_captured(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut sandbox = Sandbox::new("partner".into(), 1, Policies::defaults());
        let mut now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        sandbox.queue(vec![QueuedOutcome::once(CallKind::Any, AuthorizationResult::Approved)]).unwrap();
        sandbox.authorize(&command(0, 0, 100, None), now);
        let id = sandbox.transactions.keys().next().unwrap().clone();
        for step in &steps {
            if let Step::Pass { days } = step {
                now += SignedDuration::from_hours(days * 24);
            }
            // What fell due is not the next step's doing.
            sandbox.tick(now);
            let before = sandbox.transaction(&id).unwrap().clone();
            let (served, effects) = take(&mut sandbox, &id, step, now);
            let after = sandbox.transaction(&id).unwrap();
            assert_sound(after);
            prop_assert!(may_lead(&before.state, &after.state), "{} -> {}", before.state, after.state);
            if served == Some(false) {
                prop_assert_eq!(format!("{before:?}"), format!("{after:?}"), "refused, and yet changed");
                prop_assert!(effects.is_empty());
            }
            prop_assert!(sandbox.next_due().is_none_or(|due| due > now), "nothing due is left behind");
        }
    }
}
