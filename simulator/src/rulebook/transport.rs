//! How a call travelled: its connection, and how much it carried (AP-04, AP-05, AP-43).

use std::net::IpAddr;

use klarna_schemas::klarna::client_certificate::MtlsStatus;

use super::{CallContext, Judge, Judgement, Rule};
use crate::engine::{TokenHeader, is_of_tracing};

pub(super) const RULES: &[Rule] = &[
    Rule::of_calls("tls.server-name", &["AP-05"], server_name),
    Rule { id: "client-certificate.valid", duties: &["AP-04"], judge: Judge::Call(client_certificate) },
    Rule::of_calls("headers.size", &["AP-43"], size),
    Rule::of_calls("headers.no-tracing", &["AP-43"], no_tracing),
];

/// Longest header that Klarna takes, and all of them together, in bytes (contract `payments.md` 1.4).
const ONE_HEADER: usize = 6 * 1024;
const ALL_HEADERS: usize = 20 * 1024;
/// Longest `Partner-Correlation-Id`, in characters.
const CORRELATION_ID: usize = 255;

/// Over plain http there is nothing to judge: the tester has chosen it.
fn server_name(context: &CallContext<'_>) -> Judgement {
    let head = &context.call.head;
    let Some(tls) = &head.tls else { return Judgement::NotJudged };
    if tls.server_name.is_some() {
        return Judgement::Holds;
    }
    // SNI is for names only: whoever calls an address cannot send one.
    let is_address = |host: &String| host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if head.host.as_ref().is_none_or(is_address) {
        return Judgement::NotJudged;
    }
    Judgement::found(
        "authorize request, TLS handshake",
        "the connection was opened without naming the server (SNI)",
        "let the TLS library send the name of the host that is called",
        vec![context.call.seq],
    )
}

/// Whether Klarna's reporting mode is to be left is for Klarna to say: one that came must be right.
fn client_certificate(context: &CallContext<'_>) -> Judgement {
    match context.call.head.tls.as_ref().map(|tls| &tls.client_certificate) {
        None | Some(MtlsStatus::NotPresent | MtlsStatus::Unknown(_)) => Judgement::NotJudged,
        Some(MtlsStatus::Valid) => Judgement::Holds,
        Some(MtlsStatus::Invalid) => Judgement::found(
            "authorize request, client certificate",
            "the client certificate is not one that was issued to this account for connections, or has lapsed",
            "ask for a certificate of usage MTLS with this account's API key, and show that one",
            vec![context.call.seq],
        ),
    }
}

fn size(context: &CallContext<'_>) -> Judgement {
    const MEND: &str = "send what Klarna asks for and no more: 6 KB in a header, 20 KB in all";
    let head = &context.call.head;
    // A session token may be longer than a header may be: Klarna's pages contradict each other there.
    let is_token = |name: &str| TokenHeader::ALL.iter().any(|token| token.name().eq_ignore_ascii_case(name));
    let all = head.header_bytes;
    let too_long = head.conspicuous.iter().find_map(|(name, length)| match name.as_str() {
        "partner-correlation-id" if *length > CORRELATION_ID => Some((name, *length, CORRELATION_ID)),
        name_of if *length > ONE_HEADER && !is_token(name_of) => Some((name, *length, ONE_HEADER)),
        _ => None,
    });
    if let Some((name, length, limit)) = too_long {
        let what = format!("the header has {length} bytes, and may have {limit}");
        return Judgement::found(
            &format!("authorize request, header {name}"),
            what,
            MEND,
            vec![context.call.seq],
        );
    }
    if all > ALL_HEADERS {
        let what = format!("the headers together have {all} bytes, and may have {ALL_HEADERS}");
        return Judgement::found("authorize request, headers", what, MEND, vec![context.call.seq]);
    }
    Judgement::Holds
}

fn no_tracing(context: &CallContext<'_>) -> Judgement {
    let conspicuous = &context.call.head.conspicuous;
    let Some((name, _)) = conspicuous.iter().find(|(name, _)| is_of_tracing(name)) else {
        return Judgement::Holds;
    };
    Judgement::found(
        &format!("authorize request, header {name}"),
        "a header of your own tracing went on to Klarna",
        "strip tracing headers from calls that leave your system; Partner-Correlation-Id is there for it",
        vec![context.call.seq],
    )
}
