//! The integration tests of the wire contract.

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod files;
#[cfg(test)]
mod filled;
#[cfg(test)]
mod in_step;
#[cfg(test)]
mod requirements;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod violations;
