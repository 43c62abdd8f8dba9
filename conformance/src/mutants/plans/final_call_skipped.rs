//! An acquirer that takes the step-up's end for the payment's.

use crate::mutants::answers::approval;
use crate::mutants::plan::{Authorize, Plan};
use crate::wire::Answer;

/// The final authorize never reaches Klarna.
#[derive(Debug)]
pub(in crate::mutants) struct FinalCallSkipped;

impl Plan for FinalCallSkipped {
    fn authorize(&self, authorize: &mut Authorize) -> Option<Answer> {
        authorize.is_final.then(|| approval(&authorize.call))
    }
}
