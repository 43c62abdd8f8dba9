//! Signed webhooks: who wants them, how they are signed, when they are tried again.

mod delivery;
mod misbehaviour;
pub(crate) mod samples;
mod signing_keys;
mod subscriptions;

pub(crate) use delivery::{Cause, ClockMove, Courier, Deliveries, Era, Letter, is_taken};
pub(crate) use misbehaviour::{Manner, Misbehaviours, Signing};
pub(crate) use signing_keys::SigningKeys;
pub(crate) use subscriptions::{Subscription, SubscriptionRefusal, Subscriptions, UrlRules};
