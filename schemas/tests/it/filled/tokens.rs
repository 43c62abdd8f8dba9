//! Tokens outside a payment.

use klarna_schemas::klarna::interoperability::{
    CreateTestToken, CustomerJourney, InteroperabilityToken, SdkToken,
};

use super::{Filled, filled, moment, some};

/// All of them.
pub(super) fn filled_in() -> Vec<Filled> {
    vec![
        filled(
            "klarna/create-test-token",
            &CreateTestToken { customer_journey: CustomerJourney::ExpressCheckout },
        ),
        filled(
            "klarna/interoperability-token",
            &InteroperabilityToken {
                interoperability_token: "krn:network:eu1:test:session-token:1".to_owned(),
                klarna_network_session_token: some("krn:network:eu1:test:session-token:1"),
                expires_at: Some(moment()),
            },
        ),
        filled(
            "klarna/sdk-token",
            &SdkToken {
                sdk_token: "krn:network:eu1:test:sdk-token:1".to_owned(),
                expires_at: Some(moment()),
            },
        ),
    ]
}
