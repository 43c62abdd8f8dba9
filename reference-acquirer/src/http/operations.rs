//! `POST /v1/payments/{payment_id}/cancel`, `…/captures`, `…/refunds` and `…/void`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode, Uri};

use super::Api;
use super::once::once;
use super::path::Segment;
use super::post::{Answer, PartnerPost};
use super::problem::Problem;
use crate::payments::operating::OperateOutcome;
use crate::payments::operation::{AskedOperation, Kind, Operation, Outcome};
use crate::payments::payment::Payment;
use crate::payments::view::OperationView;

/// Withdraws the payment request of an unfinished step-up.
pub async fn cancel(
    api: State<Api>,
    id: Segment,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    operate(api, Kind::Cancel, &id, &uri, headers, body).await
}

/// Takes money of an approved payment.
pub async fn capture(
    api: State<Api>,
    id: Segment,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    operate(api, Kind::Capture, &id, &uri, headers, body).await
}

/// Gives captured money back.
pub async fn refund(
    api: State<Api>,
    id: Segment,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    operate(api, Kind::Refund, &id, &uri, headers, body).await
}

/// Gives up what is left of an approved payment's authorization.
pub async fn void(
    api: State<Api>,
    id: Segment,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    operate(api, Kind::Void, &id, &uri, headers, body).await
}

/// 201 with Klarna's answer, or 202 while there is none; 200 when the same was asked before.
async fn operate(
    State(api): State<Api>,
    kind: Kind,
    id: &Segment,
    uri: &Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let post = match kind {
        Kind::Cancel | Kind::Void => PartnerPost::read_or_nothing(&api, uri, &headers, body).await?,
        Kind::Capture | Kind::Refund => PartnerPost::read(&api, uri, &headers, body).await?,
    };
    let payment =
        api.payments.payment(&post.partner, id.name()?).await?.ok_or_else(Problem::no_such_payment)?;
    let asked = AskedOperation::read(kind, &post.body).map_err(Problem::wrong_fields)?;
    if let Some(wrong) = asked.wrong_for(&payment) {
        return Err(Problem::wrong_fields(vec![wrong]));
    }
    let payments = Arc::clone(&api.payments);
    once(&api, post, move |name| async move {
        match payments.operate(&payment, &asked, name).await? {
            OperateOutcome::Made(operation) if operation.outcome == Outcome::Pending => {
                made(StatusCode::ACCEPTED, &operation, &payment)
            }
            OperateOutcome::Made(operation) => made(StatusCode::CREATED, &operation, &payment),
            OperateOutcome::Repeated(operation) => made(StatusCode::OK, &operation, &payment),
            OperateOutcome::ReferenceTaken(reference) => Err(Problem::reference_taken(&reference)),
            OperateOutcome::WrongState => Err(Problem::wrong_state(kind, &payment)),
            OperateOutcome::TooMany => Err(Problem::too_many_operations(kind)),
        }
    })
    .await
}

/// The payment shows what was done with it, so that is where an operation is read.
fn made(status: StatusCode, operation: &Operation, payment: &Payment) -> Result<Answer, Problem> {
    let location = format!("/v1/payments/{}", payment.id);
    Answer::new(status, Some(location), &OperationView::new(operation, payment))
}
