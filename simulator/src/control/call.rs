//! What every call must be like before its handler sees it, and how handlers read it.

use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use klarna_schemas::catalogue;
use serde::de::DeserializeOwned;

use super::examples::example;
use super::operations::{self, ControlOperation};
use super::problem::Problem;
use crate::by_name::ByName;
use crate::server::THROWN_AWAY;
use crate::world::World;

/// What curl's `-d` sends where nobody says what it is: the body is JSON all the same.
const FORM: &str = "application/x-www-form-urlencoded";

/// The operation that is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Called(pub(super) &'static ControlOperation);

/// Refuses what the operation does not take: what is ignored would look like what is obeyed.
pub(super) async fn check(
    State(world): State<Arc<World>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let path = path.as_ref().map_or("", MatchedPath::as_str);
    let Some(operation) = operations::at(path).find(|one| serves(one, request.method())) else {
        return next.run(request).await;
    };
    match checked(operation, world.settings().limits.body_bytes, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn serves(operation: &ControlOperation, method: &Method) -> bool {
    // As everywhere, HEAD is a GET that keeps its body.
    operation.method == if method == Method::HEAD { "GET" } else { method.as_str() }
}

/// The request with its body read whole.
async fn checked(
    operation: &'static ControlOperation,
    limit: usize,
    request: Request,
) -> Result<Request, Problem> {
    operation.query.check(request.uri().query().unwrap_or_default())?;
    let (mut parts, body) = request.into_parts();
    let body = read_whole(body, limit).await?;
    if !body.is_empty() {
        if operation.body.is_none() {
            return Err(Problem::bad_request(
                format!("{} takes no body", operation.id),
                "leave the body out: nothing would read it",
            ));
        }
        check_kind(&parts.headers)?;
    }
    parts.extensions.insert(Called(operation));
    Ok(Request::from_parts(parts, Body::from(body)))
}

async fn read_whole(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let (mut kept, mut length) = (BytesMut::new(), 0);
    while length <= THROWN_AWAY.max(limit)
        && !body.is_end_stream()
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|_| {
            Problem::bad_request("the body broke off", "send as much of it as Content-Length says")
        })?;
        let Ok(piece) = frame.into_data() else { continue };
        length += piece.len();
        if length <= limit {
            kept.extend_from_slice(&piece);
        }
    }
    if length > limit {
        return Err(Problem::too_large(
            format!("the body has more than {limit} bytes"),
            "send less at once, or raise limits.body_bytes",
        ));
    }
    Ok(kept.freeze())
}

/// Refuses a body that says it is something else than JSON.
fn check_kind(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(kind) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let kind = String::from_utf8_lossy(kind.as_bytes());
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") || essence == FORM {
        return Ok(());
    }
    Err(Problem::unsupported(
        format!("Content-Type: bodies are JSON, and this says it is {kind}"),
        "send Content-Type: application/json, or none",
    ))
}

/// A JSON body of the control API: every unknown field is refused, by its path, and so is an array in the place
/// of an object.
pub(super) struct Strict<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Strict<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let called = request.extensions().get::<Called>().copied();
        // It has been read whole, within the limit of the settings: axum's own would be another one.
        let bytes = request
            .into_body()
            .collect()
            .await
            .map_err(|_| Problem::bad_request("the body broke off", "send it again"))?
            .to_bytes();
        // An empty body stands for an empty object: `PUT /sandboxes/{a}` needs nothing.
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let read = read(text).and_then(|body| as_documented(called, text).map(|()| Self(body)));
        read.map_err(|mistake| Problem::bad_request(mistake, hint(called)))
    }
}

/// Refuses what the schema of the operation's body refuses: bounds and repetitions that types do not know.
fn as_documented(called: Option<Called>, text: &[u8]) -> Result<(), String> {
    let schema = called.and_then(|Called(operation)| operation.body);
    let Some((schema, body)) = schema.zip(serde_json::from_slice(text).ok()) else { return Ok(()) };
    let violations = catalogue::check(schema, &body).unwrap_or_else(|error| {
        tracing::error!(%error, "a schema is missing from this build");
        Vec::new()
    });
    violations.first().map_or(Ok(()), |first| Err(format!("{}: {}", first.parameter, first.reason)))
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let read = serde_path_to_error::deserialize(ByName(&mut deserializer)).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { "the body" } else { &path };
        format!("{place}: {}", error.inner())
    })?;
    deserializer.end().map_err(|error| format!("the body: {error}"))?;
    Ok(read)
}

fn hint(called: Option<Called>) -> String {
    let shown = called.and_then(|Called(operation)| {
        Some(format!("{} takes {}, such as {}", operation.id, operation.body?, example(operation.id)?))
    });
    let shape = shown.unwrap_or_else(|| "the shapes are in schemas/simulator".to_owned());
    format!("{shape}; unknown fields are refused")
}

/// A query, whose names have been checked.
pub(super) struct StrictQuery<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let takes =
            parts.extensions.get::<Called>().map_or(operations::Query::Nothing, |called| called.0.query);
        read_query(&parts.uri, takes).map(Self)
    }
}

/// Reads a query that takes such parameters.
pub(super) fn read_query<T: DeserializeOwned>(uri: &Uri, takes: operations::Query) -> Result<T, Problem> {
    let query = Query::<T>::try_from_uri(uri);
    query
        .map(|Query(query)| query)
        .map_err(|rejection| Problem::bad_request(rejection.body_text(), takes.told()))
}
