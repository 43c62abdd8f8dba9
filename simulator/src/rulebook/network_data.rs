//! Klarna Network Data and the Partner's session token pass through untouched (AP-11).

use klarna_schemas::simulator::finding::ChangeKind;

use super::{CallContext, Draft, Judge, Judgement, RefusedContext, Rule};
use crate::engine::{CallRole, NetworkData};
use crate::evidence::byte_diff::{Got, compare};

pub(super) const RULES: &[Rule] = &[
    Rule::of_calls(
        "network-data.byte-equal",
        &["AP-11"],
        "Klarna Network Data is the Partner's, byte for byte",
        byte_equal,
    )
    .by_intent(),
    Rule::of(
        "network-data.is-a-string",
        &["AP-11"],
        "Klarna Network Data is a JSON string, as the Partner gave it",
        Judge::Refused(is_a_string),
    )
    .by_intent(),
    Rule::of_calls(
        "session-token.forwarded",
        &["AP-11", "AP-10"],
        "the Partner's session token comes with the initial authorize, unchanged",
        token_forwarded,
    )
    .by_intent(),
    Rule::of_calls(
        "final.network-data-unchanged",
        &["AP-11", "AP-23"],
        "Klarna Network Data is the same in both calls, where it stands in both",
        same_in_final,
    )
    .also(Judge::Refused(a_string_in_final)),
];

const FIELD: &str = "authorize request, klarna_network_data";

fn byte_equal(context: &CallContext<'_>) -> Judgement {
    let (true, Some(intent)) = (context.is_first(), &context.payment.intent) else {
        return Judgement::NotJudged;
    };
    if intent.network_data.is_none() && context.call.network_data == NetworkData::Absent {
        return Judgement::NotJudged;
    }
    diff(
        intent.network_data.as_deref(),
        &context.call.network_data,
        "the Partner gave",
        vec![context.call.seq],
    )
}

/// Only a refused call can carry anything else: Klarna takes a string.
fn is_a_string(context: &RefusedContext<'_>) -> Judgement {
    let given = context.intent.and_then(|intent| intent.network_data.as_deref());
    match (NetworkData::of(context.raw), given) {
        (came @ NetworkData::NotText(_), Some(given)) if context.payment.is_none() => {
            diff(Some(given), &came, "the Partner gave", vec![context.seq])
        }
        _ => Judgement::NotJudged,
    }
}

/// A final call that is refused for it, seen beside the initial one.
fn a_string_in_final(context: &RefusedContext<'_>) -> Judgement {
    let initial = context.payment.and_then(|payment| payment.initial());
    match (NetworkData::of(context.raw), initial.map(|initial| (initial.seq, &initial.network_data))) {
        (came @ NetworkData::NotText(_), Some((seq, NetworkData::Text(first)))) => {
            diff(Some(first), &came, "the initial call carried", vec![seq, context.seq])
        }
        _ => Judgement::NotJudged,
    }
}

fn same_in_final(context: &CallContext<'_>) -> Judgement {
    let (CallRole::Final, Some(initial)) = (context.call.role, context.initial()) else {
        return Judgement::NotJudged;
    };
    // The final call may leave it out; where it stands in both, it is the same.
    let (NetworkData::Text(first), NetworkData::Text(_)) =
        (&initial.network_data, &context.call.network_data)
    else {
        return Judgement::NotJudged;
    };
    diff(
        Some(first),
        &context.call.network_data,
        "the initial call carried",
        vec![initial.seq, context.call.seq],
    )
}

fn token_forwarded(context: &CallContext<'_>) -> Judgement {
    let (true, Some(intent)) = (context.is_first(), &context.payment.intent) else {
        return Judgement::NotJudged;
    };
    let came = context.call.token.as_ref().map(|(value, _)| value.as_str());
    if intent.session_token.is_none() && came.is_none() {
        return Judgement::NotJudged;
    }
    let got = came.map_or(Got::Absent, Got::Text);
    let Some(difference) = compare(intent.session_token.as_deref(), &got) else { return Judgement::Holds };
    Judgement::Found(Box::new(Draft {
        r#where: "authorize request, header Klarna-Network-Session-Token".to_owned(),
        what: match difference.kind {
            ChangeKind::Dropped => {
                "the Partner's session token did not come with the initial call".to_owned()
            }
            ChangeKind::Added => {
                "the initial call carries a session token that the Partner did not give".to_owned()
            }
            _ => format!("the Partner's session token came changed at byte {}", difference.position),
        },
        mend: "hand the Partner's klarna_network_session_token on in this header, unread and unchanged"
            .to_owned(),
        // The token is a secret: the report gets lengths, never the text.
        expected: Some(format!("{} bytes", difference.expected_length)),
        got: Some(format!("{} bytes", difference.got_length)),
        diff: None,
        exchanges: vec![context.call.seq],
    }))
}

fn diff(expected: Option<&str>, came: &NetworkData, whose: &str, exchanges: Vec<u64>) -> Judgement {
    let got = match came {
        NetworkData::Absent => Got::Absent,
        NetworkData::Text(text) => Got::Text(text),
        NetworkData::NotText(value) => Got::NotText(value),
    };
    let Some(difference) = compare(expected, &got) else { return Judgement::Holds };
    let change = match difference.kind {
        ChangeKind::Dropped => "was dropped",
        ChangeKind::Added => "came although none was given",
        ChangeKind::ReEncoded => "was re-encoded: the same JSON, other bytes",
        ChangeKind::ReOrdered => "was re-ordered: the same JSON with its keys in another order",
        ChangeKind::Truncated => "was truncated",
        ChangeKind::TypeChanged => "is no longer a string",
        ChangeKind::Altered => "was altered",
    };
    Judgement::Found(Box::new(Draft {
        r#where: FIELD.to_owned(),
        what: format!("the network data {change}; it should be what {whose}"),
        mend: "keep the Partner's string as it is after one JSON decode, and encode it once: never parse it"
            .to_owned(),
        expected: Some(format!("{} bytes: {}", difference.expected_length, difference.expected_excerpt)),
        got: Some(format!("{} bytes: {}", difference.got_length, difference.got_excerpt)),
        diff: Some(difference),
        exchanges,
    }))
}
