//! The one place that calls Klarna.
//!
//! Each method makes one call and says what came of it; whether and when to call again is the
//! workers' business. Nothing secret or personal is logged: no key, no token, no body.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use klarna_schemas::ids::{PartnerAccountId, PaymentRequestId, WebhookId};
use klarna_schemas::klarna::notification::{CreateWebhook, SigningKey, SigningKeys, Webhook, Webhooks};
use klarna_schemas::klarna::{
    CORRELATION_ID_HEADER, IDEMPOTENCY_KEY_HEADER, INTEGRATION_METADATA_HEADER, SESSION_TOKEN_HEADER,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Identity, Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tracing::{Instrument as _, Span};
use url::Url;
use uuid::Uuid;

use super::answer::{self, RequestStanding};
use super::breaker::Breaker;
use crate::config::Klarna as Settings;
use crate::payments::payment::Answer;
use crate::spans;
use crate::store::{KlarnaCall, Step};

/// Namespace of the idempotency keys: a key is the UUID v5 of what the call is for, so whoever
/// repeats the call, also after a crash, finds the same key.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x6f0d_6ad1_8a5c_5d0e_9b3f_0c4e_7d21_55aa);

/// Largest answer that is read.
const ANSWER_LIMIT_BYTES: usize = 4 << 20;

/// When the quota of calls is renewed, in whole seconds (contract `payments.md` 5.5).
const RATE_LIMIT_RESET_HEADER: &str = "x-ratelimit-reset";

/// Longest wait for a renewed quota. Klarna always says one second; a larger number than this is
/// no wait that a payment could bear.
const LONGEST_RESET: Duration = Duration::from_mins(1);

/// The idempotency key of one of a payment's calls (AP-33).
pub fn idempotency_key(payment_id: &str, step: Step) -> String {
    key_of(&format!("{payment_id}/{}", step.as_str()))
}

/// The idempotency key of an operation's call.
pub fn operation_idempotency_key(payment_id: &str, operation_id: &str) -> String {
    key_of(&format!("{payment_id}/operations/{operation_id}"))
}

fn key_of(purpose: &str) -> String {
    Uuid::new_v5(&KEY_NAMESPACE, purpose.as_bytes()).to_string()
}

/// A client that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The certificates cannot be read.
    #[error("cannot read {path}: {source}")]
    Pem {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The certificates or the key are of no use, or TLS is not available.
    #[error("cannot set up the Klarna client: {0}")]
    Setup(String),
}

/// Why a call has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It may succeed if repeated, unchanged: a time-out, a broken connection, 429, 5xx, or an
    /// answer that broke off or is no answer.
    #[error("{reason}")]
    TryAgain {
        /// For the log.
        reason: String,
        /// After a 429: how long Klarna says that the quota is used up (AP-39). Zero otherwise.
        not_before: Duration,
    },
    /// Klarna refused it; the same call would be refused again (AP-37). So are the statuses that
    /// Klarna's API does not have, 1xx and 3xx: nothing says that a repetition would fare better.
    #[error("refused with {status}, error code {code:?}")]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// Klarna's `error_code`, where the body was Klarna's (AP-36, AP-42).
        code: Option<String>,
        /// Klarna's name for the exchange.
        correlation_id: Option<String>,
    },
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Answered {
    /// The body.
    pub(super) body: Vec<u8>,
    /// Klarna's name for the exchange.
    pub(super) correlation_id: Option<String>,
}

/// The most characters of a name of Klarna's (contract `payments.md` 5.6).
const LONGEST_NAME: usize = 255;

impl CallError {
    pub(super) fn try_again(reason: impl Into<String>) -> Self {
        Self::TryAgain { reason: reason.into(), not_before: Duration::ZERO }
    }
}

/// Calls Klarna with the Acquiring Partner's key.
#[derive(Debug, Clone)]
pub struct KlarnaClient {
    http: reqwest::Client,
    base_url: Url,
    authorization: HeaderValue,
    integrator_name: String,
    breaker: Arc<Breaker>,
}

