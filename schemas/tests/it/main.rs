//! The integration tests of the wire contract.

mod bodies;
mod files;
mod violations;
