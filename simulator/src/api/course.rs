//! The course of one call, from the first byte of its body to the last of its answer. Where the caller goes on
//! the way, whatever was going on is dropped: so what is dropped says so in the journal.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use axum::http::{Version, request};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use klarna_schemas::simulator::journal::Ending;

use super::recording::{Notes, Place, place_by_key, write_down};
use crate::clock::{Stopwatch, real_now};
use crate::journal::Took;
use crate::server::THROWN_AWAY;
use crate::world::{Answered, World};

/// How much is kept of a body that is longer than it may be.
const KEPT_OF_TOO_LARGE: usize = 64 << 10;

/// A call under way.
pub(super) struct Course {
    pub(super) world: Arc<World>,
    pub(super) parts: request::Parts,
    pub(super) notes: Notes,
    pub(super) timing: Timing,
    stage: Stage,
    /// Whether more of its body has come than is kept.
    is_cut: bool,
}

/// How far a call has come.
enum Stage {
    /// So much of its body has come.
    Arriving(BytesMut),
    /// Its body has come, and it is being served.
    Served(Bytes),
    /// It stands in the journal, and its answer is about to leave.
    Written(Place, u64),
    /// It is over.
    Over,
}

/// When a call began, and how long its parts take.
pub(super) struct Timing {
    pub(super) started_at: Timestamp,
    stopwatch: Stopwatch,
    pub(super) took: Took,
}

impl Timing {
    pub(super) fn begin() -> Self {
        Self { started_at: real_now(), stopwatch: Stopwatch::start(), took: Took::default() }
    }

    /// The request has come, or as much of it as comes.
    fn came(&mut self) {
        self.took.send = Some(self.stopwatch.lap());
    }

    /// The answer leaves, or it is clear that there is none.
    fn left(&self) {
        if self.took.send.is_some() {
            self.took.waited(self.stopwatch.elapsed());
        }
    }
}

/// Reads the rest of a body that is too large, as far as that goes: who writes all of it before he reads
/// hears why it is refused. Whether he is still there.
async fn throw_away(mut body: Body, mut length: usize, limit: usize) -> bool {
    while length <= THROWN_AWAY.max(limit)
        && let Some(frame) = body.frame().await
    {
        let Ok(frame) = frame else { return false };
        length += frame.into_data().map_or(0, |data| data.len());
    }
    true
}

/// How much of a body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    /// More than it may be; only its beginning is kept.
    TooLarge,
    /// The caller broke off; or, where it is cut, went away while the rest of a body that is too large came.
    BrokenOff {
        is_cut: bool,
    },
}

impl Course {
    pub(super) fn new(world: Arc<World>, parts: request::Parts, notes: Notes, timing: Timing) -> Self {
        Self { world, parts, notes, timing, stage: Stage::Arriving(BytesMut::new()), is_cut: false }
    }

    /// Reads the body, as far as it comes and may. What is too much is read, too, and thrown away, for a
    /// caller that writes all before it reads the answer; not where the caller asks first whether to send it.
    pub(super) async fn read(&mut self, mut body: Body) -> (Bytes, Extent) {
        let limit = self.world.settings().limits.body_bytes;
        let mut length = 0;
        let extent = loop {
            if length == 0 && self.asks_in_vain(limit) {
                break Extent::TooLarge;
            }
            let Some(frame) = body.frame().await else { break Extent::Whole };
            let Stage::Arriving(came) = &mut self.stage else { break Extent::Whole };
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(data)) => {
                    length += data.len();
                    came.extend_from_slice(&data);
                }
                Ok(Err(_trailers)) => {}
                Err(_) => break Extent::BrokenOff { is_cut: false },
            }
            if length > limit {
                came.truncate(KEPT_OF_TOO_LARGE.min(limit));
                self.is_cut = true;
                let is_there = throw_away(body, length, limit).await;
                break if is_there { Extent::TooLarge } else { Extent::BrokenOff { is_cut: true } };
            }
        };
        self.timing.came();
        let came = self.came();
        self.stage = Stage::Served(came.clone());
        (came, extent)
    }

    /// Whether the caller asks before he sends a body that is too large: then he need not send it.
    fn asks_in_vain(&self, limit: usize) -> bool {
        let header = |name| self.parts.headers.get(name).and_then(|value| value.to_str().ok());
        self.parts.version < Version::HTTP_2
            && header(EXPECT).is_some_and(|expected| expected.eq_ignore_ascii_case("100-continue"))
            && header(CONTENT_LENGTH)
                .and_then(|length| length.parse().ok())
                .is_some_and(|length: usize| length > limit)
    }

    /// As much of the body as has come.
    fn came(&mut self) -> Bytes {
        match &mut self.stage {
            Stage::Arriving(came) => std::mem::take(came).freeze(),
            Stage::Served(came) => came.clone(),
            Stage::Written(..) | Stage::Over => Bytes::new(),
        }
    }

    /// It stands in this journal as answered, unless something comes between.
    pub(super) fn written(&mut self, place: Place, seq: u64) {
        self.stage = Stage::Written(place, seq);
    }

    /// Its answer has been handed to the connection, or is none.
    pub(super) fn over(&mut self) {
        self.stage = Stage::Over;
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        self.timing.left();
        if let Stage::Written(place, seq) = &self.stage {
            place.amend(&self.world, *seq, Ending::Broken);
        } else if !matches!(self.stage, Stage::Over) {
            let body = self.came();
            place_by_key(&self.world, &self.parts, &self.notes);
            let mut noted = self.notes.take();
            noted.extent = Some(Extent::BrokenOff { is_cut: self.is_cut });
            write_down(&self.world, &self.parts, body, None, &self.timing, &noted);
        }
    }
}

/// An answer's body that tells, by being dropped, that the answer has been handed on; or, where nobody has
/// asked for it by then, that it has not.
pub(super) struct TellingBody {
    left: Option<Bytes>,
    course: Course,
    _answered: Option<Answered>,
}

impl TellingBody {
    pub(super) fn new(body: Bytes, course: Course, answered: Option<Answered>) -> Self {
        Self { left: Some(body), course, _answered: answered }
    }

    /// It has been asked for, or nobody will ask.
    pub(super) fn is_out(&mut self) {
        self.course.timing.left();
        self.course.over();
    }
}

impl hyper::body::Body for TellingBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.is_out();
        let frame = self.left.take().filter(|bytes| !bytes.is_empty());
        std::task::Poll::Ready(frame.map(|bytes| Ok(hyper::body::Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.left.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
