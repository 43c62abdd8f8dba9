//! The acquirer takes its events (AP-49).

use klarna_schemas::simulator::journal::Ending;

use super::{DeliveryContext, Judge, Judgement, Rule};
use crate::journal::Sent;
use crate::notify::is_taken;

pub(super) const RULES: &[Rule] = &[
    Rule::of("webhook.answer", &["AP-49"], "a webhook is answered 2xx in time", Judge::Delivery(answered)),
    // That it has no effect is what counts; the status alone only hints.
    Rule::of(
        "webhook.forged-refused",
        &["AP-49"],
        "a webhook whose signature does not fit is refused",
        Judge::Delivery(forged_refused),
    ),
];

fn forged_refused(context: &DeliveryContext<'_>) -> Judgement {
    match (context.sent == Sent::FalselySigned, context.ended, context.status) {
        (true, Ending::Answered, Some(status)) if (200..300).contains(&status) => Judgement::found(
            "answer to a webhook",
            format!(
                "{} came with a signature that does not fit, and was answered with {status}",
                context.event_type
            ),
            "verify Klarna-Signature over the raw body with the key that Klarna-Signing-Key-Id names; answer 400 where it does not fit",
            vec![context.seq],
        ),
        (true, Ending::Answered, Some(_)) => Judgement::Holds,
        _ => Judgement::NotJudged,
    }
}

fn answered(context: &DeliveryContext<'_>) -> Judgement {
    // What Klarna would never send may be refused.
    if context.sent != Sent::AsKlarnaDoes {
        return Judgement::NotJudged;
    }
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