/// What is logged of Klarna's error body. Everything in it is optional: a proxy in between may
/// answer with HTML, or with nothing.
#[derive(Deserialize, Default)]
struct ErrorBody {
    error_id: Option<String>,
    error_code: Option<String>,
}

impl KlarnaClient {
    /// A client for one acquirer account.
    pub fn new(settings: &Settings) -> Result<Self, ClientError> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            // A redirected POST would lose its body; Klarna's API has no redirects.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if let Some(file) = &settings.ca_file {
            builder = builder.tls_certs_merge(certificates(file)?);
        }
        if let (Some(certificate), Some(key)) = (&settings.client_certificate_file, &settings.client_key_file)
        {
            builder = builder.identity(identity(certificate, key)?);
        }
        let http = builder.build().map_err(|error| ClientError::Setup(error.to_string()))?;
        let mut authorization = HeaderValue::from_str(&format!("Basic {}", settings.api_key.expose_secret()))
            .map_err(|_| ClientError::Setup("the API key cannot stand in a header".to_owned()))?;
        authorization.set_sensitive(true);
        Ok(Self {
            http,
            base_url: settings.base_url.clone(),
            authorization,
            integrator_name: settings.integrator_name.clone(),
            breaker: Arc::new(Breaker::new(settings.breaker)),
        })
    }

    /// Whether calls are held back, as Klarna has not answered for a while.
    pub fn holds_back(&self) -> bool {
        self.breaker.holds_back()
    }

    /// Payment Authorize, initial or final: sends what was written down, byte for byte.
    pub async fn authorize(
        &self,
        account: &PartnerAccountId,
        call: &KlarnaCall,
    ) -> Result<Answer, CallError> {
        let path = ["v2", "accounts", account.as_str(), "payment", "authorize"];
        let mut request = self
            .request(Method::POST, &path, &call.payment_id)
            .header(IDEMPOTENCY_KEY_HEADER, &call.idempotency_key)
            .header(CONTENT_TYPE, "application/json")
            .body(call.body.expose_secret().to_owned());
        if let Some(token) = &call.session_token {
            request = request.header(SESSION_TOKEN_HEADER, sensitive(token)?);
        }
        let Answered { body, correlation_id } = self.send("authorize", request).await?;
        let answer =
            answer::read_authorize(&body).ok_or_else(|| CallError::try_again("the answer is unreadable"))?;
        Ok(Answer { correlation_id, ..answer })
    }

    /// How a payment request stands, and its session token if there is one.
    pub async fn payment_request(
        &self,
        account: &PartnerAccountId,
        request: &PaymentRequestId,
        payment_id: &str,
    ) -> Result<RequestStanding, CallError> {
        let path = ["v2", "accounts", account.as_str(), "payment", "requests", request.as_str()];
        let request: answer::Request =
            self.json("payment_request.read", self.request(Method::GET, &path, payment_id)).await?;
        Ok(request.standing())
    }

    /// The account's signing keys, without their secrets.
    pub async fn signing_keys(&self, session: &str) -> Result<Vec<SigningKey>, CallError> {
        let path = ["v2", "notification", "signing-keys"];
        let keys: SigningKeys =
            self.json("signing_key.list", self.request(Method::GET, &path, session)).await?;
        Ok(keys.signing_keys)
    }

    /// A new signing key, with its secret.
    pub async fn create_signing_key(&self, session: &str) -> Result<SigningKey, CallError> {
        let path = ["v2", "notification", "signing-keys"];
        let request = self
            .request(Method::POST, &path, session)
            .header(IDEMPOTENCY_KEY_HEADER, key_of(&format!("{session}/signing-key")));
        self.json("signing_key.create", request).await
    }

    /// The account's webhooks.
    pub async fn webhooks(&self, session: &str) -> Result<Vec<Webhook>, CallError> {
        let path = ["v2", "notification", "webhooks"];
        let webhooks: Webhooks = self.json("webhook.list", self.request(Method::GET, &path, session)).await?;
        Ok(webhooks.webhooks)
    }

    /// A new webhook.
    pub async fn create_webhook(&self, webhook: &CreateWebhook, session: &str) -> Result<Webhook, CallError> {
        let path = ["v2", "notification", "webhooks"];
        let request = self
            .request(Method::POST, &path, session)
            .header(IDEMPOTENCY_KEY_HEADER, key_of(&format!("{session}/webhook")))
            .json(webhook);
        self.json("webhook.create", request).await
    }

    /// Takes a webhook away; one that is gone already is gone.
    pub async fn delete_webhook(&self, id: &WebhookId, session: &str) -> Result<(), CallError> {
        let path = ["v2", "notification", "webhooks", id.as_str()];
        self.delete("webhook.delete", &path, session).await.map(|_| ())
    }

    /// Withdraws a payment request that will lead to no transaction (AP-30). Klarna refuses it
    /// once the request is finalised or has ended otherwise. Answers Klarna's name for the exchange.
    pub async fn cancel_request(
        &self,
        account: &PartnerAccountId,
        request: &PaymentRequestId,
        payment_id: &str,
    ) -> Result<Option<String>, CallError> {
        let path = ["v2", "accounts", account.as_str(), "payment", "requests", request.as_str()];
        self.delete("payment_request.cancel", &path, payment_id).await
    }

    async fn delete(
        &self,
        operation: &'static str,
        path: &[&str],
        session: &str,
    ) -> Result<Option<String>, CallError> {
        match self.send(operation, self.request(Method::DELETE, path, session)).await {
            Ok(Answered { correlation_id, .. })
            | Err(CallError::Refused { status: StatusCode::NOT_FOUND, correlation_id, .. }) => {
                Ok(correlation_id)
            }
            Err(error) => Err(error),
        }
    }

    /// A request with what every call carries: the credential and who is calling for what (AP-34).
    pub(super) fn request(&self, method: Method, path: &[&str], session: &str) -> RequestBuilder {
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let metadata = serde_json::json!({"integrator": {
            "name": self.integrator_name,
            "session_reference": session,
            "module_name": env!("CARGO_PKG_NAME"),
            "module_version": env!("CARGO_PKG_VERSION"),
        }});
        self.http
            .request(method, url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(INTEGRATION_METADATA_HEADER, metadata.to_string())
    }

    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        request: RequestBuilder,
    ) -> Result<T, CallError> {
        let Answered { body, .. } = self.send(operation, request).await?;
        serde_json::from_slice(&body)
            .map_err(|error| CallError::try_again(format!("the answer is unreadable: {error}")))
    }

    /// Sends, judges the status, logs and counts. Any 2xx is a success (AP-41).
    pub(super) async fn send(
        &self,
        operation: &'static str,
        request: RequestBuilder,
    ) -> Result<Answered, CallError> {
        let began = Instant::now();
        let result = self.exchange(operation, request).instrument(spans::klarna_call(operation)).await;
        let outcome = match &result {
            Ok(_) => "answered",
            Err(CallError::TryAgain { .. }) => "try_again",
            Err(CallError::Refused { .. }) => "refused",
        };
        metrics::counter!("acquirer_klarna_calls_total", "operation" => operation, "outcome" => outcome)
            .increment(1);
        metrics::histogram!("acquirer_klarna_call_duration_seconds", "operation" => operation)
            .record(began.elapsed().as_secs_f64());
        result
    }

    async fn exchange(
        &self,
        operation: &'static str,
        request: RequestBuilder,
    ) -> Result<Answered, CallError> {
        let pass = self.breaker.pass()?;
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                pass.ended(false);
                let error = error.without_url();
                tracing::warn!(operation, error = chain(&error), "Klarna did not answer");
                return Err(CallError::try_again(chain(&error)));
            }
        };
        let status = response.status();
        let correlation_id = response
            .headers()
            .get(CORRELATION_ID_HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|id| id.len() <= LONGEST_NAME)
            .map(str::to_owned);
        let not_before = match status {
            StatusCode::TOO_MANY_REQUESTS => quota_renewed_after(response.headers()),
            _ => Duration::ZERO,
        };
        let span = Span::current();
        span.record("http.response.status_code", status.as_u16());
        if let Some(id) = &correlation_id {
            span.record("klarna_correlation_id", id);
        }
        let body = read(response).await;
        pass.ended(body.is_ok());
        if status.is_success() {
            return match body {
                Ok(body) => {
                    tracing::info!(operation, status = status.as_u16(), correlation_id, "Klarna answered");
                    Ok(Answered { body, correlation_id })
                }
                Err(reason) => {
                    tracing::warn!(
                        operation,
                        status = status.as_u16(),
                        correlation_id,
                        reason,
                        "the answer broke off"
                    );
                    Err(CallError::try_again(reason))
                }
            };
        }
        let error: ErrorBody = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
        tracing::warn!(
            operation,
            status = status.as_u16(),
            correlation_id,
            error_id = error.error_id,
            error_code = error.error_code,
            "Klarna answered with an error"
        );
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            Err(CallError::TryAgain { reason: format!("status {status}"), not_before })
        } else {
            Err(CallError::Refused { status, code: error.error_code, correlation_id })
        }
    }
}

