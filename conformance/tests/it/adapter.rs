//! Adapter files: what loads, what is refused and how, and what goes over the wire.

mod faces;
mod follow_ups;
mod slips;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use klarna_conformance::adapter::{
    Adapter, AdapterError, AdapterSource, Address, BoundAcquirer, Capability, Customer, Mode, OperationError,
    Order, OrderLine, Outcome,
};
use klarna_conformance::launch::{BuiltinLaunch, LaunchContext};
use serde_json::{Value, json};
use url::Url;

/// The adapter of the Python acquirer.
pub(crate) fn foreign() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/adapter.yaml")
}

/// An order of 459.00 SEK.
pub(crate) fn order(reference: &str) -> Order {
    let text = str::to_owned;
    let address = Address {
        street_address: text("Gatan 1"),
        postal_code: text("11122"),
        city: text("Stockholm"),
        region: None,
        country: text("SE"),
    };
    let line = |name: &str, total: i64| OrderLine {
        name: text(name),
        quantity: 1,
        unit_price: total,
        total_amount: total,
        total_tax_amount: total / 5,
        reference: text(name),
    };
    Order {
        reference: text(reference),
        amount: 45_900,
        currency: text("SEK"),
        purchase_reference: format!("ORDER-{reference}"),
        lines: vec![line("shoe", 41_000), line("parcel", 4_900)],
        customer: Customer {
            given_name: text("Test"),
            family_name: text("Person"),
            email: text("customer@example.com"),
            phone: text("+46700000000"),
        },
        billing_address: address.clone(),
        shipping_address: address,
        recipient: klarna_conformance::adapter::Recipient { given_name: "R".into(), family_name: "S".into() },
        return_url: text("https://shop.example/return"),
        app_return_url: None,
        mode: Mode::Redirect,
        network_data: None,
        session_token: None,
        locale: "sv-SE".to_owned(),
        payment_option_id: None,
    }
}

/// What a launch and a binding know, with nothing of it running.
pub(crate) fn context(work_dir: &Path) -> LaunchContext {
    LaunchContext {
        klarna_base_url: Url::parse("http://127.0.0.1:9").unwrap(),
        klarna_api_key: "klarna_test_api_local".to_owned().into(),
        klarna_ca_file: None,
        partner_base_url: Url::parse("http://127.0.0.1:9").unwrap(),
        work_dir: work_dir.to_path_buf(),
        log_file: None,
        seed: 7,
        builtin: BuiltinLaunch {
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_klarna-conformance"))),
            ..BuiltinLaunch::default()
        },
    }
}

fn nothing_set(_: &str) -> Option<String> {
    None
}

/// Writes an adapter file of its own folder and loads it.
pub(crate) fn load(yaml: &str) -> Result<Adapter, AdapterError> {
    load_with(yaml, &nothing_set)
}

fn load_with(yaml: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Adapter, AdapterError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.yaml");
    std::fs::write(&path, yaml).unwrap();
    Adapter::load_with(&AdapterSource::File(path), environment)
}

const SOUND: &str = r#"version: 1
name: acme
attach: {base_url: "http://127.0.0.1:9"}
partners:
  - name: alpha
    klarna_account: "krn:alpha"
    vars: {key: alpha-secret-key, merchant: {env: MERCHANT, default: shop-4711}}
capabilities: [redirect]
timing: {operation_timeout_ms: 1500}
authentication: {bearer: "{{ partner.vars.key }}"}
operations:
  create_payment:
    request:
      method: POST
      path: "/merchants/{{ partner.vars.merchant }}/payments"
      headers: {X-Idempotency: "{{ order.reference }}", X-Session: "{{ order.session_token | omit }}"}
      body:
        json:
          amount: {value: "{{ order.amount | decimal }}", minor: "{{ order.amount }}"}
          deep: {paymentMethod: [{data: "{{ order.network_data | omit }}"}]}
          lines: {$each: "{{ order.lines }}", as: line, item: "{{ line.name | upper }}"}
          key: "{{ partner.vars.key }}"
    answer:
      outcome:
        - {status: 201, is: approved}
        - {status: 403, where: {$.error: Step-up required}, is: step_up}
        - {status: "4xx", where: {$.error: {present: true}}, is: invalid}
      read: {payment_id: $.transactionId, redirect_url: $.stepUpUrl}
  read_payment:
    request: {method: GET, path: "/payments/{{ payment.payment_id | urlencode }}"}
    answer:
      outcome: [{status: 200, where: {$.state: [ok, paid]}, is: approved}]
"#;

