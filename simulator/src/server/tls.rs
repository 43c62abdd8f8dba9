//! TLS with an authority of our own, which whoever calls is given a file of (contract `payments.md` 1.1).
//! A client certificate is asked for and never demanded: what it is worth is each call's affair (1.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, ProtocolVersion, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme,
};
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::authority::{Authority, TlsError};
use crate::connection::{PeerCertificate, Secured};

/// What both versions of HTTP are called in a handshake, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS, ready to be spoken.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    certificates: Arc<dyn ClientCertVerifier>,
}

impl Tls {
    /// TLS under a certificate for these hosts, and loopback.
    pub(crate) fn prepare(authority: &Authority, hosts: &[String]) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate()?)?;
        let certificates =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
        let certificates = certificates.map_err(|error| rustls::Error::General(error.to_string()))?;
        let (chain, secret) = authority.server_certificate(names(hosts))?;
        let asking = AskForCertificate { hints: certificates.root_hint_subjects().to_vec(), provider };
        // Without a protocol below 1.2 in the library there is none to switch off.
        let mut config = ServerConfig::builder()
            .with_client_cert_verifier(Arc::new(asking))
            .with_single_cert(chain, secret)?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificates })
    }

    /// What a handshake has shown.
    pub(super) fn secured(&self, connection: &ServerConnection) -> Secured {
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            _ => "1.3",
        };
        let shown = connection.peer_certificates().and_then(<[CertificateDer<'_>]>::split_first);
        Secured {
            version,
            server_name: connection.server_name().map(str::to_owned),
            certificate: shown.map(|(leaf, chain)| self.judged(leaf, chain)),
        }
    }

    fn judged(&self, leaf: &CertificateDer<'_>, chain: &[CertificateDer<'_>]) -> PeerCertificate {
        let verified = self.certificates.verify_client_cert(leaf, chain, UnixTime::now());
        if let Err(error) = &verified {
            tracing::info!(%error, "a client certificate is not good");
        }
        PeerCertificate { trusted: verified.is_ok(), common_name: common_name(leaf) }
    }
}

/// Whom a certificate names.
fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let name = certificate.subject().iter_common_name().next()?;
    name.as_str().ok().map(str::to_owned)
}

/// Takes any client certificate whose holder has its key, and none: a call may come without one, or
/// with a wrong one, until its account enforces them.
#[derive(Debug)]
struct AskForCertificate {
    hints: Vec<DistinguishedName>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AskForCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_loopback_and_what_is_asked_for() {
        let names = names(&["0.0.0.0".to_owned(), "klarna".to_owned(), "127.0.0.1".to_owned()]);
        assert_eq!(names, ["127.0.0.1", "::1", "klarna", "localhost"]);
    }
}
