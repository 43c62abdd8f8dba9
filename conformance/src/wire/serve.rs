//! The listening side: accepting, and breaking off where the other side broke off.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Answer, Call, Unanswered};

/// Bytes that a body may have on its way through; far above what Klarna or an acquirer takes.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// What stands in between.
pub(crate) trait Pass: Send + Sync + 'static {
    /// Its name in the log.
    const NAME: &'static str;

    /// Takes a message and gives its answer. An error closes the connection without one: neither side is
    /// told of a status that the other never gave.
    fn pass(&self, call: Call) -> impl Future<Output = Result<Answer, Unanswered>> + Send;
}

/// Serves until dropped, and its connections with it.
pub(crate) async fn serve<P: Pass>(socket: TcpListener, between: Arc<P>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&between)));
                }
                Err(error) => {
                    tracing::warn!(%error, "{} could not accept a connection", P::NAME);
                    tokio::task::yield_now().await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn connection<P: Pass>(stream: TcpStream, between: Arc<P>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "Nagle's algorithm stays on");
    }
    let service = service_fn(move |request| answered(Arc::clone(&between), request));
    if let Err(error) =
        Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
    {
        tracing::debug!(%error, "a connection of {} broke off", P::NAME);
    }
}

async fn answered<P: Pass>(
    between: Arc<P>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Unanswered> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(Body::new(body), BODY_LIMIT).await else {
        let mut answer = Response::new(Body::from(format!("{} takes no body of this size\n", P::NAME)));
        *answer.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(answer);
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let call = Call { method: parts.method, target, headers: parts.headers, body };
    let answer = between.pass(call).await.inspect_err(|error| tracing::warn!(%error, "{}", P::NAME))?;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}
