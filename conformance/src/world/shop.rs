//! Where the Customer ends: on the Partner's confirmation page, or at the checkout with an error.

use tokio::time::Instant;
use url::Url;

use super::World;
use super::checks::finding;
use super::context::PATIENCE;
use super::failure::Failure;
use super::payment::Payment;
use super::telling::EXPIRY_IS_TOLD;
use super::telling::POLL_EVERY;
use crate::browser::Hop;
pub use crate::partner::Page;
use crate::partner::ShopOrder;

/// Redirects within the shop before the browser gives up.
const HOPS_MAX: usize = 5;

impl World {
    /// Lets the Partner's pages know the order, so that they can show how it stands.
    pub(super) fn open_shop_for(&self, payment: &Payment) {
        let order = ShopOrder::new(
            self.run.acquirer.clone(),
            self.partner().clone(),
            payment.id().to_owned(),
            payment.told(),
            payment.answer.outcome,
        );
        self.run.stand_in.take_order(&payment.order.reference, order);
    }

    /// Asks on which page of the Partner's the Customer ends. The browser comes back from Klarna if it
    /// is there, and looks again while the shop does not know yet.
    ///
    /// # Errors
    /// When the Customer ends on another page, or does not come back.
    pub async fn must_end_on(&mut self, page: Page) -> Result<(), Failure> {
        if self.was_sent_somewhere()? {
            self.come_back().await?;
        } else {
            self.remark("Klarna sent the browser nowhere: the Customer goes to the Partner's page alone");
        }
        let home = self.payment()?.order.return_url.clone();
        let home = Url::parse(&home).map_err(|error| Failure::Broken(error.to_string()))?;
        let deadline = Instant::now() + PATIENCE;
        let mut beat = tokio::time::interval(POLL_EVERY);
        let shown = loop {
            beat.tick().await;
            let shown = self.visit_shop(&home).await?;
            if shown != Page::Waiting || Instant::now() >= deadline {
                break shown;
            }
        };
        self.judged("customer.ends-right", 1);
        if shown == page {
            return Ok(());
        }
        let expired = self.payment()?.expired;
        let mut finding = finding(
            "customer.ends-right",
            &self.scenario.duties,
            "the Partner's page",
            "by what the acquirer tells it, the Partner shows the Customer another page",
        );
        finding.expected = Some(page.to_string());
        finding.got = Some(shown.to_string());
        if expired {
            finding.rest_on(EXPIRY_IS_TOLD);
        }
        let exchange = self.payment()?.exchange().clone();
        self.weigh(finding, Some(exchange)).await
    }

    /// Opens the Partner's return page and follows it; the page that it ends on.
    async fn visit_shop(&self, home: &Url) -> Result<Page, Failure> {
        let mut hop = Hop::to(home.clone());
        for _ in 0..HOPS_MAX {
            match self.browse(&hop, "text/html", "customer.ends-right").await?.next {
                Some(next) => hop = next,
                None => break,
            }
        }
        Ok(self.run.stand_in.page_at(hop.url()))
    }
}
