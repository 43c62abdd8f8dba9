//! The acquirer as a Partner sees it.

use std::collections::BTreeMap;
use std::time::Duration;

use klarna_schemas::cause::innermost;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::Adapter;
use super::exchange::{Likeness, PartnerExchange};
use super::facts::RequestFacts;
use super::methods::MethodsAnswer;
use super::oauth::Tokens;
use super::operation::Operation;
use super::order::Order;
use super::outcome::{Outcome, Word};
use super::request::{Rendered, Request, Shown};
use super::rules::Seen;
use super::template::TemplateError;
use super::variables::{OperationVariables, RunVariables, Secrets, with_order, with_payment};
use super::vars::PartnerBinding;
use crate::launch::LaunchContext;

/// How much of an answer is read.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// An adapter bound to a running acquirer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct BoundAcquirer {
    adapter: Adapter,
    run: RunVariables,
    base_url: String,
    http: reqwest::Client,
    tokens: Tokens,
}

/// What the acquirer answered, read by the adapter.
#[derive(Debug, Clone)]
pub struct PaymentAnswer<O = Outcome> {
    /// What the answer means.
    pub outcome: O,
    /// What the adapter's `read` found: `payment_id`, `redirect_url`, `payment_request_id`, …
    pub read: BTreeMap<String, String>,
    /// The call itself.
    pub exchange: PartnerExchange,
}

/// Why an operation came to no answer that the suite can read.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// No connection, or it broke.
    #[error(
        "{operation}: the acquirer at {url} cannot be reached: {reason}\n  hint: see whether it still runs (its log), and whether the base URL and path are right"
    )]
    Unreachable {
        /// Which operation.
        operation: &'static str,
        /// What was called.
        url: String,
        /// What went wrong below.
        reason: String,
    },
    /// No answer within `timing.operation_timeout_ms`.
    #[error(
        "{operation}: the acquirer at {url} did not answer within {after_ms} ms\n  hint: timing.operation_timeout_ms in the adapter gives it longer"
    )]
    TimedOut {
        /// Which operation.
        operation: &'static str,
        /// What was called.
        url: String,
        /// The deadline.
        after_ms: u128,
    },
    /// An answer that no rule of the adapter fits.
    #[error("{operation}: {what}")]
    Unreadable {
        /// Which operation.
        operation: &'static str,
        /// What matched nothing, where the rules stand, and how to mend it.
        what: String,
        /// The call.
        exchange: Box<PartnerExchange>,
    },
    /// The adapter does not bind this operation.
    #[error("{adapter}: the adapter binds no operation {operation}\n  hint: add operations.{operation}")]
    NotBound {
        /// The adapter's file.
        adapter: String,
        /// The operation.
        operation: &'static str,
    },
    /// No token to show the acquirer who calls.
    #[error("{operation}: {reason}\n  hint: see authentication.oauth2 in the adapter")]
    NoToken {
        /// Which operation.
        operation: &'static str,
        /// What the token server said.
        reason: String,
    },
    /// A template of the adapter failed on this order.
    #[error("{operation}: {source}")]
    Template {
        /// Which operation.
        operation: &'static str,
        /// Where and why.
        #[source]
        source: TemplateError,
    },
}

impl OperationError {
    /// The call, where there was an answer.
    pub fn exchange(&self) -> Option<&PartnerExchange> {
        match self {
            Self::Unreadable { exchange, .. } => Some(exchange),
            _ => None,
        }
    }
}

