//! Typed views of what travels between an acquirer and Klarna, a file a resource.
//!
//! Reading is tolerant (unknown fields are skipped, unknown enum values kept, AP-41); judging what
//! is missing or odd belongs to the schemas, not to these types.

pub mod authorize;
pub mod client_certificate;
pub mod error;
pub mod interoperability;
pub mod notification;
pub mod payment_request;
pub mod presentation;
pub mod purchase_data;
pub mod transaction;
pub mod webhook;

/// Header of a session token, current name (contract `payments.md` 1.4).
pub const SESSION_TOKEN_HEADER: &str = "klarna-network-session-token";
/// Header of a customer token (contract `payments.md` 8).
pub const CUSTOMER_TOKEN_HEADER: &str = "klarna-customer-token";
/// Header of an idempotency key (contract `payments.md` 5.1).
pub const IDEMPOTENCY_KEY_HEADER: &str = "klarna-idempotency-key";
/// Header that names the integration (contract `payments.md` 1.6).
pub const INTEGRATION_METADATA_HEADER: &str = "klarna-integration-metadata";
/// Header that Klarna puts on every answer, to be logged (AP-36).
pub const CORRELATION_ID_HEADER: &str = "klarna-correlation-id";
