//! What is known of the connection that a call came by.

use klarna_schemas::ids::AcquirerAccountId;
use klarna_schemas::klarna::client_certificate::MtlsStatus;
use klarna_schemas::simulator::journal::RecordedTls;

/// A connection by TLS.
#[derive(Debug, Clone)]
pub(crate) struct Secured {
    /// `1.2` or `1.3`.
    pub(crate) version: &'static str,
    /// The name that the caller asked for (SNI).
    pub(crate) server_name: Option<String>,
    /// The certificate that the caller showed.
    pub(crate) certificate: Option<PeerCertificate>,
}

/// A client's certificate.
#[derive(Debug, Clone)]
pub(crate) struct PeerCertificate {
    /// Whether the simulator's authority has issued it for opening connections, and it is good now.
    pub(crate) trusted: bool,
    /// Whom it names.
    pub(crate) common_name: Option<String>,
}

/// What became of the client certificate of a call; `account` where its key says whose it is. A
/// certificate that names another account is not the caller's (contract `payments.md` 1.3).
pub(crate) fn mtls_status(secured: Option<&Secured>, account: Option<&AcquirerAccountId>) -> MtlsStatus {
    let Some(certificate) = secured.and_then(|secured| secured.certificate.as_ref()) else {
        return MtlsStatus::NotPresent;
    };
    let is_the_callers =
        account.is_none_or(|account| certificate.common_name.as_deref() == Some(name_of(account)));
    if certificate.trusted && is_the_callers { MtlsStatus::Valid } else { MtlsStatus::Invalid }
}

/// The common name of an account's certificates: the last segment of its id.
pub(crate) fn name_of(account: &AcquirerAccountId) -> &str {
    account.as_str().rsplit(':').next().unwrap_or_default()
}

impl Secured {
    /// As the journal shows it.
    pub(crate) fn recorded(&self, client_certificate: MtlsStatus) -> RecordedTls {
        RecordedTls {
            version: self.version.to_owned(),
            server_name: self.server_name.clone(),
            client_certificate,
        }
    }
}
