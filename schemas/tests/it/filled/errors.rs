//! Refusals.

use klarna_schemas::klarna::error::{ErrorBody, OlderValidationError, ValidationError};

use super::{Filled, filled, some};

/// A refusal with both forms of its list.
pub(super) fn filled_in() -> Vec<Filled> {
    vec![filled(
        "klarna/error",
        &ErrorBody {
            error_id: "3f0e6f6a-5a0e-4f9b-9a53-6f1f5f0a1b2c".to_owned(),
            error_type: some("INPUT_ERROR"),
            error_code: "VALIDATION_ERROR".to_owned(),
            error_message: "Request did not validate".to_owned(),
            validation_errors: vec![ValidationError {
                parameter: "request_payment_transaction.amount".to_owned(),
                reason: "must be at least 1".to_owned(),
                doc_url: some("https://docs.example/amount"),
            }],
            errors: vec![OlderValidationError {
                parameter: "request_payment_transaction.amount".to_owned(),
                error_message: "must be at least 1".to_owned(),
                doc_url: some("https://docs.example/amount"),
            }],
        },
    )]
}
