//! Evidence: what reports show, and on what ground each answer stands.

pub(crate) mod byte_diff;
pub(crate) mod grounds;
