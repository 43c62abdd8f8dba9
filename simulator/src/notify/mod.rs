//! Signed webhooks: who wants them, how they are signed, when they are tried again.

mod delivery;
mod letter;
mod manner;
mod merge_patch;
mod misbehaviour;
pub(crate) mod samples;
mod signing_keys;
mod subscriptions;
mod under_way;

pub(crate) use delivery::{Courier, is_taken};
pub(crate) use letter::Letter;
pub(crate) use manner::{Leaving, Manner, Repeated};
pub(crate) use misbehaviour::{Departing, Expected, Misbehaviours, Of};
pub(crate) use signing_keys::SigningKeys;
pub(crate) use subscriptions::{Subscription, SubscriptionRefusal, Subscriptions, UrlRules};
pub(crate) use under_way::{Cause, ClockMove, Counted, Deliveries, Era};
