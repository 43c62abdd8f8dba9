//! Accepting connections, and letting them end.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::config::Http;

/// How long to wait after a failed accept: it fails when there are no file descriptors left, and
/// a tight loop would not free any.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until told to stop, then lets requests under way end, within limits.
pub async fn serve(listener: TcpListener, router: Router, settings: Http, stop: CancellationToken) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(settings.header_read);
    builder.http2().timer(TokioTimer::new());
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                let _ = tokio::time::timeout(ACCEPT_PAUSE, stop.cancelled()).await;
                continue;
            }
        };
        // Small answers must not wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let service = router.clone().map_request(|request: Request<Incoming>| request.map(Body::new));
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let watched = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            // A client that breaks off is none of our errors.
            if let Err(error) = watched.await {
                tracing::debug!(error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(settings.stop, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}