/// What a 429 says about the wait; nothing where the header is absent or no number.
fn quota_renewed_after(headers: &HeaderMap) -> Duration {
    let seconds =
        headers.get(RATE_LIMIT_RESET_HEADER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    seconds.map_or(Duration::ZERO, Duration::from_secs).min(LONGEST_RESET)
}

/// The client certificate that was issued to this account, with its key (AP-04).
fn identity(certificate: &Path, key: &Path) -> Result<Identity, ClientError> {
    let mut pem = pem(certificate)?;
    pem.push(b'\n');
    pem.extend(self::pem(key)?);
    Identity::from_pem(&pem).map_err(|error| {
        let (certificate, key) = (certificate.display(), key.display());
        ClientError::Setup(format!("{certificate} and {key} make no client certificate: {}", chain(&error)))
    })
}

fn pem(file: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(file).map_err(|source| ClientError::Pem { path: file.display().to_string(), source })
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, ClientError> {
    let pem = pem(file)?;
    Certificate::from_pem_bundle(&pem)
        .map_err(|error| ClientError::Setup(format!("{}: {error}", file.display())))
}

pub(super) fn sensitive(token: &SecretString) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::from_str(token.expose_secret()).map_err(|_| CallError::Refused {
        status: StatusCode::BAD_REQUEST,
        code: Some("the session token cannot stand in a header".to_owned()),
        correlation_id: None,
    })?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error.without_url()))? {
        if body.len() + chunk.len() > ANSWER_LIMIT_BYTES {
            return Err(format!("the answer is longer than {ANSWER_LIMIT_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// An error with its causes, since the outermost one seldom says what happened.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `python3 -c 'import uuid; print(uuid.uuid5(uuid.UUID("6f0d6ad1-8a5c-5d0e-9b3f-0c4e7d2155aa"), "pay_1/initial"))'`
    const BY_PYTHON: &str = "e129ca0f-9ec3-593c-9595-b76bda77ac78";

    #[test]
    fn a_quota_is_waited_for_within_reason() {
        for (value, seconds) in [
            ("1", 1),
            (" 7 ", 7),
            ("60", 60),
            ("1795397857", 60),
            ("soon", 0),
            ("-1", 0),
            ("1.5", 0),
            ("", 0),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RATE_LIMIT_RESET_HEADER, HeaderValue::from_static(value));
            assert_eq!(quota_renewed_after(&headers), Duration::from_secs(seconds), "{value:?}");
        }
        assert_eq!(quota_renewed_after(&HeaderMap::new()), Duration::ZERO);
    }

    #[test]
    fn keys_are_uuid_v5_of_payment_and_step() {
        assert_eq!(idempotency_key("pay_1", Step::Initial), BY_PYTHON);
        assert_ne!(idempotency_key("pay_1", Step::Final), BY_PYTHON);
        assert_ne!(idempotency_key("pay_2", Step::Initial), BY_PYTHON);
    }
}
