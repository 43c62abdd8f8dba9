//! Traces by OTLP: what a collector gets, and what it does not; and that nobody misses one that is gone.

use std::process::Stdio;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::support::{ALPHA, POSTGRES, Reply, Setup, client, order};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// What a collector was sent: path and body.
type Sent = (String, Bytes);

/// A collector that takes everything.
async fn collector() -> (String, mpsc::UnboundedReceiver<Sent>) {
    let (sender, sent) = mpsc::unbounded_channel();
    let take = async |State(sender): State<mpsc::UnboundedSender<Sent>>, uri: Uri, body: Bytes| {
        let _ = sender.send((uri.path().to_owned(), body));
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(take).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (endpoint, sent)
}

/// The program, told of a collector as OpenTelemetry has it.
async fn start(setup: &Setup, endpoint: &str) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_reference-acquirer"))
        .args(["serve", "--config", setup.config_file().to_str().unwrap()])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env_remove(POSTGRES)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let ready: Json = serde_json::from_str(&line).unwrap();
    (child, ready["listening"].as_str().unwrap().to_owned())
}

async fn stop(mut child: Child) {
    let id = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    assert!(child.wait().await.unwrap().success());
}

async fn create(base_url: &str) -> Json {
    let request = client().post(format!("{base_url}/v1/payments")).bearer_auth(ALPHA);
    let request = request.header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    request.json(&order("tx-1")).send().await.unwrap().json().await.unwrap()
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
    Some(match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

#[tokio::test]
async fn a_payment_is_one_trace_from_the_partner_to_klarna_and_back_to_the_partner() {
    let setup = Setup::new().await;
    let (endpoint, mut sent) = collector().await;
    let (child, base_url) = start(&setup, &endpoint).await;
    setup.klarna.will([Reply::step_up(), Reply::approved()]);
    let payment = create(&base_url).await;
    assert_eq!(payment["status"], "step_up_required");
    let initial = setup.klarna.authorizes().remove(0);
    setup.klarna.send_event("e-1", "COMPLETED", &initial).await;
    setup.partner.heard.await_matching(1, |told| told.json()["data"]["status"] == "approved").await;
    stop(child).await;

    let (mut spans, mut all) = (Vec::new(), Vec::new());
    while let Ok((path, body)) = sent.try_recv() {
        assert_eq!(path, "/v1/traces");
        all.extend_from_slice(&body);
        let batch = ExportTraceServiceRequest::decode(body).unwrap();
        let of_scope = batch.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        spans.extend(of_scope.flat_map(|scope| scope.spans));
    }
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let all_names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();

    // The Partner's trace goes on.
    let [request] = named("POST /v1/payments")[..] else { panic!("{all_names:?}") };
    assert_eq!(
        (hex::encode(&request.trace_id), hex::encode(&request.parent_span_id)),
        (TRACE.to_owned(), CALLER.to_owned())
    );
    assert_eq!(attribute(request, "http.response.status_code").as_deref(), Some("201"));
    let calls = named("klarna authorize");
    let [initial, last] = calls[..] else { panic!("{all_names:?}") };
    assert_eq!(hex::encode(&initial.trace_id), TRACE);
    assert_eq!(initial.parent_span_id, request.span_id);
    assert_eq!(attribute(initial, "http.response.status_code").as_deref(), Some("200"));
    // What a webhook leads to is work of its own, which names the payment.
    let [work] = named("work finalize")[..] else { panic!("{all_names:?}") };
    assert_eq!(last.parent_span_id, work.span_id);
    assert_eq!(attribute(work, "subject").as_deref(), payment["payment_id"].as_str());
    assert_eq!(named("POST /klarna/webhooks").len(), 1, "{all_names:?}");
    let [told] = named("notify Partner")[..] else { panic!("{all_names:?}") };
    assert_eq!(attribute(told, "payment_id").as_deref(), payment["payment_id"].as_str());

    // Nothing of it is anybody's secret.
    let said = String::from_utf8_lossy(&all);
    let order = order("tx-1");
    let secrets = [
        ALPHA,
        crate::support::TOKEN,
        crate::support::SIGNING_KEY,
        order["customer"]["email"].as_str().unwrap(),
        order["customer"]["family_name"].as_str().unwrap(),
        order["billing_address"]["street_address"].as_str().unwrap(),
        "/return/",
    ];
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} got out");
    }
    assert!(said.contains("reference-acquirer"), "who sends it is said");
}

#[tokio::test]
async fn a_collector_that_is_gone_is_missed_by_nobody() {
    let setup = Setup::new().await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (child, base_url) = start(&setup, &format!("http://{gone}")).await;
    setup.klarna.will([Reply::approved()]);
    assert_eq!(create(&base_url).await["status"], "approved");
    stop(child).await;
}
