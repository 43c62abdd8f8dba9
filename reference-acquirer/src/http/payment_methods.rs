//! `POST /v1/payment-methods`.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};

use super::Api;
use super::post::{Answer, PartnerPost};
use super::problem::Problem;
use crate::payments::methods::ListPaymentMethods;

/// Lists what a Partner's payment form shows. 200 whatever becomes of Klarna.
pub async fn list(State(api): State<Api>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let post = PartnerPost::read(&api, &headers, body).await?;
    let asked = ListPaymentMethods::read(&post.body).map_err(Problem::wrong_fields)?;
    let listed = api.payments.payment_methods(&post.partner, &asked).await;
    Ok(Answer::new(StatusCode::OK, None, &listed)?.into_response())
}
