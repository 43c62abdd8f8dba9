//! The routes of the Partner stand-in.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use url::Url;

use super::record::Record;
use super::shop::{CHECKOUT, CONFIRMATION, Page};
use super::{Notification, ReturnVisit, pages};
use crate::adapter::{Ears, Outcome, Verification, pairs};

/// Bytes that a notification may have.
const BODY_LIMIT: usize = 1024 * 1024;

#[derive(Debug)]
struct Shop {
    record: Arc<Record>,
    ears: Ears,
    base_url: Url,
}

pub(super) fn router(record: Arc<Record>, ears: Ears, base_url: Url) -> Router {
    Router::new()
        .route("/", get(async || Html(pages::welcome())))
        .route("/notifications", post(for_all))
        .route("/notifications/{partner}", post(for_partner))
        .route("/shop/return", any(returned_unmarked))
        .route("/shop/return/{marker}", any(returned))
        .route("/shop/confirmation/{marker}", get(async || Html(pages::confirmation())))
        .route("/shop/checkout/{marker}", get(async || Html(pages::checkout_with_an_error())))
        .fallback(async || (StatusCode::NOT_FOUND, "the Partner stand-in has no such page\n"))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(Arc::new(Shop { record, ears, base_url }))
}

async fn for_all(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Response {
    shop.notified(None, &headers, &body)
}

async fn for_partner(
    State(shop): State<Arc<Shop>>,
    Path(partner): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    shop.notified(Some(&partner), &headers, &body)
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
    fn notified(&self, partner: Option<&str>, headers: &HeaderMap, body: &Bytes) -> Response {
        let mut heard = self.ears.hear(partner, headers, body);
        let unknown = partner.is_some_and(|partner| !self.ears.knows(partner));
        if unknown {
            heard.payment_id = None;
            heard.unreadable = Some(format!("no Partner is called {}", partner.unwrap_or_default()));
        }
        let ends = heard.outcome.is_some_and(Outcome::is_final);
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
        self.record.notification(Notification {
            seq: 0,
            payment_id: heard.payment_id,
            outcome: heard.outcome,
            verified: heard.verified,
            headers: pairs(headers),
            body: body.to_vec(),
            partner: heard.partner,
            unreadable: heard.unreadable,
            refused: refusal.is_some(),
        });
        answer.into_response()
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
