//! What Klarna's side does to Payment Transactions.

use serde::{Deserialize, Serialize};

use crate::money::MinorUnits;

/// `POST /sandboxes/{a}/transactions/{id}/chargeback`: take money back for the customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeBack {
    /// Minor units, at least 1, and at most what was captured and has not gone back.
    pub amount: MinorUnits,
}
