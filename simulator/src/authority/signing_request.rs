//! PKCS#10 requests for client certificates: what Klarna asks of them (contract `payments.md` 1.3).

use rcgen::{CertificateSigningRequestParams, DnType, DnValue};
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::oid_registry::{OID_EC_P256, OID_SIG_ECDSA_WITH_SHA256};
use x509_parser::prelude::{FromDer as _, X509CertificationRequest};

/// A request that is rightly signed, by a key on prime256v1.
pub(crate) struct SigningRequest(CertificateSigningRequestParams);

/// Why a request is none that Klarna takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestFault {
    /// It cannot be read.
    #[error("is no certificate signing request (PKCS#10) as PEM")]
    Unreadable,
    /// Its key is another.
    #[error("must be for a key on the elliptic curve prime256v1")]
    OtherKey,
    /// It is signed otherwise.
    #[error("must be signed by ECDSA with SHA-256")]
    OtherSignature,
    /// Its signature is not by its key, or it asks for what cannot be issued.
    #[error("cannot be granted: {0}")]
    Refused(String),
}

impl SigningRequest {
    /// Reads a request.
    pub(crate) fn parse(pem: &str) -> Result<Self, RequestFault> {
        let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| RequestFault::Unreadable)?;
        let (_, parsed) = X509CertificationRequest::from_der(&der).map_err(|_| RequestFault::Unreadable)?;
        let key = &parsed.certification_request_info.subject_pki.algorithm;
        let curve = key.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        if curve.as_ref() != Some(&OID_EC_P256) {
            return Err(RequestFault::OtherKey);
        }
        if parsed.signature_algorithm.algorithm != OID_SIG_ECDSA_WITH_SHA256 {
            return Err(RequestFault::OtherSignature);
        }
        CertificateSigningRequestParams::from_der(&der)
            .map(Self)
            .map_err(|error| RequestFault::Refused(error.to_string()))
    }

    /// Whom it names.
    pub(crate) fn common_name(&self) -> Option<&str> {
        match self.0.params.distinguished_name.get(&DnType::CommonName)? {
            DnValue::Utf8String(name) => Some(name),
            DnValue::PrintableString(name) => Some(name.as_str()),
            DnValue::Ia5String(name) => Some(name.as_str()),
            _ => None,
        }
    }

    pub(super) fn into_inner(self) -> CertificateSigningRequestParams {
        self.0
    }
}
