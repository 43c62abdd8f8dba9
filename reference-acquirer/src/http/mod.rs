//! The HTTP side: the Partner API, the webhook listener, the customer's way back, health.

pub mod auth;
pub mod body;
pub mod health;
pub mod json;
pub mod once;
pub mod openapi;
pub mod operations;
pub mod path;
pub mod payment_methods;
pub mod payments;
pub mod post;
pub mod problem;
pub mod return_endpoint;
pub mod routes;
pub mod serve;
pub mod webhooks;

use std::sync::Arc;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Notify, watch};
use tower_http::catch_panic::CatchPanicLayer;

use self::auth::Keys;
use self::problem::Problem;
use self::routes::ROUTES;
use crate::klarna::subscribe::Subscription;
use crate::payments::service::PaymentService;
use crate::spans;

/// What the handlers share.
#[derive(Clone)]
pub struct Api {
    /// Payments.
    pub payments: Arc<PaymentService>,
    /// Partners by key.
    pub keys: Arc<Keys>,
    /// Whether Klarna has the webhook.
    pub subscription: watch::Receiver<Subscription>,
    /// Asks for a look at what Klarna has.
    pub doubt: Arc<Notify>,
    /// The metrics to show.
    pub metrics: PrometheusHandle,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("payments", &self.payments).finish_non_exhaustive()
    }
}

/// Path of the webhook listener.
pub const WEBHOOKS_PATH: &str = "/klarna/webhooks";

/// All routes. Whatever goes wrong is answered with a problem, also a path that is none.
pub fn router(api: Api) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.handler()))
        .fallback(async || Problem::no_such_path())
        .method_not_allowed_fallback(async || Problem::wrong_method())
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(axum::middleware::from_fn(spans::of_request))
        .with_state(api)
}
