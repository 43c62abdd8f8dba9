//! Every route, once: the router, the OpenAPI document and the tests are made of this table.

use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;

use super::{
    Api, WEBHOOKS_PATH, health, openapi, operations, payment_methods, payments, return_endpoint, webhooks,
};

/// Who calls a route, and thereby what a call must prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A Partner, with its API key.
    Partner,
    /// Klarna, with a signature.
    Klarna,
    /// A customer's browser, with an unguessable path.
    Customer,
    /// Whoever runs the acquirer.
    Operator,
    /// Anybody: there is nothing to protect.
    Anybody,
}

/// One method of one path.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path; `{…}` stands for a name.
    pub path: &'static str,
    /// Who calls it.
    pub caller: Caller,
    /// What it is for.
    pub summary: &'static str,
    /// Schema of the body it takes.
    pub request: Option<&'static str>,
    /// The good answers: status, and schema of the body where it is JSON of ours.
    pub answers: &'static [(u16, Option<&'static str>)],
    /// The parameters of its query: name, and schema as JSON text.
    pub query: &'static [(&'static str, &'static str)],
    handler: fn(MethodFilter) -> MethodRouter<Api>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Route {
    /// The handler, for this method alone.
    pub(super) fn handler(&self) -> MethodRouter<Api> {
        // Of methods the table has those that axum knows.
        (self.handler)(MethodFilter::try_from(self.method.clone()).unwrap_or(MethodFilter::GET))
    }
}

const OPERATION: &[(u16, Option<&str>)] = &[
    (200, Some("acquirer/operation")),
    (201, Some("acquirer/operation")),
    (202, Some("acquirer/operation")),
];

/// The table.
pub static ROUTES: &[Route] = &[
    Route {
        method: Method::POST,
        path: "/v1/payment-methods",
        caller: Caller::Partner,
        summary: "List what a payment form shows",
        request: Some("acquirer/list-payment-methods"),
        answers: &[(200, Some("acquirer/payment-methods"))],
        query: &[],
        handler: |method| on(method, payment_methods::list),
    },
    Route {
        method: Method::POST,
        path: "/v1/payments",
        caller: Caller::Partner,
        summary: "Create a payment",
        request: Some("acquirer/create-payment"),
        answers: &[
            (200, Some("acquirer/payment")),
            (201, Some("acquirer/payment")),
            (202, Some("acquirer/payment")),
        ],
        query: &[],
        handler: |method| on(method, payments::create),
    },
    Route {
        method: Method::GET,
        path: "/v1/payments",
        caller: Caller::Partner,
        summary: "List payments, newest first",
        request: None,
        answers: &[(200, Some("acquirer/payment-list"))],
        query: &[
            (
                "status",
                r#"{"enum": ["approved", "declined", "step_up_required", "pending", "canceled", "expired", "failed"]}"#,
            ),
            ("reference", r#"{"type": "string", "minLength": 1, "maxLength": 255}"#),
            ("created_from", r#"{"type": "string", "format": "date-time", "description": "Then or later."}"#),
            ("created_to", r#"{"type": "string", "format": "date-time", "description": "Before then."}"#),
            ("limit", r#"{"type": "integer", "minimum": 1, "maximum": 100, "default": 20}"#),
            ("cursor", r#"{"type": "string", "description": "next_cursor of the page before."}"#),
        ],
        handler: |method| on(method, payments::list),
    },
    Route {
        method: Method::GET,
        path: "/v1/payments/{payment_id}",
        caller: Caller::Partner,
        summary: "Read a payment and what was done with it",
        request: None,
        answers: &[(200, Some("acquirer/payment"))],
        query: &[],
        handler: |method| on(method, payments::read),
    },
    Route {
        method: Method::GET,
        path: "/v1/payments/{payment_id}/events",
        caller: Caller::Partner,
        summary: "Read what happened to a payment",
        request: None,
        answers: &[(200, Some("acquirer/payment-events"))],
        query: &[],
        handler: |method| on(method, payments::events),
    },
    Route {
        method: Method::POST,
        path: "/v1/payments/{payment_id}/cancel",
        caller: Caller::Partner,
        summary: "Cancel an unfinished step-up",
        request: Some("acquirer/no-fields"),
        answers: OPERATION,
        query: &[],
        handler: |method| on(method, operations::cancel),
    },
    Route {
        method: Method::POST,
        path: "/v1/payments/{payment_id}/captures",
        caller: Caller::Partner,
        summary: "Capture money of an approved payment",
        request: Some("acquirer/move-money"),
        answers: OPERATION,
        query: &[],
        handler: |method| on(method, operations::capture),
    },
    Route {
        method: Method::POST,
        path: "/v1/payments/{payment_id}/refunds",
        caller: Caller::Partner,
        summary: "Refund captured money",
        request: Some("acquirer/move-money"),
        answers: OPERATION,
        query: &[],
        handler: |method| on(method, operations::refund),
    },
    Route {
        method: Method::POST,
        path: "/v1/payments/{payment_id}/void",
        caller: Caller::Partner,
        summary: "Give up what is left of an authorization",
        request: Some("acquirer/no-fields"),
        answers: OPERATION,
        query: &[],
        handler: |method| on(method, operations::void),
    },
    Route {
        method: Method::GET,
        path: "/return/{return_key}",
        caller: Caller::Customer,
        summary: "Take the customer back to the Partner",
        request: None,
        answers: &[(303, None)],
        query: &[],
        handler: |method| on(method, return_endpoint::back_to_the_shop),
    },
    Route {
        method: Method::POST,
        path: WEBHOOKS_PATH,
        caller: Caller::Klarna,
        summary: "Receive an event",
        request: None,
        answers: &[(200, None)],
        query: &[],
        handler: |method| on(method, webhooks::receive),
    },
    Route {
        method: Method::GET,
        path: "/openapi.json",
        caller: Caller::Anybody,
        summary: "Describe this API",
        request: None,
        answers: &[(200, None)],
        query: &[],
        handler: |method| on(method, openapi::serve),
    },
    Route {
        method: Method::GET,
        path: "/healthz",
        caller: Caller::Operator,
        summary: "Say whether it works",
        request: None,
        answers: &[(200, None)],
        query: &[],
        handler: |method| on(method, health::health),
    },
    Route {
        method: Method::GET,
        path: "/readyz",
        caller: Caller::Operator,
        summary: "Say whether it takes new work",
        query: &[],
        request: None,
        answers: &[(204, None)],
        handler: |method| on(method, health::ready),
    },
    Route {
        method: Method::GET,
        path: "/metrics",
        caller: Caller::Operator,
        summary: "Show the metrics",
        request: None,
        answers: &[(200, None)],
        query: &[],
        handler: |method| on(method, health::metrics),
    },
];
