//! A client for the control API. It speaks HTTP only, so it fits a simulator in any process.

mod behaviour;
mod follow;
mod journal;
mod payments;
mod sandboxes;

use std::time::Duration;

use klarna_schemas::ids::PartnerAccountId;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

pub use follow::Followed;

use super::operations::BASE;

/// How long a call may take beyond the time that it was asked to wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing may come: more than the longest call may take, and than a stream is silent.
const SILENCE: Duration = Duration::from_secs(90);

/// Speaks to one simulator's control API.
#[derive(Debug, Clone)]
pub struct ControlClient {
    base: Url,
    token: Option<SecretString>,
    http: reqwest::Client,
}

/// Why a control call failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The simulator could not be reached, or broke off.
    #[error("the simulator at {url} does not answer: {source}")]
    Unreachable {
        /// What was called.
        url: String,
        /// What went wrong below.
        #[source]
        source: reqwest::Error,
    },
    /// The simulator refused the call.
    #[error("the simulator refused {method} {url} with {status}: {detail}")]
    Refused {
        /// HTTP method.
        method: String,
        /// What was called.
        url: String,
        /// HTTP status.
        status: u16,
        /// Its explanation.
        detail: String,
    },
    /// The simulator answered something that this release cannot read.
    #[error("the simulator at {url} answered something unreadable: {detail}")]
    Unreadable {
        /// What was called.
        url: String,
        /// Why it could not be read.
        detail: String,
    },
}

impl ControlClient {
    /// A client for the simulator at `base`, e.g. `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(base: Url) -> Result<Self, reqwest::Error> {
        Self::trusting(base, None)
    }

    /// The same, for a simulator that listens by TLS: `authority` is what it prints as `ca_file`, as PEM.
    ///
    /// # Errors
    /// When the HTTP client cannot be built, or the authority cannot be read.
    pub fn trusting(base: Url, authority: Option<&str>) -> Result<Self, reqwest::Error> {
        crate::install_crypto_provider();
        let mut http = reqwest::Client::builder().no_proxy().read_timeout(SILENCE);
        if let Some(authority) = authority {
            http = http.tls_certs_only([reqwest::Certificate::from_pem(authority.as_bytes())?]);
        }
        Ok(Self { base, token: None, http: http.build()? })
    }

    /// The same, with the token that guards the control API.
    #[must_use]
    pub fn with_token(self, token: Option<SecretString>) -> Self {
        Self { token, ..self }
    }

    /// Where the simulator is.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// A call whose answer, 204, says nothing more.
    async fn order<B: Serialize + ?Sized>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<(), ControlError> {
        self.exchange(method, path, body, PATIENCE).await.map(drop)
    }

    async fn send<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        patience: Duration,
    ) -> Result<T, ControlError> {
        let (url, bytes) = self.exchange(method, path, body, patience).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| ControlError::Unreadable { url, detail: error.to_string() })
    }

    /// Makes a call: its URL and what a success carried.
    async fn exchange<B: Serialize + ?Sized>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        patience: Duration,
    ) -> Result<(String, bytes::Bytes), ControlError> {
        let (url, response) = self.open(method, path, body, Some(patience)).await?;
        match response.bytes().await {
            Ok(bytes) => Ok((url, bytes)),
            Err(source) => Err(ControlError::Unreachable { url, source }),
        }
    }

    /// Makes a call: its URL and the success, whose body is still to come. Without `patience` it may come for
    /// ever.
    async fn open<B: Serialize + ?Sized>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        patience: Option<Duration>,
    ) -> Result<(String, reqwest::Response), ControlError> {
        let url = format!("{}{BASE}/{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self.http.request(method.clone(), &url);
        if let Some(patience) = patience {
            request = request.timeout(patience);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let unreachable = |source| ControlError::Unreachable { url: url.clone(), source };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok((url, response));
        }
        let bytes = response.bytes().await.map_err(unreachable)?;
        Err(ControlError::Refused {
            method: method.to_string(),
            url,
            status: status.as_u16(),
            detail: explanation(&bytes),
        })
    }
}

/// What a refusal says, for people: a problem's detail and hint, or the body as it is.
fn explanation(body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let said = |name: &str| problem.as_ref()?.get(name)?.as_str().map(str::to_owned);
    match (said("detail"), said("hint")) {
        (Some(detail), Some(hint)) => format!("{detail}\n  hint: {hint}"),
        (Some(detail), None) => detail,
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn sandbox(account: &PartnerAccountId, rest: &str) -> String {
    format!("sandboxes/{}{rest}", encode(account.as_str()))
}

fn account(acquirer: &str, rest: &str) -> String {
    format!("accounts/{}{rest}", encode(acquirer))
}

/// A path with a query of the members that are there.
fn with_query(path: &str, query: &impl Serialize) -> String {
    let members = serde_json::to_value(query).unwrap_or_default();
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in members.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        text.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    format!("{path}?{}", text.finish())
}

#[cfg(test)]
mod tests;
