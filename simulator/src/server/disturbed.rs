//! Answers that suffer on the wire: cut, closed, dripping, of a wrong length, or no HTTP at all. With
//! HTTP/1.1 the bytes of the connection are changed; with HTTP/2 the one stream suffers (see `stream`).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use klarna_schemas::simulator::control::Fault;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::cut_off::{Breaks, Wire};
use super::written::Written;
use crate::clock::pause;

/// Sent in the place of an answer.
pub(super) const GARBAGE: &[u8] = b"\x16\x03\x01\x00\xa5 this is no HTTP \xff\xfe\x00\r\n";

/// What ends a head of HTTP/1.1.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// How the next answer on a connection suffers; set while its call is served.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan(Arc<Mutex<Option<Suffering>>>);

/// A fault on the wire, and when it ends early.
#[derive(Debug, Clone)]
pub(crate) struct Suffering {
    pub(crate) fault: Fault,
    pub(crate) hold: CancellationToken,
}

impl Plan {
    pub(super) fn set(&self, suffering: Suffering) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(suffering);
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn take(&self) -> Option<Suffering> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A connection whose answers can suffer. It lies above TLS: what suffers is what the caller reads.
pub(super) struct Disturbed<S> {
    inner: S,
    plan: Plan,
    breaks: Breaks,
    written: Written,
    state: State,
}

/// Where the writing stands.
enum State {
    /// What is written goes out as it is.
    Sound,
    /// The answer is collected until its head is whole.
    Collecting(BytesMut, Suffering),
    /// What was made of the answer goes out; then comes what follows.
    Sending(BytesMut, Next),
    /// The same, a piece at a time.
    Dripping { left: BytesMut, sent: usize, pace: Pace },
    /// Nothing more goes out.
    Over,
}

/// What follows once all is sent.
#[derive(Clone, Copy)]
enum Next {
    GoOn,
    Close,
    Reset,
}

/// How an answer drips.
struct Pace {
    bytes: usize,
    every: Duration,
    hold: CancellationToken,
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<S> Disturbed<S> {
    pub(super) fn new(inner: S, Wire { plan, breaks, written }: Wire) -> Self {
        Self { inner, plan, breaks, written, state: State::Sound }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Disturbed<S> {
    /// Takes bytes of an answer in: all of them, as long as they have not been made into something else.
    fn take_in(&mut self, bytes: &[u8]) {
        if let State::Sound = self.state
            && let Some(suffering) = self.plan.take()
        {
            self.state = State::Collecting(BytesMut::new(), suffering);
        }
        let State::Collecting(answer, suffering) = &mut self.state else { return };
        answer.extend_from_slice(bytes);
        if let Some(length) = whole_length(answer)
            && answer.len() >= length
        {
            self.state = made_of(std::mem::take(answer), suffering.clone());
        }
    }

    /// Counts what went out as it is.
    fn counted(&self, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = poll {
            self.written.count(bytes);
        }
        poll
    }

    /// Sends what was made of an answer, and does what follows.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.state {
                State::Sound | State::Collecting(..) => return Poll::Ready(Ok(())),
                State::Over => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                State::Sending(left, next) => {
                    let next = *next;
                    ready!(poll_all(&mut self.inner, left, context))?;
                    ready!(Pin::new(&mut self.inner).poll_flush(context))?;
                    match next {
                        Next::GoOn => self.state = State::Sound,
                        Next::Close => {
                            ready!(Pin::new(&mut self.inner).poll_shutdown(context))?;
                            self.state = State::Over;
                        }
                        Next::Reset => {
                            self.breaks.reset();
                            self.state = State::Over;
                        }
                    }
                }
                State::Dripping { left, sent, pace } => {
                    if let Some(wait) = &mut pace.wait {
                        ready!(wait.as_mut().poll(context));
                        pace.wait = None;
                        *sent = 0;
                    }
                    if left.is_empty() {
                        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
                        self.state = State::Sound;
                        continue;
                    }
                    let now = if pace.hold.is_cancelled() { left.len() } else { pace.bytes - *sent };
                    let piece = left.get(..now.min(left.len())).unwrap_or_default();
                    let written = ready!(Pin::new(&mut self.inner).poll_write(context, piece))?;
                    let _gone = left.split_to(written);
                    *sent += written;
                    if *sent >= pace.bytes {
                        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
                        pace.wait = Some(pace.until_next());
                    }
                }
            }
        }
    }
}

impl Pace {
    fn until_next(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (every, hold) = (self.every, self.hold.clone());
        Box::pin(async move {
            // Lifted or not: the next piece goes out.
            let _paused = hold.run_until_cancelled(pause(every)).await;
        })
    }
}

/// Writes all that is left.
fn poll_all<S: AsyncWrite + Unpin>(
    inner: &mut S,
    left: &mut BytesMut,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while !left.is_empty() {
        let written = ready!(Pin::new(&mut *inner).poll_write(context, left))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        let _gone = left.split_to(written);
    }
    Poll::Ready(Ok(()))
}

/// The length of an answer with its head, once the head is whole.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let head =
        answer.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD)? + END_OF_HEAD.len();
    Some(head + content_length(answer.get(..head)?).map_or(0, |(_, length)| length))
}

