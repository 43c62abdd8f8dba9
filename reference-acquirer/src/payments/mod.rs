//! What a payment is, what may happen to it, and how it goes from a Partner's order to an outcome.

pub mod calls;
pub mod create;
pub mod history;
pub mod learning;
pub mod list;
pub mod mapping;
pub mod methods;
pub mod network_data;
pub mod operating;
pub mod operation;
pub mod payment;
pub mod service;
pub mod view;
mod waiting;
