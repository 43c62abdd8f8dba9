//! Cucumber's world around ours: empty until the before-hook has opened a scenario.

use std::convert::Infallible;

use crate::world::World;

/// A scenario's world, once it is open.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) world: Option<World>,
}

impl cucumber::World for Stage {
    type Error = Infallible;

    async fn new() -> Result<Self, Self::Error> {
        Ok(Self::default())
    }
}
