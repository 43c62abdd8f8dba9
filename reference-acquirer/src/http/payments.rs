//! `POST /v1/payments` and `GET /v1/payments/{payment_id}`.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

use super::problem::Problem;
use super::{Api, body};
use crate::payments::create::CreatePayment;
use crate::payments::payment::Payment;
use crate::payments::service::CreateOutcome;
use crate::payments::view::PaymentView;

/// Creates a payment. 201 with Klarna's decision, or 202 while there is none; 200 when the same
/// request made the payment before.
pub async fn create(State(api): State<Api>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let partner = api.keys.partner(&headers)?;
    let http = &api.payments.settings.http;
    let bytes = body::read(body, http.body_limit_bytes, http.body_read).await?;
    let order = CreatePayment::read(&body::parse(&headers, &bytes)?).map_err(Problem::wrong_fields)?;

    let fingerprint = hex::encode(Sha256::digest(&bytes));
    match api.payments.create(partner, &order, fingerprint).await? {
        CreateOutcome::Created(payment) if payment.state.status() == "pending" => {
            Ok(answer(StatusCode::ACCEPTED, &payment))
        }
        CreateOutcome::Created(payment) => Ok(answer(StatusCode::CREATED, &payment)),
        CreateOutcome::Repeated(payment) => Ok(answer(StatusCode::OK, &payment)),
        CreateOutcome::ReferenceTaken => Err(Problem::reference_taken(&order.reference)),
    }
}

/// Reads a payment. Another Partner's payment does not exist.
pub async fn read(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let partner = api.keys.partner(&headers)?;
    let Path(id) = path.map_err(|_| Problem::no_such_payment())?;
    let payment = api.payments.payment(partner, &id).await?.ok_or_else(Problem::no_such_payment)?;
    Ok(answer(StatusCode::OK, &payment))
}

fn answer(status: StatusCode, payment: &Payment) -> Response {
    let location = [(LOCATION, format!("/v1/payments/{}", payment.id))];
    (status, location, Json(PaymentView::from(payment))).into_response()
}
