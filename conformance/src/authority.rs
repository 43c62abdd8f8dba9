//! The authority that vouches for Klarna, where Klarna speaks TLS.

use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// A file of certificates that everybody who calls Klarna is to trust.
#[derive(Debug, Clone)]
pub struct Authority {
    file: PathBuf,
    pem: String,
    certificates: Vec<Certificate>,
}

/// Why a file cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds something else.
    #[error(
        "{} is not a file of certificates: {reason}\n  hint: it must be PEM, as in the file that klarna-simulator names as ca_file at its start",
        .path.display()
    )]
    NotCertificates {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Authority {
    /// Reads a file of certificates in PEM.
    ///
    /// # Errors
    /// When there is none, or nothing in it that could vouch for anybody.
    pub fn read(path: &Path) -> Result<Self, AuthorityError> {
        // Launched acquirers look for it from a folder of their own.
        let file = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let pem = std::fs::read_to_string(&file)
            .map_err(|source| AuthorityError::Unreadable { path: file.clone(), source })?;
        match certificates(&pem) {
            Ok(certificates) => Ok(Self { file, pem, certificates }),
            Err(reason) => Err(AuthorityError::NotCertificates { path: file, reason }),
        }
    }

    /// Where it stands: an absolute path.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What stands in it.
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

/// A client that trusts the authority, if there is one, besides those that the system trusts: it calls
/// others than Klarna too.
pub(crate) fn trusted(by: ClientBuilder, authority: Option<&Authority>) -> ClientBuilder {
    match authority {
        Some(authority) => by.tls_certs_merge(authority.certificates.iter().cloned()),
        None => by,
    }
}

/// A client is built without complaint of a file that holds no certificate, and then trusts nobody:
/// so each is tried here.
fn certificates(pem: &str) -> Result<Vec<Certificate>, String> {
    let mut store = RootCertStore::empty();
    let mut certificates = Vec::new();
    for der in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let der = der.map_err(|error| error.to_string())?;
        certificates.push(Certificate::from_der(&der).map_err(|error| error.to_string())?);
        store.add(der).map_err(|error| error.to_string())?;
    }
    if certificates.is_empty() {
        return Err("no certificate stands in it".to_owned());
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let error = Authority::read(&path).unwrap_err().to_string();
        assert!(error.contains("ca.pem cannot be read"), "{error}");
        let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for wrong in ["", "klarna", garbled, &garbled.replace("AAAA", "?")] {
            std::fs::write(&path, wrong).unwrap();
            let error = Authority::read(&path).unwrap_err().to_string();
            assert!(error.contains("is not a file of certificates") && error.contains("hint"), "{error}");
        }
    }
}
