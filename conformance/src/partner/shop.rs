//! The shop behind the return page: it knows an order only by what the acquirer tells it.

use std::collections::BTreeMap;
use std::fmt;

use url::Url;

use crate::adapter::{BoundAcquirer, Outcome, PartnerBinding, Verification};

use super::Notification;

/// A page on which the Customer can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The order is confirmed.
    Confirmation,
    /// The checkout again, with an error: another payment method can be chosen.
    Checkout,
    /// The shop does not know yet; the page looks again by itself.
    Waiting,
}

/// First segment behind `/shop` of the pages that a return leads on to.
pub(super) const CONFIRMATION: &str = "confirmation";
pub(super) const CHECKOUT: &str = "checkout";

impl Page {
    /// The page that a URL of the shop shows.
    pub(super) fn at(url: &Url) -> Self {
        match url.path_segments().and_then(|mut segments| segments.nth(1)) {
            Some(CONFIRMATION) => Self::Confirmation,
            Some(CHECKOUT) => Self::Checkout,
            _ => Self::Waiting,
        }
    }

    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Approved => Self::Confirmation,
            outcome if outcome.is_final() => Self::Checkout,
            _ => Self::Waiting,
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirmation => "confirmation page",
            Self::Checkout => "checkout page with an error",
            Self::Waiting => "a page that waits for news of the payment",
        })
    }
}

/// An order that waits for its payment: how the shop finds out.
#[derive(Debug, Clone)]
pub struct ShopOrder {
    acquirer: BoundAcquirer,
    partner: PartnerBinding,
    payment_id: String,
    told: BTreeMap<String, String>,
    answered: Outcome,
}

impl ShopOrder {
    /// An order that was answered so when its payment was created.
    pub fn new(
        acquirer: BoundAcquirer,
        partner: PartnerBinding,
        payment_id: String,
        told: BTreeMap<String, String>,
        answered: Outcome,
    ) -> Self {
        Self { acquirer, partner, payment_id, told, answered }
    }

    /// The payment that its notifications name.
    pub(super) fn payment_id(&self) -> &str {
        &self.payment_id
    }

    /// The page for a Customer who is here now: by the answer to the create call, else by what was
    /// notified, else by asking. A return proves nothing by itself.
    pub(super) async fn page(&self, heard: &[Notification]) -> Page {
        let answered = Page::of(self.answered);
        if answered != Page::Waiting {
            return answered;
        }
        let trusted =
            heard.iter().filter(|one| !one.refused && !matches!(one.verified, Verification::Bad(_)));
        let notified =
            trusted.filter_map(|one| one.outcome).map(Page::of).find(|page| *page != Page::Waiting);
        if let Some(page) = notified {
            return page;
        }
        if !self.acquirer.adapter().can_read_payments() {
            return Page::Waiting;
        }
        let read = self.acquirer.read_payment_again(&self.partner, &self.told).await;
        read.map_or(Page::Waiting, |answer| Page::of(answer.outcome))
    }
}
