//! Whether a call failed since its other side is not trusted, below what HTTP clients say of it.

use std::error::Error;

use klarna_schemas::cause::innermost;

/// Whether the other side's certificate was refused.
pub(crate) fn is_distrust(error: &(dyn Error + 'static)) -> bool {
    let mut cause = innermost(error);
    // The system's errors, in which TLS comes wrapped, do not count what they wrap among their causes.
    while let Some(wrapped) = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        cause = wrapped;
    }
    matches!(cause.downcast_ref::<rustls::Error>(), Some(rustls::Error::InvalidCertificate(_)))
}