/// Where `Content-Length` has its number, and what it says.
fn content_length(head: &[u8]) -> Option<(std::ops::Range<usize>, usize)> {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let start = head.windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME))? + NAME.len();
    let digits = head.get(start..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = std::str::from_utf8(head.get(start..start + digits)?).ok()?.parse().ok()?;
    Some((start..start + digits, number))
}

/// Where a body is cut off: after so many bytes if it is longer than that, else in its middle.
pub(super) fn cut_at(after: Option<u32>, body: usize) -> usize {
    after.map(size).filter(|after| *after < body).unwrap_or(body / 2)
}

/// A number of bytes.
pub(super) fn size(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// What becomes of a whole answer.
fn made_of(answer: BytesMut, suffering: Suffering) -> State {
    let body = content_length(&answer).map_or(0, |(_, length)| length);
    let head = answer.len().saturating_sub(body);
    let up_to = |bytes: usize| BytesMut::from(answer.get(..bytes).unwrap_or(&answer));
    match suffering.fault {
        Fault::Garbage => State::Sending(BytesMut::from(GARBAGE), Next::Close),
        Fault::Truncate => State::Sending(up_to(head + body / 2), Next::Close),
        Fault::Cut { after } => State::Sending(up_to(head + cut_at(after, body)), Next::Reset),
        Fault::WrongLength => State::Sending(with_length(&answer, body / 2), Next::GoOn),
        Fault::Drip { bytes, every_ms } => {
            let every = Duration::from_millis(every_ms.into());
            let pace = Pace { bytes: size(bytes), every, hold: suffering.hold, wait: None };
            State::Dripping { left: answer, sent: 0, pace }
        }
        _ => State::Sending(answer, Next::GoOn),
    }
}

/// The same answer with another length in its head.
fn with_length(answer: &[u8], length: usize) -> BytesMut {
    let Some((digits, _)) = content_length(answer) else { return BytesMut::from(answer) };
    let mut made = BytesMut::from(answer.get(..digits.start).unwrap_or_default());
    made.extend_from_slice(length.to_string().as_bytes());
    made.extend_from_slice(answer.get(digits.end..).unwrap_or_default());
    made
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Disturbed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Disturbed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(context))?;
        self.take_in(bytes);
        match &self.state {
            State::Sound => {
                let poll = Pin::new(&mut self.inner).poll_write(context, bytes);
                self.counted(poll)
            }
            // It is kept here, and goes out by the flush that follows each answer.
            _ => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if matches!(self.state, State::Sound) && self.plan.is_empty() {
            let poll = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
            return self.counted(poll);
        }
        let first = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| &**slice);
        self.poll_write(context, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
