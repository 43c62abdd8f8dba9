//! One call of the Partner's, as a report may show it: secrets replaced, repeatable by hand.

use serde::{Deserialize, Serialize};

/// One call and its answer. Secrets stand as `$NAME` wherever they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerExchange {
    /// HTTP method.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Header pairs in order, secrets replaced.
    pub request_headers: Vec<(String, String)>,
    /// Body as sent, secrets replaced.
    pub request_body: Vec<u8>,
    /// HTTP status of the answer.
    pub status: u16,
    /// Header pairs of the answer, in order.
    pub response_headers: Vec<(String, String)>,
    /// Body of the answer, exact.
    pub response_body: Vec<u8>,
    /// A command that makes the same call again, secrets as `$NAME`.
    pub curl: String,
}
