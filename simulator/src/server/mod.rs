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
