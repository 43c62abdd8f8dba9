//! Accepting connections, a bounded number at a time, and letting them finish at the end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Tls;
use super::cut_off::{self, Connection, Wire};
use super::disturbed::Disturbed;
use crate::config::Limits;
use crate::connection::Secured;

/// How long open connections may take to finish once the server stops.
const DRAIN: Duration = Duration::from_secs(2);

/// How long nothing is accepted when the machine has no room for a connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    app: Router,
    limits: &Limits,
    stopping: CancellationToken,
) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(builder(limits));
    let handshake = Duration::from_millis(limits.header_read_ms);
    loop {
        let permit = tokio::select! {
            () = stopping.cancelled() => break,
            // The semaphore is never closed; where it were, there is nothing left to accept.
            permit = connections.clone().acquire_owned() => match permit { Ok(permit) => permit, Err(_) => break },
        };
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_of_the_peer(&error) => continue,
            Err(error) => {
                // Out of file descriptors, most likely: the next accept would fail at once, too.
                tracing::warn!(%error, "a connection could not be accepted");
                pause(&stopping).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "Nagle's algorithm stays on");
        }
        let (app, wire) = (app.clone(), Wire::default());
        let stream = Connection::new(stream, wire.breaks.clone());
        let in_service = wire.clone();
        let service = |secured: Option<Secured>| {
            let secured = secured.map(Arc::new);
            let wire = in_service;
            service_fn(move |request| cut_off::serve(app.clone(), wire.clone(), secured.clone(), request))
        };
        let (builder, tls, watcher) = (builder.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            let ended = match tls {
                None => {
                    let stream = Disturbed::new(stream, wire);
                    let served = builder.serve_connection(TokioIo::new(stream), service(None));
                    watcher.watch(served.into_owned()).await
                }
                Some(tls) => match tokio::time::timeout(handshake, tls.acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => {
                        let service = service(Some(tls.secured(stream.get_ref().1)));
                        let stream = Disturbed::new(stream, wire);
                        let served = builder.serve_connection(TokioIo::new(stream), service);
                        watcher.watch(served.into_owned()).await
                    }
                    Ok(Err(error)) => Err(error.into()),
                    Err(_) => Err("the TLS handshake took too long".into()),
                },
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended badly");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::info!("some connections were still open at the end");
    }
}

/// Whether accepting failed because of the one who called: the next may do.
fn is_of_the_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Lets open connections end before the next accept, unless the server stops.
async fn pause(stopping: &CancellationToken) {
    let _stopped = tokio::time::timeout(ACCEPT_AGAIN, stopping.cancelled()).await;
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.header_read_ms))
        .max_buf_size(limits.header_bytes);
    let header_list = u32::try_from(limits.header_bytes).unwrap_or(u32::MAX);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(header_list);
    builder
}
