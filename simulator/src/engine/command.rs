//! What can be asked of a sandbox by way of Payment Authorize.

use klarna_schemas::ids::AcquirerAccountId;
use klarna_schemas::klarna::authorize::AuthorizeRequest;
use klarna_schemas::klarna::error::ValidationError;
use klarna_schemas::simulator::control::Fault;
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
