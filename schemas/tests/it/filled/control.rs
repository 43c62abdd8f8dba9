//! What travels between a tester and the simulator.

use jiff::SignedDuration;
use klarna_schemas::klarna::authorize::AuthorizationResult;
use klarna_schemas::klarna::client_certificate::MtlsStatus;
use klarna_schemas::klarna::payment_request::PaymentRequestState;
use klarna_schemas::money::MinorUnits;
use klarna_schemas::simulator::control::{
    ActAsCustomer, CallKind, ClockView, CustomerAct, CustomerActed, Fault, Findings, Intent, MakeSnapshot,
    MintSessionToken, MintedSessionToken, MintedTokenState, PartnerKey, PutSandbox, QueuedOutcome,
    SandboxView, Sandboxes, SetClock, SnapshotView, Snapshots,
};
use klarna_schemas::simulator::finding::{ByteDiff, ChangeKind, Evidence, Finding, Level, Severity};
use klarna_schemas::simulator::journal::{
    Direction, Ending, HttpVersion, JournalEntry, JournalPage, NearMiss, RecordedRequest, RecordedResponse,
    RecordedTimings, RecordedTls, StreamEnd,
};
use serde_json::json;

use super::purchase_data::chosen_shipping;
use super::{Filled, currency, filled, moment, some};

fn near() -> NearMiss {
    NearMiss { seq: 1, operation: "authorize".to_owned(), misses: vec!["status: 409, not 200".to_owned()] }
}

fn entry() -> JournalEntry {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    JournalEntry {
        seq: 1,
        epoch: 2,
        payment: some("e2p1"),
        direction: Direction::Outbound,
        operation: "event:payment.request.state-change.completed".to_owned(),
        started_at: moment(),
        virtual_at: moment(),
        http_version: Some(HttpVersion::Http2),
        timings: Some(RecordedTimings { send_us: Some(1), wait_us: Some(2), receive_us: Some(3) }),
        request: RecordedRequest {
            method: "POST".to_owned(),
            target: "http://127.0.0.1:8081/klarna/webhooks".to_owned(),
            headers: headers.clone(),
            body_base64: "e30=".to_owned(),
            truncated: true,
        },
        response: Some(RecordedResponse { status: 204, headers, body_base64: String::new() }),
        ended: Ending::TimedOut,
        rule: some("queued"),
        fault: some("delay"),
        tls: Some(RecordedTls {
            version: "1.3".to_owned(),
            server_name: some("localhost"),
            client_certificate: MtlsStatus::Valid,
        }),
        findings: vec!["final.missing".to_owned()],
    }
}

fn finding(kind: ChangeKind, severity: Severity) -> Finding {
    Finding {
        rule: "network-data.byte-equal".to_owned(),
        duties: vec!["AP-11".to_owned()],
        level: match severity {
            Severity::Warns => Level::Recommended,
            Severity::Fails => Level::Required,
        },
        severity,
        evidence: Evidence::Inferred,
        rests_on: vec!["The limit counts characters (payments.md 2.1)".to_owned()],
        r#where: "authorize, klarna_network_data".to_owned(),
        what: "the string changed on its way".to_owned(),
        mend: "forward the string as it came".to_owned(),
        expected: some("{ }"),
        got: some("{}"),
        diff: Some(ByteDiff {
            kind,
            position: 1,
            expected_length: 3,
            got_length: 2,
            expected_excerpt: "{ }".to_owned(),
            got_excerpt: "{}".to_owned(),
        }),
        payment: some("e2p1"),
        exchanges: vec![1],
    }
}

fn sandbox() -> SandboxView {
    SandboxView { account: "krn:partner:global:account:test:ALPHA001".into(), epoch: 1, seed: u64::MAX }
}

