//! The acquirer takes its events (AP-49).

use klarna_schemas::simulator::journal::Ending;

use super::{DeliveryContext, Judge, Judgement, Rule};
use crate::notify::is_taken;

pub(super) const RULES: &[Rule] =
    &[Rule { id: "webhook.answer", duties: &["AP-49"], inferred: false, judge: Judge::Delivery(answered) }];

fn answered(context: &DeliveryContext<'_>) -> Judgement {
    let what = match (context.ended, context.status) {
        (Ending::Answered, Some(status)) if is_taken(status) => return Judgement::Holds,
        (Ending::Answered, Some(status)) => format!("{} was answered with {status}", context.event_type),
        (Ending::TimedOut, _) => format!("{} was not answered in time", context.event_type),
        // Nobody listens: an acquirer that is being restarted does not break a duty.
        _ => return Judgement::NotJudged,
    };
    Judgement::found(
        "answer to a webhook",
        what,
        "store the event, answer 200, 201, 202 or 204 at once, and work on it afterwards",
        vec![context.seq],
    )
}
