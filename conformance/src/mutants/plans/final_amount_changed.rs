//! An acquirer that reckons the amount anew.

use crate::mutants::plan::{Authorize, Plan};
use crate::wire::Answer;

/// The final authorize asks for one minor unit more.
#[derive(Debug)]
pub(in crate::mutants) struct FinalAmountChanged;

impl Plan for FinalAmountChanged {
    fn authorize(&self, authorize: &mut Authorize) -> Option<Answer> {
        if authorize.is_final {
            authorize.call.edit(|body| {
                let amount = body.pointer_mut("/request_payment_transaction/amount");
                let more = amount.as_ref().and_then(|amount| amount.as_i64()?.checked_add(1));
                let (Some(amount), Some(more)) = (amount, more) else { return false };
                *amount = more.into();
                true
            });
        }
        None
    }
}
