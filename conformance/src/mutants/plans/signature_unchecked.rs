//! An acquirer that believes whoever knows its webhook URL.

use crate::mutants::plan::Plan;
use crate::mutants::signing::SigningKeys;
use crate::wire::Call;

/// Every event is signed rightly before the acquirer sees it.
#[derive(Debug)]
pub(in crate::mutants) struct SignatureUnchecked;

impl Plan for SignatureUnchecked {
    fn relays_webhooks(&self) -> bool {
        true
    }

    fn event(&self, event: &mut Call, keys: &SigningKeys) {
        keys.sign(event);
    }
}
