//! The HTTP server: own accept loop over hyper, limits, graceful drain.

mod accept;

pub(crate) use accept::serve;
