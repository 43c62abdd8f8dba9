//! A simulator to test, and an acquirer's way of calling it.

use klarna_schemas::simulator::control::{CustomerAct, CustomerActed, JournalQuery, PutSandbox, SetClock};
use klarna_schemas::simulator::journal::JournalPage;
use klarna_simulator::Simulator;
use klarna_simulator::config::Settings;
use klarna_simulator::control::client::ControlClient;
use serde_json::{Value, json};

pub(crate) const ALPHA: &str = "krn:partner:global:account:test:ALPHA001";
pub(crate) const BETA: &str = "krn:partner:global:account:test:BETA0001";
pub(crate) const KEY: &str = "klarna_test_api_local";
pub(crate) const TOKEN: &str = "Klarna-Network-Session-Token";

/// A running simulator and an HTTP client.
pub(crate) struct Klarna {
    pub(crate) simulator: Simulator,
    pub(crate) http: reqwest::Client,
}

/// Status and body of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn result(&self) -> &str {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["payment_transaction_response"]["result"].as_str().unwrap()
    }

    pub(crate) fn request_id(&self) -> String {
        self.body["payment_request"]["payment_request_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn journey(&self) -> String {
        let context = &self.body["payment_request"]["state_context"]["customer_interaction"];
        context["payment_request_url"].as_str().unwrap().to_owned()
    }

    /// `(status, error_code, first parameter)` of a refusal; checks Klarna's error body.
    pub(crate) fn refusal(&self) -> (u16, &str, &str) {
        let violations = klarna_schemas::catalogue::check("klarna/error", &self.body).unwrap();
        assert!(violations.is_empty(), "{violations:?} in {self:?}");
        let parameter = self.body["validation_errors"][0]["parameter"].as_str().unwrap_or("");
        (self.status, self.body["error_code"].as_str().unwrap(), parameter)
    }
}

impl Klarna {
    pub(crate) async fn start() -> Self {
        Self::of(Simulator::builder().seed(7)).await
    }

    /// One whose settings are others than those by default.
    pub(crate) async fn with(set: impl FnOnce(&mut Settings)) -> Self {
        Self::of(Simulator::builder().settings(settings(set))).await
    }

    /// One whose control API the token `a-secret` guards.
    pub(crate) async fn guarded() -> Self {
        Self::with(|settings| settings.control.token = "a-secret".to_owned().into()).await
    }

    /// One whose sandbox's clock stands still.
    pub(crate) async fn frozen() -> Self {
        let klarna = Self::start().await;
        let clock = Some(SetClock::Freeze(true));
        let wish = PutSandbox { clock, ..PutSandbox::default() };
        klarna.control().put_sandbox(&ALPHA.into(), &wish).await.unwrap();
        klarna
    }

    pub(crate) async fn of(builder: klarna_simulator::SimulatorBuilder) -> Self {
        let simulator = builder.start().await.unwrap();
        let redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(redirect).build().unwrap();
        Self { simulator, http }
    }

    /// A simulator that speaks TLS, and a client that trusts its authority and nobody else.
    pub(crate) async fn trusted(builder: klarna_simulator::SimulatorBuilder) -> Self {
        let simulator = builder.start().await.unwrap();
        let authority = std::fs::read(simulator.ca_file().unwrap()).unwrap();
        let authority = reqwest::Certificate::from_pem(&authority).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
        Self { simulator, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.base_url().as_str().trim_end_matches('/'))
    }

    pub(crate) fn control(&self) -> ControlClient {
        self.simulator.control()
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .post(self.url(path))
            .header("authorization", format!("Basic {KEY}"))
            .header("content-type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    }

    /// A call with any method, and with a body of JSON where there is one.
    pub(crate) async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request =
            self.http.request(method, self.url(path)).header("authorization", format!("Basic {KEY}"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.url(path)).header("authorization", format!("Basic {KEY}"))).await
    }

    pub(crate) async fn authorize(&self, account: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send(self.post(&format!("/v2/accounts/{account}/payment/authorize"), headers, body)).await
    }

    /// An initial call that is stepped up and approved by the customer; its answer and the token.
    pub(crate) async fn completed(&self, reference: &str) -> (Answer, String) {
        let answer =
            self.authorize(ALPHA, &[("Klarna-Idempotency-Key", reference)], &initial(reference)).await;
        assert_eq!(answer.result(), "STEP_UP_REQUIRED");
        self.act(&answer, CustomerAct::Approve).await;
        let read = self.get(&format!("/v2/accounts/{ALPHA}/payment/requests/{}", answer.request_id())).await;
        let token = read.body["state_context"]["klarna_network_session_token"].as_str().unwrap().to_owned();
        (answer, token)
    }

    pub(crate) async fn act(&self, answer: &Answer, act: CustomerAct) -> CustomerActed {
        self.control().act_as_customer(&ALPHA.into(), &answer.request_id().into(), act).await.unwrap()
    }

    pub(crate) async fn journal(&self, operation: &str) -> JournalPage {
        let query = JournalQuery { operation: Some(operation.to_owned()), ..JournalQuery::default() };
        self.control().journal(&ALPHA.into(), &query).await.unwrap()
    }

    /// Waits for `min` entries of an operation.
    pub(crate) async fn awaited(&self, operation: &str, min: usize) -> JournalPage {
        let operation = Some(operation.to_owned());
        let query =
            JournalQuery { operation, min: Some(min), wait_ms: Some(10_000), ..JournalQuery::default() };
        let page = self.control().journal(&ALPHA.into(), &query).await.unwrap();
        assert!(!page.timed_out, "{} of {min} came: {page:?}", page.entries.len());
        page
    }

    /// Ids of the rules that found something in a payment, but for the advice that keys be UUIDs: those of
    /// these tests are to be read.
    pub(crate) async fn findings(&self, payment: &str) -> Vec<String> {
        let findings = self.control().findings(&ALPHA.into(), Some(payment)).await.unwrap();
        let rules = findings.findings.into_iter().map(|finding| finding.rule);
        rules.filter(|rule| rule != "idempotency-key.uuid").collect()
    }
}

/// Settings of a simulator on a free port.
pub(crate) fn settings(set: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::defaults().unwrap();
    settings.listen = ([127, 0, 0, 1], 0).into();
    set(&mut settings);
    settings
}

/// A sound initial call.
pub(crate) fn initial(reference: &str) -> Value {
    json!({
        "currency": "SEK",
        "request_payment_transaction": {"amount": 45_900, "payment_transaction_reference": reference},
        "supplementary_purchase_data": {
            "purchase_reference": "ORDER-1",
            "line_items": [{"name": "Trail shoe", "quantity": 1, "total_amount": 45_900}],
            "customer": {"given_name": "Test"},
            "shipping": [{"address": {"city": "Stockholm"}}],
        },
        "klarna_network_data": "{ \"b\": 1.0, \"a\": \"\\u00e9\" }",
        "step_up_config": {
            "payment_request_reference": format!("pr-{reference}"),
            "customer_interaction_config": {"method": "HANDOVER", "return_url": "https://acquirer.example/back"},
        },
    })
}

/// The final call that belongs to it.
pub(crate) fn last(reference: &str) -> Value {
    let mut body = initial(reference);
    body.as_object_mut().unwrap().remove("step_up_config");
    body
}

/// The OpenAPI document of what is served.
pub(crate) async fn document(klarna: &Klarna) -> Value {
    let answer = klarna.send(klarna.http.get(klarna.url("/openapi.json"))).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains_key("klarna-correlation-id"), "it is no part of Klarna");
    answer.body
}
