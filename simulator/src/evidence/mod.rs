//! Evidence that reports show.

pub(crate) mod byte_diff;