#[test]
fn the_adapters_of_the_repository_load_and_fit_their_schema() {
    let reference = Adapter::load(&AdapterSource::Builtin("reference-acquirer".to_owned())).unwrap();
    assert!(reference.partners().len() >= 4, "as many scenarios run side by side as there are Partners");
    assert_eq!(reference.name(), "reference-acquirer");
    assert_eq!(reference.file(), "builtin:reference-acquirer");
    for capability in Capability::names() {
        assert!(reference.claims(capability), "{capability}");
    }
    let python = Adapter::load(&AdapterSource::File(foreign())).unwrap();
    assert_eq!(python.partners()[0].name, "north");
    assert!(python.attaches_to().is_none() && python.can_read_payments());

    let (_, embedded) = Adapter::embedded()[0];
    for text in [embedded.to_owned(), std::fs::read_to_string(foreign()).unwrap(), SOUND.to_owned()] {
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        let violations = klarna_schemas::catalogue::check("conformance/adapter", &value).unwrap();
        assert!(violations.is_empty(), "{violations:#?}");
    }
}

#[test]
fn a_complaint_shows_the_line_and_no_secret() {
    let yaml =
        SOUND.replace("key: alpha-secret-key, merchant", "key: alpha-secret-key, merchant: 5, mrchant");
    let error = load(&yaml.replace("{env: MERCHANT, default: shop-4711}", "[]")).unwrap_err();
    assert_eq!(error.line(), Some(7));
    let shown = format!("{:?}", miette::Report::new(error));
    assert!(shown.contains("acme.yaml:7") && shown.contains("mrchant"), "{shown}");
    assert!(!shown.contains("alpha-secret-key"), "{shown}");
    let adapter = load(SOUND).unwrap();
    assert!(!format!("{adapter:?}").contains("alpha-secret-key"));
}

#[test]
fn variables_come_from_the_environment() {
    let bare = SOUND.replace(", default: shop-4711", "");
    let set = |name: &str| (name == "MERCHANT").then(|| "shop-1".to_owned());
    let adapter = load_with(&bare, &set).unwrap();
    let secret = &adapter.partners()[0].vars["merchant"];
    assert_eq!(secrecy::ExposeSecret::expose_secret(secret), "shop-1");
}

#[test]
fn a_missing_file_and_an_unknown_builtin_are_told() {
    let error = Adapter::load(&AdapterSource::File("no/such.yaml".into())).unwrap_err();
    assert!(error.to_string().contains("no/such.yaml: the file cannot be read"), "{error}");
    let error = Adapter::load(&AdapterSource::Builtin("reference-aquirer".into())).unwrap_err();
    assert_eq!(error.nearest(), Some("reference-acquirer"));
}

/// One request as an acquirer saw it.
#[derive(Debug, Clone)]
struct Seen {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

/// An acquirer that answers the same to everything.
struct Canned {
    base_url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    _stop: tokio_util::task::AbortOnDropHandle<()>,
}

impl Canned {
    async fn start(status: u16, body: &'static str) -> Self {
        Self::start_with(StatusCode::from_u16(status).unwrap(), body, false).await
    }

    async fn start_with(status: StatusCode, body: &'static str, silent: bool) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let answer = move |State(seen): State<Arc<Mutex<Vec<Seen>>>>,
                           method: Method,
                           uri: Uri,
                           headers: HeaderMap,
                           bytes: Bytes| async move {
            seen.lock().unwrap().push(Seen { method, uri, headers, body: bytes });
            if silent {
                std::future::pending::<()>().await;
            }
            (status, body)
        };
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        let socket = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = Url::parse(&format!("http://{}/", socket.local_addr().unwrap())).unwrap();
        let task = tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        Self { base_url, seen, _stop: tokio_util::task::AbortOnDropHandle::new(task) }
    }

    fn seen(&self) -> Seen {
        self.seen.lock().unwrap().last().cloned().unwrap()
    }

