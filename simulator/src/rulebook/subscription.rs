//! The acquirer is told how its payment requests fare (AP-19).

use super::{CallContext, Judgement, Rule};
use crate::engine::CallRole;

pub(super) const RULES: &[Rule] = &[Rule::of_calls(
    "subscription.covers-state-changes",
    &["AP-19"],
    "the acquirer is told of the state changes of payment requests",
    covered,
)];

fn covered(context: &CallContext<'_>) -> Judgement {
    // A Partner that calls with a key of its own has no webhooks of an acquirer's.
    if context.call.role != CallRole::Initial || context.call.by_partner {
        return Judgement::NotJudged;
    }
    if context.uncovered_events.is_empty() {
        return Judgement::Holds;
    }
    Judgement::found(
        "POST /v2/notification/webhooks",
        format!("no enabled webhook covers {}", context.uncovered_events.join(", ")),
        "create a webhook for payment.request.state-change.* before the first authorize",
        vec![context.call.seq],
    )
}
