//! Names of older revisions, which Klarna still serves and will drop (AP-44; contract `payments.md` 7).

use super::{CallContext, Judge, Judgement, Rule};
use crate::engine::{CallRole, TokenHeader};

pub(super) const RULES: &[Rule] = &[
    Rule::of(
        "token.current-name",
        &["AP-44"],
        "the session token comes under its current header",
        Judge::Call(current_name),
    ),
    Rule::of("body.current-names", &["AP-44"], "a body uses the current names", Judge::Call(current_names)),
];

fn current_name(context: &CallContext<'_>) -> Judgement {
    match &context.call.token {
        None => Judgement::NotJudged,
        Some((_, TokenHeader::Session)) => Judgement::Holds,
        Some((_, older)) => Judgement::found(
            &format!("authorize request, header {}", older.name()),
            "the token came under an older name, which Klarna will drop",
            "send it as Klarna-Network-Session-Token",
            vec![context.call.seq],
        ),
    }
}

fn current_names(context: &CallContext<'_>) -> Judgement {
    if context.call.role == CallRole::Replay {
        return Judgement::NotJudged;
    }
    let older = &context.call.older_names;
    let Some(first) = older.first() else { return Judgement::Holds };
    let list: Vec<String> =
        older.iter().map(|field| format!("{} {}", field.parameter, field.reason)).collect();
    Judgement::found(
        &format!("authorize request, {}", first.parameter),
        format!("the body uses names that Klarna will drop: {}", list.join("; ")),
        "use the current names",
        vec![context.call.seq],
    )
}
