//! An acquirer account's own credentials.

use klarna_schemas::klarna::client_certificate::{
    CertificateUsage, ClientCertificate, ClientCertificateConfig, ClientCertificateWish,
    CreateClientCertificate, EnforceClientCertificates, EnforcedFrom,
};

use super::{Filled, filled, moment, some};

/// All of them.
pub(super) fn filled_in() -> Vec<Filled> {
    let usage = CertificateUsage::Mtls;
    vec![
        filled(
            "klarna/create-client-certificate",
            &CreateClientCertificate {
                description: some("checkout"),
                config: ClientCertificateWish {
                    usage: usage.clone(),
                    certificate_signing_request: "-----BEGIN CERTIFICATE REQUEST-----".to_owned(),
                },
            },
        ),
        filled(
            "klarna/client-certificate",
            &ClientCertificate {
                client_certificate_id: "krn:partner:global:account:credential:client-certificate:1"
                    .to_owned(),
                description: some("checkout"),
                config: ClientCertificateConfig { usage },
                client_certificate: "-----BEGIN CERTIFICATE-----".to_owned(),
                created_at: moment(),
                expires_at: moment(),
            },
        ),
        filled(
            "klarna/enforce-client-certificates",
            &EnforceClientCertificates { enforced_from: EnforcedFrom::At(moment()) },
        ),
    ]
}
