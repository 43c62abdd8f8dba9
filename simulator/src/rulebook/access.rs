//! Whose key, and whose account (AP-03, AP-06).

use http::StatusCode;

use super::{ApiContext, Judgement, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::of_api("api-key.known", &["AP-03"], "the API key is one of this environment's", key_known),
    Rule::of_api(
        "account.known",
        &["AP-06"],
        "the Partner account in the path is known, and the caller's to use",
        account_known,
    ),
];

fn key_known(context: &ApiContext<'_>) -> Judgement {
    let call = context.call;
    // A 401 for want of a client certificate is for another rule.
    if call.heard != Some(StatusCode::UNAUTHORIZED.as_u16()) || call.tls.is_some() || call.by_fault {
        return if call.by_fault { Judgement::NotJudged } else { Judgement::Holds };
    }
    Judgement::found(
        &call.at("header Authorization"),
        "the call has no API key that opens an account here",
        "send the acquirer's own key of this environment as `Authorization: Basic <key>`; test and live have each their own",
        vec![context.seq],
    )
}

/// A call that came into its sandbox, or was refused there for another reason, named the right account.
fn account_known(context: &ApiContext<'_>) -> Judgement {
    let call = context.call;
    if !call.names_an_account || call.by_fault {
        return Judgement::NotJudged;
    }
    if call.seen.entered || call.heard != Some(StatusCode::FORBIDDEN.as_u16()) {
        return Judgement::Holds;
    }
    Judgement::found(
        &call.at("path"),
        call.error_message.clone().unwrap_or_else(|| "the Partner account in the path is refused".to_owned()),
        "map each Partner to its own Klarna account, in test and in live, and put that one into the path",
        vec![context.seq],
    )
}