    fn bound(&self, adapter: &Adapter) -> BoundAcquirer {
        BoundAcquirer::new(adapter, &self.base_url, &context(Path::new("."))).unwrap()
    }
}

#[tokio::test]
async fn the_request_is_what_the_adapter_draws_and_the_report_shows_no_secret() {
    let adapter = load(SOUND).unwrap();
    let alpha = &adapter.partners()[0];
    let acquirer = Canned::start(201, r#"{"transactionId": 4711, "stepUpUrl": null}"#).await;
    let mut order = order("tx-1");
    let data = "{ \"b\" : 1.0,\"a\":\"\\u00e9\\/\",\"b\":2}\n{{ order.amount }} 東京";
    order.network_data = Some(data.to_owned());
    let answer = acquirer.bound(&adapter).create_payment(alpha, &order).await.unwrap();
    assert_eq!(answer.outcome, Outcome::Approved);
    assert_eq!(answer.read, BTreeMap::from([("payment_id".to_owned(), "4711".to_owned())]));

    let seen = acquirer.seen();
    assert_eq!((seen.method.as_str(), seen.uri.path()), ("POST", "/merchants/shop-4711/payments"));
    assert_eq!(seen.headers["authorization"], "Bearer alpha-secret-key");
    assert_eq!(seen.headers["x-idempotency"], "tx-1");
    assert_eq!(seen.headers["content-type"], "application/json");
    assert!(!seen.headers.contains_key("x-session"), "an omitted header is not sent");
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(
        body,
        json!({
            "amount": {"value": "459.00", "minor": 45_900},
            "deep": {"paymentMethod": [{"data": data}]},
            "lines": ["SHOE", "PARCEL"],
            "key": "alpha-secret-key",
        })
    );

    let shown = format!("{:?}", answer.exchange);
    assert!(!shown.contains("alpha-secret-key") && !shown.contains("shop-4711"), "{shown}");
    assert_eq!(answer.exchange.status, 201);
    let authorization = answer.exchange.request_headers.iter().find(|(name, _)| name == "authorization");
    assert_eq!(authorization.unwrap().1, "Bearer $ALPHA_KEY");
    assert!(answer.exchange.url.ends_with("/merchants/$MERCHANT/payments"), "{}", answer.exchange.url);
    assert!(
        answer.exchange.curl.contains(r#"-H 'authorization: Bearer '"$ALPHA_KEY""#),
        "{}",
        answer.exchange.curl
    );
}

#[tokio::test]
async fn a_step_up_may_be_a_403_and_a_refusal_invalid() {
    let adapter = load(SOUND).unwrap();
    let alpha = &adapter.partners()[0];
    let acquirer = Canned::start(
        403,
        r#"{"transactionId":"t","stepUpUrl":"https://k.example/?a=b&c","error":"Step-up required"}"#,
    )
    .await;
    let answer = acquirer.bound(&adapter).create_payment(alpha, &order("1")).await.unwrap();
    assert_eq!(answer.outcome, Outcome::StepUp);
    assert_eq!(answer.read["redirect_url"], "https://k.example/?a=b&c");
    let acquirer = Canned::start(403, r#"{"error":"no"}"#).await;
    let answer = acquirer.bound(&adapter).create_payment(alpha, &order("1")).await.unwrap();
    assert_eq!(answer.outcome, Outcome::Invalid);
}

#[tokio::test]
async fn a_payment_is_read_by_its_id_escaped() {
    let adapter = load(SOUND).unwrap();
    let acquirer = Canned::start(200, r#"{"state":"paid"}"#).await;
    let answer = acquirer.bound(&adapter).read_payment(&adapter.partners()[0], "krn:a/b-c_1").await.unwrap();
    assert_eq!(answer.outcome, Outcome::Approved);
    assert_eq!(acquirer.seen().uri.path(), "/payments/krn%3Aa%2Fb-c_1");
}

#[tokio::test]
async fn what_cannot_be_read_or_reached_says_so() {
    let adapter = load(SOUND).unwrap();
    let alpha = &adapter.partners()[0];
    let create = async |acquirer: &Canned| {
        acquirer.bound(&adapter).create_payment(alpha, &order("1")).await.unwrap_err()
    };
    let error = create(&Canned::start(500, "<h1>Oops</h1>").await).await;
    assert_eq!(error.exchange().map(|exchange| exchange.status), Some(500));
    let text = error.to_string();
    assert!(text.contains("no rule of answer.outcome fits the answer 500 <h1>Oops</h1>"), "{text}");
    assert!(text.contains("acme.yaml:25:9"), "it says where the rules stand: {text}");

    let silent = Canned::start_with(StatusCode::OK, "", true).await;
    let error = create(&silent).await;
    assert!(matches!(error, OperationError::TimedOut { after_ms: 1500, .. }), "{error}");

    let gone = Url::parse("http://127.0.0.1:9").unwrap();
    let bound = BoundAcquirer::new(&adapter, &gone, &context(Path::new("."))).unwrap();
    let error = bound.create_payment(alpha, &order("1")).await.unwrap_err();
    assert!(matches!(error, OperationError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("$MERCHANT") && !error.to_string().contains("shop-4711"), "{error}");

    let without = SOUND.split("  read_payment:").next().unwrap();
    let adapter = load(without).unwrap();
    let bound = BoundAcquirer::new(&adapter, &gone, &context(Path::new("."))).unwrap();
    let error = bound.read_payment(&adapter.partners()[0], "1").await.unwrap_err();
    assert!(error.to_string().contains("binds no operation read_payment"), "{error}");
    assert_eq!(adapter.timing().operation_timeout, Duration::from_millis(1500));
}

#[tokio::test]
async fn two_values_where_one_is_wanted_are_unreadable() {
    let yaml = SOUND.replace("$.transactionId", "$..id");
    let adapter = load(&yaml).unwrap();
    let acquirer = Canned::start(201, r#"{"id":1,"more":{"id":2}}"#).await;
    let error =
        acquirer.bound(&adapter).create_payment(&adapter.partners()[0], &order("1")).await.unwrap_err();
    assert!(error.to_string().contains("answer.read.payment_id: $..id matches 2 values"), "{error}");
}
