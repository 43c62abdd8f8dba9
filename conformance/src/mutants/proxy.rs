//! The proxy in front of Klarna: accepting, and breaking off where the other side broke off.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::defects::Defect;
use super::passage::Passage;
use super::wire::{Call, Unanswered, Wire};
use crate::authority::Authority;

/// Bytes that a body may have on its way through; far above what Klarna takes.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// The proxy could not start.
#[derive(Debug, thiserror::Error)]
#[error("the defect proxy cannot start: {reason}")]
pub struct MutantError {
    /// What went wrong.
    pub reason: String,
}

/// The proxy. It ends when dropped.
#[derive(Debug)]
pub struct MutantProxy {
    base_url: Url,
    _listening: AbortOnDropHandle<()>,
}

impl MutantProxy {
    /// Listens on a free loopback port, by plain http, and stands before `klarna`, for which `authority`
    /// vouches where it speaks TLS.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(
        defect: &Defect,
        klarna: &Url,
        authority: Option<&Authority>,
    ) -> Result<Self, MutantError> {
        let wire = Wire::new(authority).map_err(|error| failed(&error))?;
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| failed(&error))?;
        let address = socket.local_addr().map_err(|error| failed(&error))?;
        let base_url = Url::parse(&format!("http://{address}/")).map_err(|error| failed(&error))?;
        let passage = Passage::new((defect.plan)(&base_url), wire, klarna, &base_url);
        let task = tokio::spawn(serve(socket, Arc::new(passage)));
        Ok(Self { base_url, _listening: AbortOnDropHandle::new(task) })
    }

    /// What the acquirer takes for Klarna.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }
}

fn failed(error: &dyn ToString) -> MutantError {
    MutantError { reason: error.to_string() }
}

/// Serves until dropped, and its connections with it.
async fn serve(socket: TcpListener, passage: Arc<Passage>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&passage)));
                }
                Err(error) => {
                    tracing::warn!(%error, "the defect proxy could not accept a connection");
                    tokio::task::yield_now().await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, passage: Arc<Passage>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "Nagle's algorithm stays on");
    }
    let service = service_fn(move |request| answered(Arc::clone(&passage), request));
    if let Err(error) =
        Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
    {
        tracing::debug!(%error, "a connection of the defect proxy broke off");
    }
}

/// An error here closes the connection without an answer: neither side is told of a status that the
/// other never gave.
async fn answered(passage: Arc<Passage>, request: Request<Incoming>) -> Result<Response<Body>, Unanswered> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(Body::new(body), BODY_LIMIT).await else {
        let mut answer = Response::new(Body::from("the defect proxy takes no body of this size\n"));
        *answer.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(answer);
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let call = Call { method: parts.method, target, headers: parts.headers, body };
    let answer = passage.pass(call).await.inspect_err(|error| tracing::warn!(%error, "the defect proxy"))?;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}
