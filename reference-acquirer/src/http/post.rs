//! What a Partner posts: read, checked, and, where it carries an `Idempotency-Key`, done once.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
use super::{Api, body, once};
use crate::config::PartnerSettings;

/// A request of a known Partner.
#[derive(Debug)]
pub struct PartnerPost {
    /// Who posts.
    pub partner: PartnerSettings,
    /// The body.
    pub body: Value,
    /// Tells a repetition of the same body from another one.
    pub fingerprint: String,
    /// The same, of path and body.
    pub request_fingerprint: String,
    /// `Idempotency-Key`, if it carries one.
    pub key: Option<String>,
}

impl PartnerPost {
    /// Who it is comes first: a stranger learns nothing of what would be wrong with the rest.
    pub async fn read(api: &Api, uri: &Uri, headers: &HeaderMap, body: Body) -> Result<Self, Problem> {
        Self::read_as(api, uri, headers, body, body::parse).await
    }

    /// The same where no field is required, so that the body may be left out.
    pub async fn read_or_nothing(
        api: &Api,
        uri: &Uri,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, Problem> {
        let parse = |headers: &HeaderMap, bytes: &[u8]| {
            if bytes.is_empty() { Ok(json!({})) } else { body::parse(headers, bytes) }
        };
        Self::read_as(api, uri, headers, body, parse).await
    }

    async fn read_as(
        api: &Api,
        uri: &Uri,
        headers: &HeaderMap,
        body: Body,
        parse: impl FnOnce(&HeaderMap, &[u8]) -> Result<Value, Problem>,
    ) -> Result<Self, Problem> {
        let partner = api.keys.partner(headers)?.clone();
        let http = &api.payments.settings.http;
        let bytes = body::read(body, http.body_limit_bytes, http.body_read).await?;
        let key = once::key(headers)?;
        let fingerprint = hex::encode(Sha256::digest(&bytes));
        // A path holds no line break, so nothing else reads the same.
        let request_fingerprint = hex::encode(
            Sha256::new().chain_update(uri.path()).chain_update(b"\n").chain_update(&bytes).finalize(),
        );
        Ok(Self { partner, body: parse(headers, &bytes)?, fingerprint, request_fingerprint, key })
    }
}

/// A good answer, before it is sent: it may be kept for a repetition of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 2xx.
    pub status: StatusCode,
    /// `Location`: where what was made can be read.
    pub location: Option<String>,
    /// JSON.
    pub body: String,
}

impl Answer {
    /// An answer with this body.
    pub fn new(status: StatusCode, location: Option<String>, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(|error| {
            tracing::error!(%error, "an answer could not be written");
            Problem::internal()
        })?;
        Ok(Self { status, location, body })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(location) = self.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
            headers.insert(LOCATION, location);
        }
        response
    }
}
