//! What else the headers and the URL of a call show.

use super::{CallContext, Judge, Judgement, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::of_calls("integration-metadata.present", &["AP-34"], integration_metadata),
    Rule { id: "token.known", duties: &["AP-11"], judge: Judge::Call(known) },
    Rule { id: "secret.in-url", duties: &["AP-52"], judge: Judge::Call(secret_in_url) },
];

fn integration_metadata(context: &CallContext<'_>) -> Judgement {
    const HEADER: &str = "authorize request, header Klarna-Integration-Metadata";
    const MEND: &str = "send one line of JSON with integrator{name, session_reference} on every call";
    let Some(text) = &context.call.head.integration_metadata else {
        return Judgement::found(
            HEADER,
            "the call does not say which integration made it",
            MEND,
            vec![context.call.seq],
        );
    };
    let named = serde_json::from_str::<serde_json::Value>(text)
        .is_ok_and(|metadata| metadata.pointer("/integrator/name").is_some_and(serde_json::Value::is_string));
    if named {
        return Judgement::Holds;
    }
    Judgement::found(HEADER, "the integration metadata names no integrator", MEND, vec![context.call.seq])
}

fn known(context: &CallContext<'_>) -> Judgement {
    match &context.call.token {
        None => Judgement::NotJudged,
        Some(_) if context.call.token_known => Judgement::Holds,
        Some((_, header)) => Judgement::found(
            &format!("authorize request, header {}", header.name()),
            "Klarna has not issued this token: the call went on as if it had none",
            "send the Partner's session token or the completed event's, byte for byte",
            vec![context.call.seq],
        ),
    }
}

fn secret_in_url(context: &CallContext<'_>) -> Judgement {
    let target = &context.call.head.target;
    let token = context.call.token.as_ref().is_some_and(|(value, _)| target.contains(value.as_str()));
    if !token && !target.contains("klarna_test_api_") {
        return Judgement::Holds;
    }
    Judgement::found(
        "authorize request, URL",
        "a secret stands in the URL, where logs and proxies keep it",
        "send credentials and tokens in headers only",
        vec![context.call.seq],
    )
}
