//! Signed webhooks: who wants them, how they are signed, when they are tried again.

mod delivery;
mod letter;
mod manner;
mod merge_patch;
mod misbehaviour;
pub(crate) mod samples;
mod signing_keys;
mod subscriptions;

pub(crate) use delivery::{Cause, ClockMove, Courier, Deliveries, Era, is_taken};
pub(crate) use letter::Letter;
pub(crate) use manner::{Leaving, Manner, Repeated};
pub(crate) use misbehaviour::{Departing, Expected, Misbehaviours, Of};
pub(crate) use signing_keys::SigningKeys;
pub(crate) use subscriptions::{Subscription, SubscriptionRefusal, Subscriptions, UrlRules};
