//! TLS with an authority of our own, which whoever calls is given a file of (contract `payments.md` 1.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// What both versions of HTTP are called in a handshake, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The authority's files in its folder.
const AUTHORITY: &str = "ca.pem";
const AUTHORITY_KEY: &str = "ca-key.pem";

/// TLS, ready to be spoken.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// The authority's certificate, as PEM.
    pub(crate) authority: String,
    /// The file that holds it.
    pub(crate) authority_file: PathBuf,
}

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the authority cannot be read or written.
    #[error(
        "the authority's file {path} cannot be used: {source}\nhint: `tls.folder` names a folder of your own; it holds {AUTHORITY} and {AUTHORITY_KEY}, or nothing yet"
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

/// Makes a certificate for these hosts by the authority in `folder`, which is made there where it is
/// not there yet; without a folder, in one of its own among the machine's temporary files.
pub(crate) fn prepare(folder: &str, hosts: &[String]) -> Result<Tls, TlsError> {
    let folder = if folder.is_empty() {
        std::env::temp_dir().join(format!("klarna-simulator-{}", std::process::id()))
    } else {
        PathBuf::from(folder)
    };
    let (authority, issuer) = authority(&folder)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(names(hosts))?.signed_by(&key, &issuer)?;
    let chain = vec![leaf.der().clone(), certificate(&authority)?];
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // Without a protocol below 1.2 in the library there is none to switch off.
    let mut config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, secret)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        authority,
        authority_file: folder.join(AUTHORITY),
    })
}

/// Loopback, and the hosts that were asked for.
fn names(hosts: &[String]) -> Vec<String> {
    let loopback = [Ipv4Addr::LOCALHOST.to_string(), Ipv6Addr::LOCALHOST.to_string(), "localhost".to_owned()];
    let mut names: Vec<String> = loopback.into_iter().chain(hosts.iter().cloned()).collect();
    // An address that means every address is no name.
    names.retain(|name| !name.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified()));
    names.sort();
    names.dedup();
    names
}

fn authority(folder: &Path) -> Result<(String, Issuer<'static, KeyPair>), TlsError> {
    let at = |name: &str| folder.join(name);
    let failed = |path: PathBuf| move |source| TlsError::File { path, source };
    if at(AUTHORITY).exists() && at(AUTHORITY_KEY).exists() {
        let read = |name: &str| std::fs::read_to_string(at(name)).map_err(failed(at(name)));
        let (pem, key) = (read(AUTHORITY)?, KeyPair::from_pem(&read(AUTHORITY_KEY)?)?);
        return Ok((pem, Issuer::new(authority_params(), key)));
    }
    let (params, key) = (authority_params(), KeyPair::generate()?);
    let pem = params.self_signed(&key)?.pem();
    std::fs::create_dir_all(folder).map_err(failed(folder.to_owned()))?;
    for (name, text) in [(AUTHORITY_KEY, key.serialize_pem()), (AUTHORITY, pem.clone())] {
        write_for_the_owner(&at(name), &text).map_err(failed(at(name)))?;
    }
    Ok((pem, Issuer::new(params, key)))
}

/// The authority says nothing of itself but its name, so that a leaf of a later start fits its file.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "klarna-simulator, for tests only");
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn certificate(pem: &str) -> Result<CertificateDer<'static>, TlsError> {
    CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| TlsError::Serve(rustls::Error::General(error.to_string())))
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
        crate::install_crypto_provider();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").display().to_string();
        let first = prepare(&path, &[]).unwrap();
        let second = prepare(&path, &["klarna".to_owned()]).unwrap();
        assert_eq!(first.authority, second.authority);
        assert_eq!(std::fs::read_to_string(first.authority_file).unwrap(), second.authority);
    }

    #[test]
    fn an_authority_that_is_none_is_told_of() {
        crate::install_crypto_provider();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(AUTHORITY), "x").unwrap();
        std::fs::write(folder.path().join(AUTHORITY_KEY), "x").unwrap();
        let error = prepare(&folder.path().display().to_string(), &[]).err().unwrap().to_string();
        assert!(error.contains("tls.folder"), "{error}");
    }

    #[test]
    fn names_are_loopback_and_what_is_asked_for() {
        let names = names(&["0.0.0.0".to_owned(), "klarna".to_owned(), "127.0.0.1".to_owned()]);
        assert_eq!(names, ["127.0.0.1", "::1", "klarna", "localhost"]);
    }
}
