//! `POST /v1/payment-methods`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode, Uri};

use super::Api;
use super::once::once;
use super::post::{Answer, PartnerPost};
use super::problem::Problem;
use crate::payments::methods::ListPaymentMethods;

/// Lists what a Partner's payment form shows. 200 whatever becomes of Klarna.
pub async fn list(
    State(api): State<Api>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let post = PartnerPost::read(&api, &uri, &headers, body).await?;
    let asked = ListPaymentMethods::read(&post.body).map_err(Problem::wrong_fields)?;
    let (payments, partner) = (Arc::clone(&api.payments), post.partner.clone());
    once(&api, post, |_| async move {
        Answer::new(StatusCode::OK, None, &payments.payment_methods(&partner, &asked).await)
    })
    .await
}
