//! The acquirer is told how its payment requests fare (AP-19).

use super::{CallContext, Judge, Judgement, Rule};
use crate::engine::CallRole;

pub(super) const RULES: &[Rule] = &[Rule {
    id: "subscription.covers-state-changes",
    duties: &["AP-19"],
    inferred: false,
    judge: Judge::Call(covered),
}];

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
