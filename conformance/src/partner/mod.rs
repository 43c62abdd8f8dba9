//! The Partner stand-in: notification ears and a return page, one listener for the run.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use crate::adapter::{Adapter, Outcome};

/// The Partner's side of the run. Cheap to clone; the listener ends with the last clone.
#[derive(Debug, Clone)]
pub struct PartnerStandIn {
    base_url: Url,
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
    /// The Partner whose ear it reached.
    pub partner: Option<String>,
    /// Why it could not be read, if it could not.
    pub unreadable: Option<String>,
}

/// Whether a notification is the acquirer's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The adapter claims no signature.
    NotClaimed,
    /// The signature fits.
    Good,
    /// It does not, and why.
    Bad(String),
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
    /// Listens.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(listen: SocketAddr, _adapter: &Adapter) -> Result<Self, StandInError> {
        Err(StandInError { listen, reason: "the stand-in is being built".to_owned(), hint: String::new() })
    }

    /// Where it listens.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// A page that records the Customer's visit: `{base}/shop/return/{marker}`.
    pub fn return_url(&self, marker: &str) -> Url {
        self.under(&["shop", "return", marker])
    }

    /// Where a Partner hears of its payments: `{base}/notifications/{partner}`.
    pub fn notification_url(&self, partner: &str) -> Url {
        self.under(&["notifications", partner])
    }

    /// The first notification about a payment that `accept` takes, those included that came before.
    ///
    /// # Errors
    /// After `deadline`: what came about the payment instead.
    pub async fn await_notification(
        &self,
        _payment_id: &str,
        _accept: impl Fn(&Notification) -> bool,
        _deadline: Duration,
    ) -> Result<Notification, Vec<Notification>> {
        Err(Vec::new())
    }

    /// What came about a payment, in order of arrival.
    pub fn notifications(&self, _payment_id: &str) -> Vec<Notification> {
        Vec::new()
    }

    /// What came and names no payment that could be read.
    pub fn strays(&self) -> Vec<Notification> {
        Vec::new()
    }

    /// The first visit to a return page, those included that were before; `None` after `deadline`.
    pub async fn await_return(&self, _marker: &str, _deadline: Duration) -> Option<ReturnVisit> {
        None
    }

    fn under(&self, segments: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }
}
