//! `POST /v1/payment-methods`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::HeaderMap;

use super::problem::Problem;
use super::{Api, body};
use crate::payments::methods::{ListPaymentMethods, PaymentMethods};

/// Lists what a Partner's payment form shows. 200 whatever becomes of Klarna.
pub async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<PaymentMethods>, Problem> {
    let partner = api.keys.partner(&headers)?;
    let http = &api.payments.settings.http;
    let bytes = body::read(body, http.body_limit_bytes, http.body_read).await?;
    let asked = ListPaymentMethods::read(&body::parse(&headers, &bytes)?).map_err(Problem::wrong_fields)?;
    Ok(Json(api.payments.payment_methods(partner, &asked).await))
}
