//! Every exchange with Klarna, bounded, searchable, awaitable.

mod budget;
mod exchange;
pub(crate) mod export;
mod header_text;
mod possible;
mod query;
mod reading;
mod ring;
mod shelf;
mod took;

pub(crate) use budget::Budget;
pub(crate) use exchange::{Exchange, HeaderPairs, Sent, redacted};
pub(crate) use query::{Filter, MAX_WAIT, QueryMistake};
pub(crate) use reading::Reading;
pub(crate) use ring::Journal;
pub(crate) use shelf::Kept;
pub(crate) use took::Took;
