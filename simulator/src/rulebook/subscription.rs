//! The acquirer is told how its payment requests fare (AP-19).

use super::{CallContext, Judgement, Rule};
use crate::engine::CallRole;

pub(super) const RULES: &[Rule] = &[Rule::of_calls("subscription.covers-state-changes", &["AP-19"], covered)];

fn covered(context: &CallContext<'_>) -> Judgement {
    if context.call.role != CallRole::Initial {
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
