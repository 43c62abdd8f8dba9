//! The reference acquirer as processes that die, hang and come back, before the simulator.

mod by_hand;
mod fleet;
mod mtls;
mod parties;
mod random_kills;
mod replicas;
