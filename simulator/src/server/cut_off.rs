//! Answers that never come: the connection breaks, or with HTTP/2 the one stream on it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, Version};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use super::disturbed::{Plan, Suffering};
use super::stream;
use super::written::Written;
use crate::connection::Secured;

/// Marks a response that must not be sent.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("this call is cut off, as the tester asked")]
pub(crate) struct CutOff;

/// Whether a connection ends by a reset.
#[derive(Debug, Clone, Default)]
pub(super) struct Breaks(Arc<AtomicBool>);

impl Breaks {
    /// Lets the connection end by a reset.
    pub(super) fn reset(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What can befall one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Wire {
    pub(super) breaks: Breaks,
    pub(super) plan: Plan,
    pub(super) written: Written,
}

/// Serves a call, which knows how its connection is secured, or fails where its answer must not be sent: hyper then breaks the connection
/// without a byte, and with HTTP/2 resets the stream.
pub(super) async fn serve(
    app: Router,
    wire: Wire,
    secured: Option<Arc<Secured>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, CutOff> {
    let version = request.version();
    let mut request = request.map(Body::new);
    if let Some(secured) = secured {
        request.extensions_mut().insert(secured);
    }
    let Ok(mut response) = app.oneshot(request).await;
    if let Some(suffering) = response.extensions_mut().remove::<Suffering>() {
        if version >= Version::HTTP_2 {
            return stream::suffering(response, suffering, &wire.written).await;
        }
        wire.plan.set(suffering);
        return Ok(response);
    }
    if response.extensions().get::<CutOff>().is_none() {
        return Ok(response);
    }
    // Other streams of an HTTP/2 connection have done nothing to deserve it.
    if version < Version::HTTP_2 {
        wire.breaks.reset();
    }
    Err(CutOff)
}

/// A connection that can end by a reset instead of a polite close.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    breaks: Breaks,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, breaks: Breaks) -> Self {
        Self { stream, breaks }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.breaks.0.load(Ordering::Acquire)
            && let Err(error) = self.stream.set_zero_linger()
        {
            tracing::debug!(%error, "a connection that should be reset is closed");
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
