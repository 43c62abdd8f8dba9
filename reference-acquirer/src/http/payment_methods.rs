//! `POST /v1/payment-methods`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use http::HeaderMap;

use super::problem::Problem;
use super::{Api, body};
use crate::payments::methods::{ListMethods, PaymentMethods};

/// What the Partner's payment form lists. 200 whatever Klarna does.
pub async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<PaymentMethods>, Problem> {
    let partner = api.keys.partner(&headers)?;
    let http = &api.payments.settings.http;
    let bytes = body::read(body, http.body_limit_bytes, http.body_read).await?;
    let wanted = ListMethods::read(&body::parse(&headers, &bytes)?).map_err(Problem::wrong_fields)?;
    Ok(Json(api.payments.list_methods(partner, &wanted).await))
}
