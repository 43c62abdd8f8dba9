//! `POST /klarna/webhooks`: answered as soon as the event is durable, acted on afterwards.

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode};

use super::problem::Problem;
use super::{Api, body};
use crate::klarna::listener::{self, Received, Refused};
use crate::workers::Lane;

/// 200 for every sound delivery, a repetition and an unknown kind included; 400 for one that is
/// not believed; 500 where it could not be stored, so that Klarna tries again.
pub async fn receive(State(api): State<Api>, headers: HeaderMap, body: Body) -> Result<StatusCode, Problem> {
    let http = &api.payments.settings.http;
    let bytes = body::read(body, http.body_limit_bytes, http.body_read).await?;
    let received = listener::receive(api.payments.store.as_ref(), &headers, &bytes).await;
    let outcome = match &received {
        Ok(Received::New) => "new",
        Ok(Received::Repeated) => "repeated",
        Ok(Received::NotOurs) => "not_ours",
        Err(Refused::Store(_)) => "not_stored",
        Err(_) => "refused",
    };
    metrics::counter!("acquirer_webhooks_received_total", "outcome" => outcome).increment(1);
    match received {
        Ok(Received::New) => {
            api.payments.work.wake(Lane::Payments);
            Ok(StatusCode::OK)
        }
        Ok(Received::Repeated | Received::NotOurs) => Ok(StatusCode::OK),
        Err(Refused::Store(error)) => Err(error.into()),
        Err(refused) => {
            if matches!(refused, Refused::UnknownKey) {
                // Perhaps Klarna has forgotten our key, or signs with another than it was told.
                api.doubt.notify_one();
            }
            tracing::warn!(%refused, "a webhook was refused");
            Err(Problem::webhook_refused(refused.to_string()))
        }
    }
}