/// Bodies of the control API.
pub(super) fn filled_in() -> Vec<Filled> {
    let made_anew =
        PutSandbox { seed: Some(7), clock: Some(SetClock::Freeze(true)), rules: vec![super::rules::rule()] };
    let mut all = vec![
        filled("simulator/put-sandbox", &made_anew),
        filled("simulator/sandbox", &sandbox()),
        filled("simulator/sandboxes", &Sandboxes { sandboxes: vec![sandbox()] }),
        filled(
            "simulator/intent",
            &Intent {
                network_data: some("{}"),
                session_token: some("token"),
                amount: MinorUnits(45_900),
                currency: currency(),
                purchase_reference: some("ORDER-5501"),
                line_items: Some(vec![json!({ "name": "Trail shoe" })]),
                customer: Some(json!({ "given_name": "Alva" })),
                shipping: Some(vec![json!({ "address": { "city": "Stockholm" } })]),
                payment_option_id: some("S0xBUk5B"),
            },
        ),
        filled(
            "simulator/minted-session-token",
            &MintedSessionToken { klarna_network_session_token: "token".to_owned() },
        ),
        filled(
            "simulator/customer-acted",
            &CustomerActed {
                state: PaymentRequestState::Completed,
                redirect_to: some("https://shop.example/back"),
            },
        ),
        filled(
            "simulator/clock",
            &ClockView { now: moment(), happened: vec!["a payment request expired".to_owned()] },
        ),
        filled("simulator/journal-entry", &entry()),
        filled(
            "simulator/journal-page",
            &JournalPage {
                entries: vec![entry()],
                next_after: 1,
                dropped: 0,
                timed_out: false,
                near: vec![near()],
            },
        ),
        filled("simulator/stream-end", &StreamEnd { seen: 1, timed_out: true, near: vec![near()] }),
        filled(
            "simulator/findings",
            &Findings {
                findings: vec![finding(ChangeKind::ReEncoded, Severity::Fails)],
                judged: [("network-data.byte-equal".to_owned(), 2)].into_iter().collect(),
                not_judged: [("amount.as-intended".to_owned(), "no intent".to_owned())].into_iter().collect(),
                dropped: 3,
            },
        ),
    ];
    for clock in
        [SetClock::Advance(SignedDuration::from_mins(5)), SetClock::Set(moment()), SetClock::Freeze(false)]
    {
        all.push(filled("simulator/set-clock", &clock));
    }
    for state in [MintedTokenState::Unused, MintedTokenState::Completed] {
        all.push(filled("simulator/mint-session-token", &MintSessionToken { length: Some(512), state }));
    }
    for on in [CallKind::Initial, CallKind::Final, CallKind::Any] {
        let result = AuthorizationResult::Declined;
        let outcome = QueuedOutcome {
            on,
            times: 1,
            result: Some(result),
            result_reason: some("because"),
            response_data: some("{}"),
            force: true,
            customer: super::rules::script(),
            fault: Some(Fault::Reset),
            webhooks: vec![super::rules::webhook()],
        };
        all.push(filled("simulator/queued-outcomes", &vec![outcome]));
    }
    let key = PartnerKey { api_key: "klarna_test_api_1".to_owned() };
    all.push(filled("simulator/partner-key", &key));
    all.extend(snapshots().into_iter().chain(acts()));
    all.extend(super::disturbances::filled_in());
    all.extend(super::rules::filled_in());
    for kind in [
        ChangeKind::Dropped,
        ChangeKind::Added,
        ChangeKind::ReEncoded,
        ChangeKind::ReOrdered,
        ChangeKind::Truncated,
        ChangeKind::TypeChanged,
        ChangeKind::Altered,
    ] {
        all.push(filled("simulator/finding", &finding(kind, Severity::Warns)));
    }
    all
}

fn acts() -> impl Iterator<Item = Filled> {
    CustomerAct::ALL.into_iter().map(|act| {
        let body = ActAsCustomer {
            after: Some(SignedDuration::from_secs(30)),
            code: some("123456"),
            payment_option_id: some("option"),
            shipping: chosen_shipping(),
            shipping_amount: Some(MinorUnits(4_900)),
            ..ActAsCustomer::new("krn:payment:eu1:request:1".into(), act)
        };
        filled("simulator/act-as-customer", &body)
    })
}

fn snapshots() -> [Filled; 3] {
    let snapshot = SnapshotView { name: "before".to_owned(), epoch: 2, taken_at: moment() };
    [
        filled("simulator/make-snapshot", &MakeSnapshot { name: some("before") }),
        filled("simulator/snapshot", &snapshot),
        filled("simulator/snapshots", &Snapshots { snapshots: vec![snapshot.clone()] }),
    ]
}
