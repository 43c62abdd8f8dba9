//! What else the headers and the URL of a call show.

use super::{ApiContext, CallContext, Judgement, Rule};
use crate::engine::TokenStanding;

pub(super) const RULES: &[Rule] = &[
    Rule::of_api(
        "integration-metadata.present",
        &["AP-34"],
        "a call says which integration made it",
        integration_metadata,
    ),
    Rule::of_calls(
        "token.known",
        &["AP-11"],
        "the session token of an authorize is one that Klarna has issued",
        known,
    ),
    Rule::of_api("secret.in-url", &["AP-52"], "no API key and no token stands in a URL", secret_in_url),
];

fn integration_metadata(context: &ApiContext<'_>) -> Judgement {
    const HEADER: &str = "header Klarna-Integration-Metadata";
    const MEND: &str = "send one line of JSON with integrator{name, session_reference} on every call";
    let call = context.call;
    let Some(text) = call.integration_metadata() else {
        let what = "the call does not say which integration made it";
        return Judgement::found(&call.at(HEADER), what, MEND, vec![context.seq]);
    };
    let named = serde_json::from_str::<serde_json::Value>(text)
        .is_ok_and(|metadata| metadata.pointer("/integrator/name").is_some_and(serde_json::Value::is_string));
    if named {
        return Judgement::Holds;
    }
    let what = "the integration metadata names no integrator";
    Judgement::found(&call.at(HEADER), what, MEND, vec![context.seq])
}

fn known(context: &CallContext<'_>) -> Judgement {
    let call = context.call;
    match &call.token {
        None => Judgement::NotJudged,
        Some(_) if call.token_standing != TokenStanding::Unknown => Judgement::Holds,
        Some((_, header)) => Judgement::found(
            &format!("authorize request, header {}", header.name()),
            if call.refused {
                "Klarna has not issued this token, and refused the call"
            } else {
                "Klarna has not issued this token: the call went on as if it had none"
            },
            "send the Partner's session token or the completed event's, byte for byte",
            vec![call.seq],
        ),
    }
}

fn secret_in_url(context: &ApiContext<'_>) -> Judgement {
    if !context.call.seen.secret_in_url {
        return Judgement::Holds;
    }
    Judgement::found(
        &context.call.at("URL"),
        "a secret stands in the URL, where logs and proxies keep it",
        "send credentials and tokens in headers only",
        vec![context.seq],
    )
}
