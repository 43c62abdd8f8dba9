//! The routes of the Partner stand-in.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use url::Url;

use super::record::Record;
use super::shop::{CHECKOUT, CONFIRMATION, Page};
use super::{Notification, ReturnVisit, pages};
use crate::adapter::{BoundAcquirer, Came, Ears, Outcome, Verification, pairs};

/// Bytes that a notification may have.
const BODY_LIMIT: usize = 1024 * 1024;

#[derive(Debug)]
struct Shop {
    record: Arc<Record>,
    ears: Ears,
    base_url: Url,
    acquirer: Arc<OnceLock<BoundAcquirer>>,
}

pub(super) fn router(
    record: Arc<Record>,
    ears: Ears,
    base_url: Url,
    acquirer: Arc<OnceLock<BoundAcquirer>>,
) -> Router {
    Router::new()
        .route("/", get(async || Html(pages::welcome())))
        .route("/notifications", get(for_all).post(for_all))
        .route("/notifications/{partner}", get(for_partner).post(for_partner))
        .route("/shop/return", any(returned_unmarked))
        .route("/shop/return/{marker}", any(returned))
        .route("/shop/confirmation/{marker}", get(async || Html(pages::confirmation())))
        .route("/shop/checkout/{marker}", get(async || Html(pages::checkout_with_an_error())))
        .fallback(async || (StatusCode::NOT_FOUND, "the Partner stand-in has no such page\n"))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(Arc::new(Shop { record, ears, base_url, acquirer }))
}

async fn for_all(
    State(shop): State<Arc<Shop>>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    shop.notified(None, &method, &uri, &headers, &body)
}

async fn for_partner(
    State(shop): State<Arc<Shop>>,
    Path(partner): Path<String>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    shop.notified(Some(&partner), &method, &uri, &headers, &body)
}

async fn returned_unmarked(
    State(shop): State<Arc<Shop>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    shop.returned("", &uri, &headers).await
}

async fn returned(
    State(shop): State<Arc<Shop>>,
    Path(marker): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    shop.returned(&marker, &uri, &headers).await
}

impl Shop {
    fn notified(
        self: &Arc<Self>,
        partner: Option<&str>,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Response {
        let (headers, query) = (pairs(headers), uri.query().unwrap_or_default());
        let came = Came { method: method.as_str(), path: uri.path(), query, headers: &headers, body };
        let mut heard = self.ears.hear(partner, &came);
        let unknown = partner.is_some_and(|partner| !self.ears.knows(partner));
        if unknown {
            heard.payment_id = None;
            heard.unreadable = Some(format!("no Partner is called {}", partner.unwrap_or_default()));
        }
        // One that says which payment only may be about its end.
        let ends = heard.outcome.is_some_and(Outcome::is_final) || self.ears.hear_ids_alone();
        let refusal =
            heard.payment_id.as_deref().filter(|_| ends).and_then(|id| self.record.take_refusal(id));
        // A Partner refuses what it cannot trust or read, as a real one would; all of it is kept.
        let answer = if unknown {
            (StatusCode::NOT_FOUND, "no Partner of this name\n".to_owned())
        } else if let Verification::Bad(reason) = &heard.verified {
            (StatusCode::UNAUTHORIZED, format!("{reason}\n"))
        } else if let Some(reason) = &heard.unreadable {
            (StatusCode::BAD_REQUEST, format!("{reason}\n"))
        } else if let Some(status) = refusal {
            (status, String::new())
        } else {
            let answer = self.ears.answer();
            (StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK), answer.body)
        };
        let is_trusted = !unknown && !matches!(heard.verified, Verification::Bad(_));
        let notification = Notification {
            seq: 0,
            payment_id: heard.payment_id,
            outcome: heard.outcome,
            verified: heard.verified,
            headers,
            body: if body.is_empty() { query.as_bytes().to_vec() } else { body.to_vec() },
            partner: heard.partner,
            unreadable: heard.unreadable,
            refused: refusal.is_some(),
        };
        if self.ears.hear_ids_alone() && is_trusted && notification.payment_id.is_some() && refusal.is_none()
        {
            tokio::spawn(self.clone().read_back(notification));
        } else {
            self.record.notification(notification);
        }
        answer.into_response()
    }

    /// Asks the acquirer how a payment stands of which a notification says no more than that it has changed,
    /// and notes what it says as the notification's word.
    async fn read_back(self: Arc<Self>, mut notification: Notification) {
        let told = match (self.acquirer.get(), &notification.payment_id) {
            (Some(acquirer), Some(id)) => {
                let partners = acquirer.adapter().partners();
                let named = partners.iter().find(|one| Some(&one.name) == notification.partner.as_ref());
                match named.or(partners.first()) {
                    Some(partner) => {
                        acquirer.read_payment(partner, id).await.map_err(|error| error.to_string())
                    }
                    None => Err("there is no Partner".to_owned()),
                }
            }
            _ => Err("the acquirer cannot be asked yet".to_owned()),
        };
        match told {
            Ok(answer) => notification.outcome = Some(answer.outcome),
            Err(why) => notification.unreadable = Some(format!("reading the payment back: {why}")),
        }
        self.record.notification(notification);
    }

    /// Notes the visit, and sends the Customer on once the shop knows how the payment ended.
    async fn returned(&self, marker: &str, uri: &Uri, headers: &HeaderMap) -> Response {
        let mut url = self.base_url.clone();
        url.set_path(uri.path());
        url.set_query(uri.query());
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let page = pages::back_at_the_shop(&query);
        self.record.visit(marker, ReturnVisit { seq: 0, url, query, headers: pairs(headers) });
        let Some((order, heard)) = self.record.order(marker) else { return Html(page).into_response() };
        match order.page(&heard).await {
            Page::Confirmation => Redirect::to(&format!("/shop/{CONFIRMATION}/{marker}")).into_response(),
            Page::Checkout => Redirect::to(&format!("/shop/{CHECKOUT}/{marker}")).into_response(),
            Page::Waiting => Html(page).into_response(),
        }
    }
}
