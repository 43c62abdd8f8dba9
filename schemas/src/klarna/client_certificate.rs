//! Client certificates and whether they are enforced (contract `payments.md` 1.3).

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::open_enum;

/// Header of every answer: what became of the caller's certificate.
pub const MTLS_STATUS_HEADER: &str = "klarna-mtls-verification-status";

open_enum! {
    /// What became of the client certificate of a call.
    pub enum MtlsStatus {
        /// None came.
        NotPresent = "NOT_PRESENT",
        /// It is the caller's.
        Valid = "VALID",
        /// It is not.
        Invalid = "INVALID",
    }
}

open_enum! {
    /// What a client certificate is for.
    pub enum CertificateUsage {
        /// Opening connections.
        Mtls = "MTLS",
        /// Signing.
        JwtSigning = "JWT_SIGNING",
    }
}

/// Body of `POST /v2/account/integration/credentials/client-certificate`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateClientCertificate {
    /// What it is for, in the words of whoever asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is asked for.
    pub config: ClientCertificateWish,
}

/// What is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientCertificateWish {
    /// What the certificate will do.
    pub usage: CertificateUsage,
    /// A PKCS#10 request as PEM.
    pub certificate_signing_request: String,
}

/// Answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCertificate {
    /// Klarna's name of it.
    pub client_certificate_id: String,
    /// As it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it does.
    pub config: ClientCertificateConfig,
    /// The certificate as PEM.
    pub client_certificate: String,
    /// Since when it is good.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// What a client certificate does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCertificateConfig {
    /// Opens connections, or signs.
    pub usage: CertificateUsage,
}

/// Body of `PUT /v2/account/integration/client-certificates/enforcement`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnforceClientCertificates {
    /// From when calls without a valid one are refused.
    pub enforced_from: EnforcedFrom,
}

/// From when client certificates are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnforcedFrom {
    /// At once.
    Now,
    /// From then on.
    At(Timestamp),
}

impl Serialize for EnforcedFrom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Now => serializer.serialize_str("NOW"),
            Self::At(time) => time.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for EnforcedFrom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "NOW" {
            return Ok(Self::Now);
        }
        text.parse().map(Self::At).map_err(serde::de::Error::custom)
    }
}
