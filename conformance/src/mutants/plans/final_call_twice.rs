//! An acquirer in which webhook and return each finalise, each under a reference of its own.

use klarna_schemas::klarna::IDEMPOTENCY_KEY_HEADER;

use crate::mutants::answers::derived;
use crate::mutants::plan::{Authorize, Further, Plan};
use crate::wire::Answer;

/// After the final authorize comes another, with the same token.
#[derive(Debug)]
pub(in crate::mutants) struct FinalCallTwice;

impl Plan for FinalCallTwice {
    fn authorized(&self, authorize: &Authorize, answer: &mut Answer) -> Further {
        // A call that Klarna did not take will be made again; the other one follows the one that it took.
        if !authorize.is_final || !answer.status.is_success() {
            return Further::Nothing;
        }
        let mut again = authorize.call.clone();
        again.edit(|body| {
            let reference = body.pointer_mut("/request_payment_transaction/payment_transaction_reference");
            let Some(reference) = reference else { return false };
            *reference = format!("{}-2", reference.as_str().unwrap_or_default()).into();
            true
        });
        let key = again.header(IDEMPOTENCY_KEY_HEADER).unwrap_or_default().to_owned();
        again.set_header(IDEMPOTENCY_KEY_HEADER, &derived(&format!("another key than {key}")).to_string());
        Further::Besides(again)
    }
}
