//! Answers that suffer on one stream of HTTP/2: the others on the connection have done nothing to deserve
//! it. Where HTTP/1.1 loses its connection, the stream is reset.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderValue, Response};
use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use klarna_schemas::simulator::control::Fault;

use super::CutOff;
use super::disturbed::{Suffering, cut_at, size};
use super::written::Written;
use crate::clock::pause;

/// The answer as it suffers.
pub(super) async fn suffering(
    response: Response<Body>,
    Suffering { fault, hold }: Suffering,
    written: &Written,
) -> Result<Response<Body>, CutOff> {
    let (mut head, body) = response.into_parts();
    // Our own answers come from memory: reading such a body does not fail.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let half = body.len() / 2;
    let body = match fault {
        // There is no way to say something that is no HTTP on a stream.
        Fault::Garbage => return Err(CutOff),
        Fault::Truncate => cut(&body, half, written.clone()),
        Fault::Cut { after } => cut(&body, cut_at(after, body.len()), written.clone()),
        Fault::WrongLength => {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(half));
            Body::from(body)
        }
        Fault::Drip { bytes, every_ms } => {
            let pieces: VecDeque<Bytes> =
                body.chunks(size(bytes).max(1)).map(Bytes::copy_from_slice).collect();
            let every = Duration::from_millis(every_ms.into());
            Body::new(StreamBody::new(stream::unfold((pieces, hold), move |(mut pieces, hold)| async move {
                let piece = pieces.pop_front()?;
                let _paused = hold.run_until_cancelled(pause(every)).await;
                Some((Ok::<_, CutOff>(Frame::data(piece)), (pieces, hold)))
            })))
        }
        _ => Body::from(body),
    };
    Ok(Response::from_parts(head, body))
}

/// So many bytes, and then a broken stream: once they are on their way, for a reset overtakes what still
/// waits for its turn.
fn cut(body: &Bytes, after: usize, written: Written) -> Body {
    let piece = body.slice(..after.min(body.len()));
    // The head is ready when the first piece is asked for, and may not have left.
    let frames = stream::unfold(Some((piece, None)), move |next| {
        let written = written.clone();
        async move {
            let (piece, before) = next?;
            let Some(before) = before else {
                return Some((Ok(Frame::data(piece.clone())), Some((piece, Some(written.so_far())))));
            };
            written.passed(before, piece.len()).await;
            Some((Err(CutOff), None))
        }
    });
    Body::new(StreamBody::new(frames))
}
