//! The integration tests of the wire contract.

mod bodies;
mod files;
mod filled;
mod in_step;
mod violations;
