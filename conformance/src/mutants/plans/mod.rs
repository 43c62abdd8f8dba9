//! The defects themselves, a file each.

pub(super) mod approved_on_return;
pub(super) mod final_amount_changed;
pub(super) mod final_call_skipped;
pub(super) mod final_call_twice;
pub(super) mod final_token;
pub(super) mod network_data;
pub(super) mod signature_unchecked;
pub(super) mod step_up_as_approved;
