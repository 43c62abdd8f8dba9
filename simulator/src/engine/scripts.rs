//! Scripts of the customer: what is refused when they are laid down is what could not be played.

use jiff::{SignedDuration, Timestamp};
use klarna_schemas::simulator::control::{CustomerAct, CustomerScript, CustomerStep};
use uuid::Uuid;

use super::customer::CustomerMove;
use super::properties::command;
use super::{Effect, Policies, Reply, Sandbox};
use crate::behaviour::customer_script::impossible_step;

/// The first act of a script that comes to nothing when it is played.
fn first_refused(acts: &[CustomerAct]) -> Option<usize> {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut sandbox = Sandbox::new("partner".into(), 1, Policies::defaults());
    let effects = sandbox.authorize(&command(1, 1, 100, None), now);
    let uuid: Uuid = effects.iter().find_map(request_uuid).unwrap();
    let moves = acts.iter().map(|act| (SignedDuration::from_secs(1), CustomerMove::new(*act)));
    sandbox.plan_acts(uuid, moves, now).unwrap();
    let effects = sandbox.tick(now + SignedDuration::from_mins(1));
    let played: Vec<bool> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::ActedAsPlanned { refused, .. } => Some(refused.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!(played.len(), acts.len(), "every act is told");
    played.into_iter().position(|refused| refused)
}

fn request_uuid(effect: &Effect) -> Option<Uuid> {
    let Effect::Reply(decided) = effect else { return None };
    let Reply::Authorized(answer) = &decided.reply else { return None };
    let id = &answer.payment_request.as_ref()?.payment_request_id;
    id.as_str().rsplit(':').next()?.parse().ok()
}

#[test]
fn all_scripts_of_three_acts_are_refused_where_they_cannot_be_played() {
    let all = CustomerAct::ALL;
    let pairs = all.iter().flat_map(|one| all.iter().map(move |two| (one, two)));
    let scripts = pairs.flat_map(|(one, two)| all.iter().map(move |three| [*one, *two, *three]));
    for acts in scripts {
        let script = CustomerScript(acts.iter().map(|act| CustomerStep::at_once(*act)).collect());
        assert_eq!(impossible_step(&script).map(|(index, _)| index), first_refused(&acts), "{acts:?}");
    }
}
