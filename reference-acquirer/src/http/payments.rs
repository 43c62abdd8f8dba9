//! `POST /v1/payments`, `GET /v1/payments`, `GET /v1/payments/{payment_id}/events` and `GET /v1/payments/{payment_id}`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, Uri};

use serde_json::json;

use super::Api;
use super::once::once;
use super::path::Segment;
use super::post::{Answer, PartnerPost};
use super::problem::Problem;
use crate::payments::create::{CreatePayment, WrongField};
use crate::payments::list::ListPayments;
use crate::payments::payment::Payment;
use crate::payments::service::CreateOutcome;
use crate::payments::view::{PageView, PaymentView, PaymentWithOperations};

/// Creates a payment. 201 with Klarna's decision, or 202 while there is none; 200 when the same
/// request made the payment before.
pub async fn create(
    State(api): State<Api>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let post = PartnerPost::read(&api, &uri, &headers, body).await?;
    let order = CreatePayment::read(&post.body).map_err(Problem::wrong_fields)?;
    let (payments, partner, fingerprint) =
        (Arc::clone(&api.payments), post.partner.clone(), post.fingerprint.clone());
    // A payment is found again by its reference, so it needs no name from here.
    once(&api, post, |_| async move {
        match payments.create(&partner, &order, fingerprint).await? {
            CreateOutcome::Created(payment) if payment.state.status() == "pending" => {
                made(StatusCode::ACCEPTED, &payment)
            }
            CreateOutcome::Created(payment) => made(StatusCode::CREATED, &payment),
            CreateOutcome::Repeated(payment) => made(StatusCode::OK, &payment),
            CreateOutcome::NoPaymentAccount => Err(Problem::wrong_fields(vec![WrongField::new(
                "currency",
                "is none that you have a payment account for at Klarna; ask your acquirer for one",
            )])),
            CreateOutcome::ReferenceTaken => Err(Problem::reference_taken(&order.reference)),
        }
    })
    .await
}

/// Reads a payment and what was done with it. Another Partner's payment does not exist.
pub async fn read(State(api): State<Api>, id: Segment, headers: HeaderMap) -> Result<Response, Problem> {
    let partner = api.keys.partner(&headers)?;
    let payment = api.payments.payment(partner, id.name()?).await?.ok_or_else(Problem::no_such_payment)?;
    let operations = api.payments.store.operations(&payment.id).await?;
    Ok(Json(PaymentWithOperations::new(&payment, &operations)).into_response())
}

/// What happened to a payment and to what was done with it, in order.
pub async fn events(State(api): State<Api>, id: Segment, headers: HeaderMap) -> Result<Response, Problem> {
    let partner = api.keys.partner(&headers)?;
    let payment = api.payments.payment(partner, id.name()?).await?.ok_or_else(Problem::no_such_payment)?;
    let events = api.payments.store.history(&payment.id).await?;
    Ok(Json(json!({ "events": events })).into_response())
}

/// Lists the Partner's payments.
pub async fn list(State(api): State<Api>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    let partner = api.keys.partner(&headers)?;
    let asked = ListPayments::read(uri.query().unwrap_or_default()).map_err(Problem::wrong_fields)?;
    let page = api.payments.list(partner, &asked).await?;
    Ok(Json(PageView::from(&page)).into_response())
}

fn made(status: StatusCode, payment: &Payment) -> Result<Answer, Problem> {
    Answer::new(status, Some(format!("/v1/payments/{}", payment.id)), &PaymentView::from(payment))
}
