//! `GET /return/{return_key}`: the customer's way back to the Partner.
//!
//! Arriving here proves nothing (AP-28): the customer may have approved, refused or given up. So
//! this only waits a while for the outcome, which comes by webhook and final call, and then sends
//! the customer on with the payment's id and status, whatever it is by then: `pending`, or
//! `step_up_required` where the customer has not decided. No token, no word of Klarna's.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use url::Url;

use super::Api;
use super::path::Segment;
use super::problem::Problem;
use crate::payments::payment::Payment;

/// Waits, then sends the customer on.
pub async fn back_to_the_shop(State(api): State<Api>, path: Segment) -> Result<Response, Problem> {
    let return_key = path.return_key()?;
    let wait = api.payments.settings.r#return.wait;
    let payment = api.payments.await_outcome(return_key, wait).await?.ok_or_else(Problem::no_such_path)?;
    let location = shop_url(&payment).ok_or_else(Problem::internal)?;
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // The return key stays between customer and acquirer.
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// The Partner's URL with payment id and status behind whatever query it has.
fn shop_url(payment: &Payment) -> Option<HeaderValue> {
    let mut url = Url::parse(&payment.return_url).ok()?;
    url.query_pairs_mut()
        .append_pair("payment_id", &payment.id)
        .append_pair("status", payment.state.status());
    HeaderValue::from_str(url.as_str()).ok()
}
