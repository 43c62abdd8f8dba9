//! What can be asked of a sandbox by way of Payment Authorize.

use klarna_schemas::ids::AcquirerAccountId;
use klarna_schemas::klarna::authorize::AuthorizeRequest;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::simulator::control::Fault;
use klarna_schemas::simulator::journal::RecordedTls;
use serde_json::Value;

/// A Payment Authorize call, parsed at the edge.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizeCommand {
    /// Who calls.
    pub(crate) acquirer: AcquirerAccountId,
    /// The body as JSON, for comparison and echo.
    pub(crate) raw: Value,
    /// The body as a typed view, or what is wrong with it.
    pub(crate) request: Result<AuthorizeRequest, Vec<ValidationError>>,
    /// The token that came with it.
    pub(crate) token: Option<PresentedToken>,
    /// `Klarna-Customer-Token`.
    pub(crate) customer_token: Option<String>,
    /// `Klarna-Idempotency-Key`.
    pub(crate) key: Option<IdempotencyKey>,
    /// Whether the token is known to belong to another Partner account.
    pub(crate) token_is_foreign: bool,
    /// Whether only a policy keeps `request` from being read.
    pub(crate) by_policy: bool,
    /// What in the body is not as documented and yet accepted.
    pub(crate) undocumented: Vec<ValidationError>,
    /// What in the body stands under a name of an older revision.
    pub(crate) older_names: Vec<ValidationError>,
    /// All headers but credentials, which rules may look at.
    pub(crate) headers: Vec<(String, String)>,
    /// What will befall its answer, for all that is known before it is decided.
    pub(crate) answer_fault: Option<Fault>,
    /// What it carried that decides nothing.
    pub(crate) head: CallHead,
}

/// What a call carries beside what decides it: the rulebook looks at that.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallHead {
    /// `Klarna-Integration-Metadata`, as it came.
    pub(crate) integration_metadata: Option<String>,
    /// Whether an `Idempotency-Key` without Klarna's prefix came.
    pub(crate) unprefixed_key: bool,
    /// Path and query, as they came.
    pub(crate) target: String,
    /// The host that was called, without its port.
    pub(crate) host: Option<String>,
    /// How the connection was secured, if it was.
    pub(crate) tls: Option<RecordedTls>,
    /// All headers together, in bytes.
    pub(crate) header_bytes: usize,
    /// The first headers that are worth a look, each with how long its value is, in bytes.
    pub(crate) conspicuous: Vec<(String, usize)>,
}

/// How many conspicuous headers are kept of a call: a payment remembers many calls.
const CONSPICUOUS: usize = 8;
/// A header that is longer than this, in bytes, is conspicuous.
const LONG: usize = 255;
/// Headers of tracing systems; a dash at the end stands for any rest.
const TRACING: [&str; 6] = ["traceparent", "tracestate", "x-b3-", "b3", "uber-trace-id", "x-datadog-"];

impl CallHead {
    /// Takes note of the headers, by name in lower case and the length of the value in bytes.
    pub(crate) fn with_headers<'a>(mut self, headers: impl Iterator<Item = (&'a str, usize)>) -> Self {
        for (name, length) in headers {
            self.header_bytes += name.len() + length;
            let is_conspicuous = length > LONG || is_of_tracing(name);
            if is_conspicuous && self.conspicuous.len() < CONSPICUOUS {
                self.conspicuous.push((name.to_owned(), length));
            }
        }
        self
    }
}

/// Whether a header is one of a tracing system.
pub(crate) fn is_of_tracing(name: &str) -> bool {
    TRACING.iter().any(|known| if known.ends_with('-') { name.starts_with(known) } else { name == *known })
}

/// An idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct IdempotencyKey(pub(crate) String);

/// A token and the header that brought it.
#[derive(Debug, Clone)]
pub(crate) struct PresentedToken {
    pub(crate) value: String,
    pub(crate) header: TokenHeader,
}

/// Which header brought a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenHeader {
    /// `Klarna-Network-Session-Token`.
    Session,
    /// `Klarna-Payment-Token`, of revisions up to r2512.
    Payment,
    /// `Klarna-Interoperability-Token`, of v2-r6.
    Interoperability,
}

impl TokenHeader {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Session, Self::Payment, Self::Interoperability];

    /// The header's name as people write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Session => "Klarna-Network-Session-Token",
            Self::Payment => "Klarna-Payment-Token",
            Self::Interoperability => "Klarna-Interoperability-Token",
        }
    }
}
