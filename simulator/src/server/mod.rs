//! The HTTP server: own accept loop over hyper, limits, broken connections, graceful drain.

mod accept;
mod cut_off;
mod disturbed;
mod stream;
mod tls;
mod written;

pub(crate) use accept::serve;
pub(crate) use cut_off::CutOff;
pub(crate) use disturbed::Suffering;
pub(crate) use tls::Tls;

/// How much of a body that is too large is read and thrown away, in bytes: a client that writes all of it
/// before it reads the answer would only see a broken connection.
pub(crate) const THROWN_AWAY: usize = 16 << 20;
