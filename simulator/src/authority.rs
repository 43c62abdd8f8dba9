//! The authority of the simulator's own: it vouches for the simulator over TLS, and issues client
//! certificates to acquirers (contract `payments.md` 1.1, 1.3).

mod signing_request;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

pub(crate) use signing_request::SigningRequest;

/// The authority's files in its folder.
const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";

/// An authority, and where it is kept.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    /// A folder that is its own, which goes when it goes.
    _folder: Option<TempDir>,
}

/// Why certificates cannot be made or served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the authority cannot be read or written.
    #[error(
        "the authority's file {path} cannot be used: {source}\nhint: `tls.folder` names a folder of your own; it holds {CERTIFICATE} and {KEY}, or nothing yet"
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate cannot be read or made.
    #[error(
        "a certificate cannot be made: {0}\nhint: delete the files in `tls.folder` to have the authority made anew"
    )]
    Certificate(#[from] rcgen::Error),
    /// What was made cannot be served.
    #[error("TLS cannot be served: {0}")]
    Serve(#[from] rustls::Error),
}

/// What an issued certificate may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Opening connections.
    ClientAuthentication,
    /// Signing, and nothing else.
    Signing,
}

impl Authority {
    /// The authority that is kept in a folder, and the file of its certificate; made there where it is
    /// not there yet.
    pub(crate) fn in_folder(folder: &Path) -> Result<(Self, PathBuf), TlsError> {
        let at = |name: &str| folder.join(name);
        let failed = |path: PathBuf| move |source| TlsError::File { path, source };
        if at(CERTIFICATE).exists() && at(KEY).exists() {
            let read = |name: &str| std::fs::read_to_string(at(name)).map_err(failed(at(name)));
            let (pem, key) = (read(CERTIFICATE)?, KeyPair::from_pem(&read(KEY)?)?);
            return Ok((Self { pem, issuer: Issuer::new(params(), key), _folder: None }, at(CERTIFICATE)));
        }
        let (made, key) = Self::make()?;
        std::fs::create_dir_all(folder).map_err(failed(folder.to_owned()))?;
        for (name, text) in [(KEY, &key), (CERTIFICATE, &made.pem)] {
            write_for_the_owner(&at(name), text).map_err(failed(at(name)))?;
        }
        Ok((made, at(CERTIFICATE)))
    }

    /// A new authority in a folder of its own among the machine's temporary files.
    pub(crate) fn in_folder_of_its_own() -> Result<(Self, PathBuf), TlsError> {
        let folder = tempfile::Builder::new().prefix("klarna-simulator-").tempdir();
        let folder = folder.map_err(|source| TlsError::File { path: std::env::temp_dir(), source })?;
        let (made, file) = Self::in_folder(folder.path())?;
        Ok((Self { _folder: Some(folder), ..made }, file))
    }

    /// An authority that lives as long as the process.
    pub(crate) fn in_memory() -> Result<Self, TlsError> {
        Self::make().map(|(made, _)| made)
    }

    /// Makes one; and its key, as PEM.
    fn make() -> Result<(Self, String), TlsError> {
        let (params, key) = (params(), KeyPair::generate()?);
        let (pem, secret) = (params.self_signed(&key)?.pem(), key.serialize_pem());
        Ok((Self { pem, issuer: Issuer::new(params, key), _folder: None }, secret))
    }

    /// Its certificate, as PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Its certificate.
    pub(crate) fn certificate(&self) -> Result<CertificateDer<'static>, TlsError> {
        CertificateDer::from_pem_slice(self.pem.as_bytes())
            .map_err(|error| TlsError::Serve(rustls::Error::General(error.to_string())))
    }

    /// A certificate for a server of these names, with its chain and its key.
    pub(crate) fn server_certificate(
        &self,
        names: Vec<String>,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(names)?.signed_by(&key, &self.issuer)?;
        let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((vec![leaf.der().clone(), self.certificate()?], secret))
    }

    /// Issues what a request asks for, as PEM: good from the day of `from` to the day of `until`.
    pub(crate) fn issue(
        &self,
        request: SigningRequest,
        purpose: Purpose,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<String, TlsError> {
        let mut request = request.into_inner();
        let params = &mut request.params;
        // Whatever else the request wished for: it gets what is asked of the operation.
        params.is_ca = IsCa::ExplicitNoCa;
        params.subject_alt_names.clear();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose.extended_key_usage()];
        let ((from_year, from_month, from_day), (year, month, day)) = (day(from), day(until));
        params.not_before = rcgen::date_time_ymd(from_year, from_month, from_day);
        params.not_after = rcgen::date_time_ymd(year, month, day);
        Ok(request.signed_by(&self.issuer)?.pem())
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Purpose {
    fn extended_key_usage(self) -> ExtendedKeyUsagePurpose {
        match self {
            Self::ClientAuthentication => ExtendedKeyUsagePurpose::ClientAuth,
            // id-kp-documentSigning (RFC 9336): good for signing, and for no connection.
            Self::Signing => ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 5, 5, 7, 3, 36]),
        }
    }
}

/// Year, month and day of a time, as [`rcgen::date_time_ymd`] takes them.
fn day(time: Timestamp) -> (i32, u8, u8) {
    let date = time.to_zoned(jiff::tz::TimeZone::UTC).date();
    // Months and days of a date are from 1 to 31.
    (date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
}

/// The authority says nothing of itself but its name, so that what it issues after a later start fits
/// its file.
fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "klarna-simulator, for tests only");
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// The key is a secret, if only of a test.
fn write_for_the_owner(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_of_a_folder_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep");
        let (first, file) = Authority::in_folder(&path).unwrap();
        let (second, _) = Authority::in_folder(&path).unwrap();
        assert_eq!(first.pem(), second.pem());
        assert_eq!(std::fs::read_to_string(file).unwrap(), second.pem());
    }

    #[test]
    fn an_authority_of_its_own_shares_its_folder_with_nobody_and_takes_it_along() {
        let (first, file) = Authority::in_folder_of_its_own().unwrap();
        let (second, other) = Authority::in_folder_of_its_own().unwrap();
        assert_ne!((first.pem(), &file), (second.pem(), &other));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), first.pem());
        drop(first);
        assert!(!file.exists() && other.exists());
    }

    #[test]
    fn an_authority_that_is_none_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CERTIFICATE), "x").unwrap();
        std::fs::write(folder.path().join(KEY), "x").unwrap();
        let error = Authority::in_folder(folder.path()).err().unwrap().to_string();
        assert!(error.contains("tls.folder"), "{error}");
    }
}
