//! The Partner stand-in: notification ears and a return page, one listener for the run.

mod pages;
mod record;
mod serve;
mod shop;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::task::AbortHandle;
use url::Url;

pub use crate::adapter::Verification;
use crate::adapter::{Adapter, BoundAcquirer, Outcome};
use record::Record;
pub use shop::{Page, ShopOrder};

/// The Partner's side of the run. Cheap to clone; the listener ends with the last clone.
#[derive(Debug, Clone)]
pub struct PartnerStandIn {
    base_url: Url,
    listens: Url,
    record: Arc<Record>,
    acquirer: Arc<OnceLock<BoundAcquirer>>,
    _listener: Arc<Listener>,
}

/// Ends the listener when dropped.
#[derive(Debug)]
struct Listener(AbortHandle);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The stand-in could not start.
#[derive(Debug, thiserror::Error)]
#[error("the Partner stand-in cannot listen on {listen}: {reason}\n  hint: {hint}")]
pub struct StandInError {
    /// Where it should have listened.
    pub listen: SocketAddr,
    /// What went wrong.
    pub reason: String,
    /// How to mend it.
    pub hint: String,
}

/// An address that can be called: one that means every address is called on loopback.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let mut reachable = address;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => reachable.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => reachable.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    reachable
}

/// A notification that came.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Order of arrival at the stand-in, from 1, shared with return visits.
    pub seq: u64,
    /// The payment that the adapter read from it.
    pub payment_id: Option<String>,
    /// What it says.
    pub outcome: Option<Outcome>,
    /// Whether its signature fits.
    pub verified: Verification,
    /// Header pairs.
    pub headers: Vec<(String, String)>,
    /// Exact body.
    pub body: Vec<u8>,
    /// The Partner whose ear it reached, or whose secret signed what came to the ear of all.
    pub partner: Option<String>,
    /// Why it could not be read, if it could not.
    pub unreadable: Option<String>,
    /// Whether the Partner was made to refuse it, so that it told nobody anything.
    pub refused: bool,
}

/// A Customer who came back.
#[derive(Debug, Clone)]
pub struct ReturnVisit {
    /// Order of arrival at the stand-in, from 1, shared with notifications.
    pub seq: u64,
    /// Path and query as they came, made absolute.
    pub url: Url,
    /// Query pairs, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Header pairs.
    pub headers: Vec<(String, String)>,
}

impl PartnerStandIn {
    /// Listens, and is told of as it listens. Port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken, or a notification secret of the adapter cannot be read.
    pub async fn start(listen: SocketAddr, adapter: &Adapter) -> Result<Self, StandInError> {
        Self::start_behind(listen, None, adapter).await
    }

    /// Listens; others are told `public`, if it is given.
    ///
    /// # Errors
    /// When the address is taken, or a notification secret of the adapter cannot be read.
    pub async fn start_behind(
        listen: SocketAddr,
        public: Option<&Url>,
        adapter: &Adapter,
    ) -> Result<Self, StandInError> {
        let failed = |reason: String, hint: &str| StandInError { listen, reason, hint: hint.to_owned() };
        let taken = |error: std::io::Error| {
            failed(
                error.to_string(),
                "listen.partner in the adapter names another address; port 0 takes a free one",
            )
        };
        let socket = tokio::net::TcpListener::bind(listen).await.map_err(taken)?;
        let address = socket.local_addr().map_err(taken)?;
        let listens = Url::parse(&format!("http://{}/", reachable(address)))
            .map_err(|error| failed(error.to_string(), "listen.partner is an IP address and a port"))?;
        let base_url = public.unwrap_or(&listens).clone();
        let ears = adapter
            .ears(&base_url)
            .map_err(|error| failed(error.to_string(), "see notifications.verify in the adapter"))?;
        let record = Arc::new(Record::default());
        let acquirer = Arc::<OnceLock<BoundAcquirer>>::default();
        let router = serve::router(Arc::clone(&record), ears, base_url.clone(), Arc::clone(&acquirer));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(socket, router).await {
                tracing::error!(%error, "the Partner stand-in ended");
            }
        });
        Ok(Self { base_url, listens, record, acquirer, _listener: Arc::new(Listener(task.abort_handle())) })
    }

    /// Lets it ask the acquirer how payments stand of which notifications do not say so themselves. The first
    /// one that it is told of is asked.
    pub fn ask(&self, acquirer: BoundAcquirer) {
        // A second one would be the same: a run has one acquirer.
        let _first_stays = self.acquirer.set(acquirer);
    }

    /// Where others find it.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// Where it listens, as this machine reaches it.
    pub fn listens(&self) -> &Url {
        &self.listens
    }

    /// A page that records the Customer's visit: `{base}/shop/return/{marker}`.
    pub fn return_url(&self, marker: &str) -> Url {
        self.under(&["shop", "return", marker])
    }

    /// Where a Partner hears of its payments: `{base}/notifications/{partner}`. `{base}/notifications`
    /// is an ear of all, for acquirers that know one URL only.
    pub fn notification_url(&self, partner: &str) -> Url {
        self.under(&["notifications", partner])
    }

    /// Answers the next notification that a payment has ended with `status`, once.
    pub fn refuse_next(&self, payment_id: &str, status: StatusCode) {
        self.record.refuse_next(payment_id, status);
    }

    /// The first notification about a payment that `accept` takes, those included that came before.
    ///
    /// # Errors
    /// After `deadline`: what came about the payment instead.
    pub async fn await_notification(
        &self,
        payment_id: &str,
        accept: impl Fn(&Notification) -> bool,
        deadline: Duration,
    ) -> Result<Notification, Vec<Notification>> {
        let found = self
            .record
            .wait(deadline, |kept| kept.notifications_of(payment_id).find(|one| accept(one)).cloned())
            .await;
        found.ok_or_else(|| self.notifications(payment_id))
    }

    /// What came about a payment, in order of arrival.
    pub fn notifications(&self, payment_id: &str) -> Vec<Notification> {
        self.record.look(|kept| kept.notifications_of(payment_id).cloned().collect())
    }

    /// What came and could not be read, so that it belongs to no payment.
    pub fn strays(&self) -> Vec<Notification> {
        self.record
            .look(|kept| kept.notifications.iter().filter(|one| one.payment_id.is_none()).cloned().collect())
    }

    /// The first visit to a return page, those included that were before; `None` after `deadline`.
    pub async fn await_return(&self, marker: &str, deadline: Duration) -> Option<ReturnVisit> {
        self.record.wait(deadline, |kept| kept.visits.get(marker)?.first().cloned()).await
    }

    /// All visits to a return page, in order.
    pub fn returns(&self, marker: &str) -> Vec<ReturnVisit> {
        self.record.look(|kept| kept.visits.get(marker).cloned().unwrap_or_default())
    }

    /// Takes an order into the shop, so that its return page shows how it stands.
    pub fn take_order(&self, marker: &str, order: ShopOrder) {
        self.record.take_order(marker, order);
    }

    /// The page of the shop that a URL shows.
    pub fn page_at(&self, url: &Url) -> Page {
        if url.origin() == self.base_url.origin() { Page::at(url) } else { Page::Waiting }
    }

    fn under(&self, segments: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }
}
