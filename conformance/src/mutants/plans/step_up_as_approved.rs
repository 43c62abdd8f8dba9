//! An acquirer that knows only "declined" and the rest.

use crate::mutants::answers::approval;
use crate::mutants::payments::asks_for_step_up;
use crate::mutants::plan::{Authorize, Further, Plan};
use crate::wire::Answer;

/// `STEP_UP_REQUIRED` reaches the acquirer as an approval.
#[derive(Debug)]
pub(in crate::mutants) struct StepUpAsApproved;

impl Plan for StepUpAsApproved {
    fn authorized(&self, authorize: &Authorize, answer: &mut Answer) -> Further {
        if asks_for_step_up(answer) {
            answer.body = approval(&authorize.call).body;
        }
        Further::Nothing
    }
}