impl BoundAcquirer {
    /// Binds an adapter to the acquirer at `base_url`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(adapter: &Adapter, base_url: &Url, context: &LaunchContext) -> Result<Self, reqwest::Error> {
        klarna_simulator::install_crypto_provider();
        let http =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let mut run = context.variables();
        run.acquirer_base_url = Some(base_url.as_str().trim_end_matches('/').to_owned());
        let base_url = base_url.as_str().to_owned();
        Ok(Self { adapter: adapter.clone(), run, base_url, http, tokens: Tokens::default() })
    }

    /// The adapter that it is bound by.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Asks the acquirer for a payment, as `partner`.
    pub async fn create_payment(
        &self,
        partner: &PartnerBinding,
        order: &Order,
    ) -> Result<PaymentAnswer, OperationError> {
        let variables = |secrets| with_order(self.run.of_partner(partner, secrets), order);
        self.perform("create_payment", &self.adapter.inner.create_payment, variables).await
    }

    /// Asks the acquirer which payment methods there are for an order, as `partner`.
    pub async fn list_payment_methods(
        &self,
        partner: &PartnerBinding,
        order: &Order,
    ) -> Result<MethodsAnswer, OperationError> {
        let operation = "list_payment_methods";
        let Some(bound) = &self.adapter.inner.list_payment_methods else {
            return Err(OperationError::NotBound { adapter: self.adapter.file().to_owned(), operation });
        };
        let variables = |secrets| with_order(self.run.of_partner(partner, secrets), order);
        let exchange = self.call(operation, &bound.request, &mut OperationVariables::new(variables)).await?;
        bound.read(&exchange).map_err(|what| OperationError::Unreadable {
            operation,
            what,
            exchange: Box::new(exchange),
        })
    }

    /// Asks the acquirer how a payment stands, as `partner`. Templates see `payment.payment_id`.
    pub async fn read_payment(
        &self,
        partner: &PartnerBinding,
        payment_id: &str,
    ) -> Result<PaymentAnswer, OperationError> {
        let payment = BTreeMap::from([("payment_id".to_owned(), payment_id.to_owned())]);
        self.read_payment_again(partner, &payment).await
    }

    /// As [`Self::read_payment`], with all that the answer to the create told: templates see each
    /// value as `payment.<name>`.
    pub async fn read_payment_again(
        &self,
        partner: &PartnerBinding,
        payment: &BTreeMap<String, String>,
    ) -> Result<PaymentAnswer, OperationError> {
        let operation = "read_payment";
        let Some(bound) = &self.adapter.inner.read_payment else {
            return Err(OperationError::NotBound { adapter: self.adapter.file().to_owned(), operation });
        };
        let variables = |secrets| with_payment(self.run.of_partner(partner, secrets), payment);
        self.perform(operation, bound, variables).await
    }

    /// What the acquirer calls Klarna with.
    pub fn klarna_api_key(&self) -> &SecretString {
        &self.run.klarna_api_key
    }

    /// How the simulator's journal shows that a call carries the acquirer's own API key: the start of
    /// its SHA-256, in hexadecimal.
    pub fn api_key_fingerprint(&self) -> String {
        let digest = Sha256::digest(self.run.klarna_api_key.expose_secret().as_bytes());
        hex::encode(digest.get(..4).unwrap_or_default())
    }

    /// Whether two orders make different requests: if not, the acquirer's API has no place for what
    /// differs, so the Partner cannot have given it.
    ///
    /// # Errors
    /// When a template fails on one of them.
    pub fn tells_apart(
        &self,
        partner: &PartnerBinding,
        one: &Order,
        other: &Order,
    ) -> Result<bool, OperationError> {
        let said = |order: &Order| {
            let mut variables = self.run.of_partner(partner, Secrets::Marked);
            RequestFacts::sample().add_to(&mut variables);
            self.said("create_payment", &self.adapter.inner.create_payment, with_order(variables, order))
        };
        Ok(said(one)? != said(other)?)
    }

    /// The variables that are the same for the whole run.
    pub(super) fn run(&self) -> &RunVariables {
        &self.run
    }

    /// All calls of an operation as they would be made, for comparing.
    pub(super) fn said<O: Word>(
        &self,
        operation: &'static str,
        bound: &Operation<O>,
        variables: Value,
    ) -> Result<Vec<String>, OperationError> {
        let inner = &self.adapter.inner;
        let said = bound.said(&inner.templates, &inner.authentication, &self.base_url, variables);
        said.map_err(|source| OperationError::Template { operation, source })
    }

    pub(super) async fn perform<O: Word>(
        &self,
        operation: &'static str,
        bound: &Operation<O>,
        variables: impl Fn(Secrets) -> Value,
    ) -> Result<PaymentAnswer<O>, OperationError> {
        let mut variables = OperationVariables::new(variables);
        let mut earlier = BTreeMap::new();
        for call in &bound.before {
            let exchange = self.call(operation, &call.request, &mut variables).await?;
            let body: Option<Value> = serde_json::from_slice(&exchange.response_body).ok();
            let headers = &exchange.response_headers;
            let seen = Seen { status: Some(exchange.status), headers, body: body.as_ref() };
            let read = call.reads.read(headers, body.as_ref().unwrap_or(&Value::Null));
            let read = match (call.rules.decide(seen), read) {
                (Some(outcome), Ok(read)) => {
                    earlier.extend(read);
                    return Ok(PaymentAnswer { outcome, read: earlier, exchange });
                }
                (None, Ok(read)) if (200..300).contains(&exchange.status) => read,
                (_, read) => {
                    let why = read.err().map_or_else(
                        || "and no rule of its answer.outcome says what that means".to_owned(),
                        |error| error.to_string(),
                    );
                    let what = format!("a call before it was answered {}, {why}", shown(&exchange));
                    return Err(OperationError::Unreadable { operation, what, exchange: Box::new(exchange) });
                }
            };
            for (name, value) in &read {
                variables.add_call(name, value);
            }
            earlier.extend(read);
        }
        let exchange = self.call(operation, &bound.request, &mut variables).await?;
        let mut answer = self.understand(operation, bound, exchange)?;
        earlier.append(&mut answer.read);
        Ok(PaymentAnswer { read: earlier, ..answer })
    }

    /// Makes one request of an operation.
    async fn call(
        &self,
        operation: &'static str,
        request: &Request,
        variables: &mut OperationVariables,
    ) -> Result<PartnerExchange, OperationError> {
        let inner = &self.adapter.inner;
        let failed = |source| OperationError::Template { operation, source };
        let (templates, authentication) = (&inner.templates, &inner.authentication);
        variables.renew();
        if let Shown::OAuth(oauth) = &authentication.shown {
            oauth
                .add_to(&mut variables.revealed, templates, &self.tokens, &self.http)
                .await
                .map_err(|error| OperationError::NoToken { operation, reason: error.to_string() })?;
        }
        let rendered =
            request.render(templates, authentication, &self.base_url, &variables.revealed).map_err(failed)?;
        let likeness =
            request.likeness(templates, authentication, &self.base_url, &variables.marked).map_err(failed)?;
        let deadline = inner.timing.operation_timeout;
        self.send(operation, rendered, &likeness, deadline).await
    }

    async fn send(
        &self,
        operation: &'static str,
        request: Rendered,
        likeness: &Likeness,
        deadline: Duration,
    ) -> Result<PartnerExchange, OperationError> {
        let unreachable = |error: &reqwest::Error| OperationError::Unreachable {
            operation,
            url: likeness.shown_url(),
            // The URL is told apart.
            reason: innermost(error).to_string(),
        };
        let call = async {
            let mut builder = self.http.request(request.method, request.url);
            for (name, value) in request.headers {
                builder = builder.header(name, value);
            }
            if let Some(body) = request.body {
                builder = builder.body(body);
            }
            let mut response = builder.send().await.map_err(|error| unreachable(&error))?;
            let status = response.status().as_u16();
            let headers = pairs(response.headers());
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
                body.extend_from_slice(&chunk);
                if body.len() > ANSWER_LIMIT {
                    return Err(OperationError::Unreadable {
                        operation,
                        what: format!("the answer has more than {ANSWER_LIMIT} bytes"),
                        exchange: Box::new(likeness.answered(status, headers, Vec::new())),
                    });
                }
            }
            Ok(likeness.answered(status, headers, body))
        };
        match tokio::time::timeout(deadline, call).await {
            Ok(result) => result,
            Err(_) => Err(OperationError::TimedOut {
                operation,
                url: likeness.shown_url(),
                after_ms: deadline.as_millis(),
            }),
        }
    }

    fn understand<O: Word>(
        &self,
        operation: &'static str,
        bound: &Operation<O>,
        exchange: PartnerExchange,
    ) -> Result<PaymentAnswer<O>, OperationError> {
        let body: Option<Value> = serde_json::from_slice(&exchange.response_body).ok();
        let unreadable = |what: String, exchange: PartnerExchange| OperationError::Unreadable {
            operation,
            what,
            exchange: Box::new(exchange),
        };
        let headers = &exchange.response_headers;
        let seen = Seen { status: Some(exchange.status), headers, body: body.as_ref() };
        let Some(outcome) = bound.rules.decide(seen) else {
            let place = self.adapter.inner.templates.source().at(bound.rules_place);
            let what = format!(
                "no rule of answer.outcome fits the answer {}\n  hint: the rules stand at {place}; add one for this answer",
                shown(&exchange),
            );
            return Err(unreadable(what, exchange));
        };
        match bound.reads.read(headers, body.as_ref().unwrap_or(&Value::Null)) {
            Ok(mut read) => {
                if let Some(url) = read.get_mut("redirect_url") {
                    self.make_absolute(url);
                }
                Ok(PaymentAnswer { outcome, read, exchange })
            }
            Err(error) => Err(unreadable(format!("answer.{error}"), exchange)),
        }
    }

    /// A URL without a host is one of the acquirer's.
    fn make_absolute(&self, url: &mut String) {
        if url.starts_with('/')
            && let Some(absolute) = Url::parse(&self.base_url).ok().and_then(|base| base.join(url).ok())
        {
            *url = absolute.into();
        }
    }
}

/// Status and beginning of an answer.
fn shown(exchange: &PartnerExchange) -> String {
    format!("{} {}", exchange.status, excerpt(&exchange.response_body))
}

/// Header pairs as text.
pub(crate) fn pairs(headers: &http::HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// The beginning of a body, in one line.
fn excerpt(body: &[u8]) -> String {
    const LENGTH: usize = 400;
    if body.is_empty() {
        return "without a body".to_owned();
    }
    let text: String =
        String::from_utf8_lossy(body).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
