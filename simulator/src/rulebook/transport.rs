//! How a call travelled: its connection, and how much it carried (AP-04, AP-05, AP-43).

use std::net::IpAddr;

use klarna_schemas::klarna::client_certificate::MtlsStatus;

use super::{ApiContext, Judgement, Rule};
use crate::engine::TokenHeader;

pub(super) const RULES: &[Rule] = &[
    Rule::of_api("tls.server-name", &["AP-05"], "a connection by TLS names the server (SNI)", server_name),
    Rule::of_api(
        "client-certificate.valid",
        &["AP-04"],
        "a client certificate that is shown is one that was issued to this account",
        client_certificate,
    ),
    Rule::of_api("headers.size", &["AP-43"], "no header is longer than 6 KB, and all together 20 KB", size),
    Rule::of_api(
        "headers.no-tracing",
        &["AP-43"],
        "no header of a tracing system goes on to Klarna",
        no_tracing,
    ),
];

/// Longest header that Klarna takes, and all of them together, in bytes (contract `payments.md` 1.4).
const ONE_HEADER: usize = 6 * 1024;
const ALL_HEADERS: usize = 20 * 1024;
/// Longest `Partner-Correlation-Id`, in characters.
const CORRELATION_ID: usize = 255;
/// Headers of tracing systems; a dash at the end stands for any rest.
const TRACING: [&str; 6] = ["traceparent", "tracestate", "x-b3-", "b3", "uber-trace-id", "x-datadog-"];

/// Over plain http there is nothing to judge: the tester has chosen it.
fn server_name(context: &ApiContext<'_>) -> Judgement {
    let call = context.call;
    let Some(tls) = &call.tls else { return Judgement::NotJudged };
    if tls.server_name.is_some() {
        return Judgement::Holds;
    }
    // SNI is for names only: whoever calls an address cannot send one.
    let is_address = |host: &String| host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if call.seen.host.as_ref().is_none_or(is_address) {
        return Judgement::NotJudged;
    }
    Judgement::found(
        &call.at("TLS handshake"),
        "the connection was opened without naming the server (SNI)",
        "let the TLS library send the name of the host that is called",
        vec![context.seq],
    )
}

/// Whether Klarna's reporting mode is to be left is for Klarna to say: one that came must be right.
fn client_certificate(context: &ApiContext<'_>) -> Judgement {
    match context.call.tls.as_ref().map(|tls| &tls.client_certificate) {
        None | Some(MtlsStatus::NotPresent | MtlsStatus::Unknown(_)) => Judgement::NotJudged,
        Some(MtlsStatus::Valid) => Judgement::Holds,
        Some(MtlsStatus::Invalid) => Judgement::found(
            &context.call.at("client certificate"),
            "the client certificate is not one that was issued to this account for connections, or has lapsed",
            "ask for a certificate of usage MTLS with this account's API key, and show that one",
            vec![context.seq],
        ),
    }
}

fn size(context: &ApiContext<'_>) -> Judgement {
    const MEND: &str = "send what Klarna asks for and no more: 6 KB in a header, 20 KB in all";
    let call = context.call;
    // A session token may be longer than a header may be: Klarna's pages contradict each other there.
    let is_token = |name: &str| TokenHeader::ALL.iter().any(|token| token.name().eq_ignore_ascii_case(name));
    let limit_of = |name: &str| {
        if name.eq_ignore_ascii_case("partner-correlation-id") {
            Some(CORRELATION_ID)
        } else {
            (!is_token(name)).then_some(ONE_HEADER)
        }
    };
    for (name, value) in &call.headers {
        if let Some(limit) = limit_of(name).filter(|limit| value.len() > *limit) {
            let what = format!("the header has {} bytes, and may have {limit}", value.len());
            return Judgement::found(&call.at(&format!("header {name}")), what, MEND, vec![context.seq]);
        }
    }
    let all: usize = call.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if all > ALL_HEADERS {
        let what = format!("the headers together have {all} bytes, and may have {ALL_HEADERS}");
        return Judgement::found(&call.at("headers"), what, MEND, vec![context.seq]);
    }
    Judgement::Holds
}

fn no_tracing(context: &ApiContext<'_>) -> Judgement {
    let is_of_tracing = |name: &str| {
        TRACING
            .iter()
            .any(|known| if known.ends_with('-') { name.starts_with(known) } else { name == *known })
    };
    let mut names = context.call.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
    let Some(name) = names.find(|name| is_of_tracing(name)) else { return Judgement::Holds };
    Judgement::found(
        &context.call.at(&format!("header {name}")),
        "a header of your own tracing went on to Klarna",
        "strip tracing headers from calls that leave your system; Partner-Correlation-Id is there for it",
        vec![context.seq],
    )
}
