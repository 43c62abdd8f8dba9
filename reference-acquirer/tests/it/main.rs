//! The acquirer between a scripted Klarna and a scripted Partner, over real sockets, with a real
//! database. No test sleeps: each awaits what it needs, with a deadline.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt, its helpers too"
)]

mod bad_input;
mod command_line;
mod creating;
mod dashboard;
mod dead_letters;
mod finalizing;
mod hanging;
mod history;
mod idempotency;
mod isolation;
mod killed;
#[cfg(debug_assertions)]
mod killed_at;
mod listing;
mod notifying;
mod openapi;
mod operating;
mod payment_accounts;
mod payment_methods;
mod reconciling;
mod registering;
mod retrying;
mod returning;
mod schemathesis;
mod standard_webhooks;
mod storing;
mod support;
mod traces;
mod withdrawing;
