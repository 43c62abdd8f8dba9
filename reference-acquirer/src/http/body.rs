//! Reading bodies, with limits of size and time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;

use super::json::{self, NotTaken};
use super::problem::Problem;
use crate::payments::create::WrongField;

/// The whole body, if it is small and quick enough.
pub async fn read(body: Body, limit_bytes: usize, within: Duration) -> Result<Bytes, Problem> {
    match tokio::time::timeout(within, Limited::new(body, limit_bytes).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(limit_bytes)),
        Ok(Err(error)) => Err(Problem::broken_body(error.to_string())),
        Err(_) => Err(Problem::too_slow()),
    }
}

/// A body as JSON, every name once.
pub fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Value, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::wrong_content_type());
    }
    json::parse(body).map_err(|error| match error {
        NotTaken::Malformed(why) => Problem::malformed_json(why),
        NotTaken::Twice(field) => {
            Problem::wrong_fields(vec![WrongField::new(field, "stands twice; which one is meant?")])
        }
    })
}
