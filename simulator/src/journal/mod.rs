//! Every exchange with Klarna, bounded, searchable, awaitable.

mod exchange;
pub(crate) mod export;
mod header_text;
mod query;
mod ring;

pub(crate) use exchange::{Exchange, HeaderPairs, Sent, redacted};
pub(crate) use query::{Filter, MAX_WAIT, QueryMistake};
pub(crate) use ring::{Budget, Journal};
