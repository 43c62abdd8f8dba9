//! The pure machine: a sandbox's state, a command and the time go in, ordered effects come out.
//!
//! Nothing here knows HTTP, reads a clock, draws chance or does I/O. What happens is decided by the
//! state and the command alone, so it can be replayed.

mod announcement;
mod authorization;
mod command;
mod customer;
mod customer_token;
mod direct_request;
mod effect;
mod ending;
mod express_shipping;
mod faulted;
mod final_call;
mod idempotency;
mod ids;
mod initial_call;
mod interoperability;
pub(crate) mod line_totals;
mod outcome;
mod payment;
mod payment_request;
mod policies;
mod post_purchase;
mod presentation;
#[cfg(test)]
mod properties;
mod sandbox;
#[cfg(test)]
mod scripts;
mod token;
mod transaction;
mod transaction_news;
#[cfg(test)]
mod transaction_properties;

pub(crate) use command::{AuthorizeCommand, IdempotencyKey, PresentedToken, TokenHeader};
pub(crate) use customer::{CustomerMove, CustomerRefusal};
pub(crate) use direct_request::OUT_OF_TURN;
pub(crate) use effect::{Decided, Effect, EventDraft, EventPayload, Refusal, Reply};
pub(crate) use ending::EndRefusal;
pub(crate) use express_shipping::ShippingChoice;
pub(crate) use faulted::Undecided;
pub(crate) use idempotency::{Acted, KeyedCall, Outcome, UsedKeys, shown};
pub(crate) use ids::IdSource;
pub(crate) use payment::{AuthorizeCall, CallRole, NetworkData, Payment, TokenStanding};
pub(crate) use payment_request::RequestRecord;
pub(crate) use policies::Policies;
pub use policies::{
    DecidingPolicy, ErrorListPolicy, ExpiredRequestPolicy, OddityPolicy, OlderNamesPolicy, PolicySettings,
    RefusalPolicy, ReusePolicy, TokenPlaces,
};
pub(crate) use post_purchase::unknown;
pub(crate) use presentation::{Intent, Interval, PresentationQuery};
pub(crate) use sandbox::Sandbox;
