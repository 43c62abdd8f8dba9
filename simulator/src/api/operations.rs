//! Every operation of Klarna's API that is served: the one table that routes, journal names, faults
//! and documents are made from.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use super::queries::{self, Query};
use super::{
    authorize, client_certificates, interoperability, notification, payment_requests, presentation, simulate,
    transactions,
};
use crate::config::CallCategory;
use crate::world::World;

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The journal's name of it, which faults name, too.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    /// Its paths: for an account that is named, and for the caller's own where that exists.
    pub(crate) paths: &'static [&'static str],
    /// What it does, in a line.
    pub(crate) summary: &'static str,
    /// Schema of its body, if it takes one.
    pub(crate) request: Option<&'static str>,
    /// Which calls it is counted with.
    pub(crate) category: CallCategory,
    /// Status of success, and the schema of what then comes, if anything does.
    pub(crate) answer: (u16, Option<&'static str>),
    serve: fn() -> MethodRouter<Arc<World>>,
}

impl Operation {
    /// Whether it is about a Partner account: then it meets the faults of that sandbox, else those of the
    /// account that its key opens.
    pub(crate) fn is_of_a_partner(&self) -> bool {
        self.paths.iter().any(|path| path.contains("{account}"))
    }

    /// What may be asked in its query.
    pub(crate) fn queries(&self) -> &'static [Query] {
        queries::of(self.id)
    }

    /// Whether a repeat of it may be told by an idempotency key.
    pub(crate) fn takes_key(&self) -> bool {
        [Method::POST, Method::PATCH, Method::PUT].contains(&self.method)
    }

    /// Whether it is served without a valid client certificate whatever is enforced: or an account that
    /// has lost its certificate could never get another.
    pub(crate) fn is_about_certificates(&self) -> bool {
        self.category == CallCategory::PartnerManagement
    }

    /// The statuses of its refusals. They follow from what it is, so no entry has to list them.
    pub(crate) fn refusals(&self) -> Vec<u16> {
        let changes = self.method != Method::GET;
        // In a Partner account, not in the acquirer's own.
        let of_partner = self.is_of_a_partner();
        let names_something = self.paths.iter().any(|path| path.contains('{')) || self.request.is_some();
        let can_be = [
            // A body, a header or a query that does not validate; or a policy that says so.
            (400, !self.queries().is_empty() || self.takes_key() || (changes && of_partner)),
            (401, true),
            // An account of another acquirer, a state that forbids it, no room for more.
            (403, of_partner || self.takes_key()),
            (404, names_something),
            (409, self.takes_key() || (changes && of_partner)),
            (413, true),
            // These come when the tester asks for them; 500 would be a fault of the simulator, too.
            (429, true),
            (500, true),
            (503, true),
        ];
        can_be.into_iter().filter_map(|(status, can)| can.then_some(status)).collect()
    }
}

/// All of them.
pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        id: "authorize",
        method: Method::POST,
        paths: &["/v2/accounts/{account}/payment/authorize", "/v2/payment/authorize"],
        summary: "Authorize a payment, initially or finally",
        request: Some("klarna/authorize-request"),
        category: CallCategory::PaymentAuthorize,
        answer: (200, Some("klarna/authorize-response")),
        serve: || post(authorize::authorize),
    },
    Operation {
        id: "payment_request.create",
        method: Method::POST,
        paths: &["/v2/accounts/{account}/payment/requests", "/v2/payment/requests"],
        summary: "Make a Payment Request without an authorize",
        request: Some("klarna/create-payment-request"),
        category: CallCategory::PaymentRequestManagement,
        answer: (201, Some("klarna/payment-request")),
        serve: || post(payment_requests::create),
    },
    Operation {
        id: "payment_request.update",
        method: Method::PATCH,
        paths: &["/v2/accounts/{account}/payment/requests/{id}", "/v2/payment/requests/{id}"],
        summary: "Change a Payment Request while it is SUBMITTED",
        request: Some("klarna/update-payment-request"),
        category: CallCategory::PaymentRequestManagement,
        answer: (200, Some("klarna/payment-request")),
        serve: || patch(payment_requests::update),
    },
    Operation {
        id: "payment_request.replace",
        method: Method::PUT,
        paths: &["/v2/accounts/{account}/payment/requests/{id}", "/v2/payment/requests/{id}"],
        summary: "The same as PATCH: what is left out stays as it is",
        request: Some("klarna/update-payment-request"),
        category: CallCategory::PaymentRequestManagement,
        answer: (200, Some("klarna/payment-request")),
        serve: || put(payment_requests::update),
    },
    Operation {
        id: "payment_request.read",
        method: Method::GET,
        paths: &["/v2/accounts/{account}/payment/requests/{id}", "/v2/payment/requests/{id}"],
        summary: "Read a Payment Request",
        request: None,
        category: CallCategory::PaymentRequestManagement,
        answer: (200, Some("klarna/payment-request")),
        serve: || get(payment_requests::read),
    },
    Operation {
        id: "payment_request.cancel",
        method: Method::DELETE,
        paths: &["/v2/accounts/{account}/payment/requests/{id}", "/v2/payment/requests/{id}"],
        summary: "Cancel a Payment Request",
        request: None,
        category: CallCategory::PaymentRequestManagement,
        answer: (200, Some("klarna/payment-request")),
        serve: || delete(payment_requests::cancel),
    },
    Operation {
        id: "payment_token.cancel",
        method: Method::DELETE,
        paths: &["/v2/accounts/{account}/payment/tokens/{id}", "/v2/payment/tokens/{id}"],
        summary: "Give up a payment token that was not used",
        request: None,
        category: CallCategory::PaymentRequestManagement,
        answer: (204, None),
        serve: || delete(payment_requests::cancel_token),
    },
    Operation {
        id: "payment_transaction.read",
        method: Method::GET,
        paths: &["/v2/accounts/{account}/payment/transactions/{id}", "/v2/payment/transactions/{id}"],
        summary: "Read a Payment Transaction",
        request: None,
        category: CallCategory::PaymentTransactionManagement,
        answer: (200, Some("klarna/payment-transaction")),
        serve: || get(transactions::read),
    },
    Operation {
        id: "payment_transaction.update",
        method: Method::PATCH,
        paths: &["/v2/accounts/{account}/payment/transactions/{id}", "/v2/payment/transactions/{id}"],
        summary: "Change what is known of a Payment Transaction while it is AUTHORIZED",
        request: Some("klarna/update-transaction"),
        category: CallCategory::PaymentTransactionManagement,
        answer: (200, Some("klarna/payment-transaction")),
        serve: || patch(transactions::update),
    },
    Operation {
        id: "payment_transaction.reauthorize",
        method: Method::POST,
        paths: &[
            "/v2/accounts/{account}/payment/transactions/{id}/authorize",
            "/v2/payment/transactions/{id}/authorize",
        ],
        summary: "Renew or prolong an authorization, or change its amount",
        request: Some("klarna/reauthorize-transaction"),
        category: CallCategory::PaymentTransactionManagement,
        answer: (200, Some("klarna/payment-transaction")),
        serve: || post(transactions::reauthorize),
    },
    Operation {
        id: "payment_transaction.capture",
        method: Method::POST,
        paths: &[
            "/v2/accounts/{account}/payment/transactions/{id}/capture",
            "/v2/payment/transactions/{id}/capture",
        ],
        summary: "Capture what is authorized, or a part of it",
        request: Some("klarna/capture-transaction"),
        category: CallCategory::PaymentTransactionCapture,
        answer: (201, Some("klarna/payment-capture")),
        serve: || post(transactions::capture),
    },
    Operation {
        id: "payment_transaction.refund",
        method: Method::POST,
        paths: &[
            "/v2/accounts/{account}/payment/transactions/{id}/refund",
            "/v2/payment/transactions/{id}/refund",
        ],
        summary: "Refund what was captured, over all captures",
        request: Some("klarna/refund-payment"),
        category: CallCategory::PaymentTransactionManagement,
        answer: (201, Some("klarna/payment-refund")),
        serve: || post(transactions::refund),
    },
    Operation {
        id: "payment_transaction.void",
        method: Method::POST,
        paths: &[
            "/v2/accounts/{account}/payment/transactions/{id}/void",
            "/v2/payment/transactions/{id}/void",
        ],
        summary: "Give up what is left of an authorization",
        request: None,
        category: CallCategory::PaymentTransactionManagement,
        answer: (200, Some("klarna/payment-transaction")),
        serve: || post(transactions::void),
    },
    Operation {
        id: "payment_capture.read",
        method: Method::GET,
        paths: &["/v2/accounts/{account}/payment/captures/{id}", "/v2/payment/captures/{id}"],
        summary: "Read a capture",
        request: None,
        category: CallCategory::PaymentTransactionManagement,
        answer: (200, Some("klarna/payment-capture")),
        serve: || get(transactions::read_capture),
    },
    Operation {
        id: "payment_capture.refund",
        method: Method::POST,
        paths: &["/v2/accounts/{account}/payment/captures/{id}/refund", "/v2/payment/captures/{id}/refund"],
        summary: "Refund a capture",
        request: Some("klarna/refund-payment"),
        category: CallCategory::PaymentTransactionManagement,
        answer: (201, Some("klarna/payment-refund")),
        serve: || post(transactions::refund_capture),
    },
    Operation {
        id: "payment_refund.read",
        method: Method::GET,
        paths: &["/v2/accounts/{account}/payment/refunds/{id}", "/v2/payment/refunds/{id}"],
        summary: "Read a refund",
        request: None,
        category: CallCategory::PaymentTransactionManagement,
        answer: (200, Some("klarna/payment-refund")),
        serve: || get(transactions::read_refund),
    },
    Operation {
        id: "payment_chargeback.read",
        method: Method::GET,
        paths: &["/v2/accounts/{account}/payment/chargebacks/{id}", "/v2/payment/chargebacks/{id}"],
        summary: "Read a chargeback",
        request: None,
        category: CallCategory::PaymentTransactionManagement,
        answer: (200, Some("klarna/payment-chargeback")),
        serve: || get(transactions::read_chargeback),
    },
    Operation {
        id: "presentation.read",
        method: Method::GET,
        paths: &["/v2/accounts/{account}/payment/presentation", "/v2/payment/presentation"],
        summary: "Read how Klarna is to be shown in a payment form",
        request: None,
        category: CallCategory::PaymentPresentation,
        answer: (200, Some("klarna/presentation")),
        serve: || get(presentation::read),
    },
    Operation {
        id: "sdk_token.create",
        method: Method::POST,
        paths: &["/v2/accounts/{account}/interoperability/sdk-tokens", "/v2/interoperability/sdk-tokens"],
        summary: "Make a token for the Web SDK",
        request: None,
        category: CallCategory::Interoperability,
        answer: (201, Some("klarna/sdk-token")),
        serve: || post(interoperability::create_sdk_token),
    },
    Operation {
        id: "interoperability_token.create",
        method: Method::POST,
        paths: &["/v2/accounts/{account}/interoperability/tokens", "/v2/interoperability/tokens"],
        summary: "Make a session token before the first authorize",
        request: None,
        category: CallCategory::Interoperability,
        answer: (201, Some("klarna/interoperability-token")),
        serve: || post(interoperability::create_token),
    },
    Operation {
        id: "test_token.create",
        method: Method::POST,
        paths: &["/v2/accounts/{account}/interoperability/test-tokens", "/v2/interoperability/test-tokens"],
        summary: "Make a session token of a customer who has done something; in test only",
        request: Some("klarna/create-test-token"),
        category: CallCategory::Interoperability,
        answer: (201, Some("klarna/interoperability-token")),
        serve: || post(interoperability::create_test_token),
    },
    Operation {
        id: "signing_key.create",
        method: Method::POST,
        paths: &["/v2/notification/signing-keys"],
        summary: "Make a signing key; its secret is shown once",
        request: None,
        category: CallCategory::Notification,
        answer: (201, Some("klarna/signing-key")),
        serve: || post(notification::create_signing_key),
    },
    Operation {
        id: "signing_key.list",
        method: Method::GET,
        paths: &["/v2/notification/signing-keys"],
        summary: "List the signing keys, without their secrets",
        request: None,
        category: CallCategory::Notification,
        answer: (200, Some("klarna/signing-keys")),
        serve: || get(notification::list_signing_keys),
    },
    Operation {
        id: "signing_key.read",
        method: Method::GET,
        paths: &["/v2/notification/signing-keys/{id}"],
        summary: "Read a signing key, without its secret",
        request: None,
        category: CallCategory::Notification,
        answer: (200, Some("klarna/signing-key")),
        serve: || get(notification::read_signing_key),
    },
    Operation {
        id: "signing_key.delete",
        method: Method::DELETE,
        paths: &["/v2/notification/signing-keys/{id}"],
        summary: "Delete a signing key",
        request: None,
        category: CallCategory::Notification,
        answer: (204, None),
        serve: || delete(notification::delete_signing_key),
    },
    Operation {
        id: "webhook.create",
        method: Method::POST,
        paths: &["/v2/notification/webhooks"],
        summary: "Subscribe to events",
        request: Some("klarna/create-webhook"),
        category: CallCategory::Notification,
        answer: (201, Some("klarna/webhook")),
        serve: || post(notification::create_webhook),
    },
    Operation {
        id: "webhook.list",
        method: Method::GET,
        paths: &["/v2/notification/webhooks"],
        summary: "List the webhooks",
        request: None,
        category: CallCategory::Notification,
        answer: (200, Some("klarna/webhooks")),
        serve: || get(notification::list_webhooks),
    },
    Operation {
        id: "webhook.read",
        method: Method::GET,
        paths: &["/v2/notification/webhooks/{id}"],
        summary: "Read a webhook",
        request: None,
        category: CallCategory::Notification,
        answer: (200, Some("klarna/webhook")),
        serve: || get(notification::read_webhook),
    },
    Operation {
        id: "webhook.update",
        method: Method::PATCH,
        paths: &["/v2/notification/webhooks/{id}"],
        summary: "Change a webhook; what is left out stays as it is",
        request: Some("klarna/update-webhook"),
        category: CallCategory::Notification,
        answer: (200, Some("klarna/webhook")),
        serve: || patch(notification::update_webhook),
    },
    Operation {
        id: "webhook.simulate",
        method: Method::POST,
        paths: &["/v2/notification/webhooks/{id}/simulate"],
        summary: "Send a sample event to a webhook, to try it out",
        request: Some("klarna/simulate-webhook"),
        category: CallCategory::Notification,
        answer: (202, Some("klarna/webhook-simulated")),
        serve: || post(simulate::simulate_webhook),
    },
    Operation {
        id: "webhook.delete",
        method: Method::DELETE,
        paths: &["/v2/notification/webhooks/{id}"],
        summary: "Delete a webhook",
        request: None,
        category: CallCategory::Notification,
        answer: (204, None),
        serve: || delete(notification::delete_webhook),
    },
    Operation {
        id: "client_certificate.create",
        method: Method::POST,
        paths: &["/v2/account/integration/credentials/client-certificate"],
        summary: "Get a client certificate for a signing request",
        request: Some("klarna/create-client-certificate"),
        category: CallCategory::PartnerManagement,
        answer: (201, Some("klarna/client-certificate")),
        serve: || post(client_certificates::create),
    },
    Operation {
        id: "client_certificate.enforce",
        method: Method::PUT,
        paths: &["/v2/account/integration/client-certificates/enforcement"],
        summary: "Have calls without a valid client certificate refused from some time on",
        request: Some("klarna/enforce-client-certificates"),
        category: CallCategory::PartnerManagement,
        answer: (204, None),
        serve: || put(client_certificates::enforce),
    },
    Operation {
        id: "client_certificate.report",
        method: Method::DELETE,
        paths: &["/v2/account/integration/client-certificates/enforcement"],
        summary: "Have calls served without a client certificate again",
        request: None,
        category: CallCategory::PartnerManagement,
        answer: (204, None),
        serve: || delete(client_certificates::report),
    },
];

/// The routes of all operations.
pub(super) fn routes() -> Router<Arc<World>> {
    OPERATIONS
        .iter()
        .flat_map(|operation| operation.paths.iter().map(move |path| (*path, operation)))
        .fold(Router::new(), |router, (path, operation)| router.route(path, (operation.serve)()))
}

/// The operation that a route serves with a method.
pub(super) fn served_at(method: &Method, path: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.method == *method && operation.paths.contains(&path))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use klarna_schemas::catalogue;
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_operation_has_a_name_and_a_place_of_its_own_and_schemas_that_exist() {
        let mut names = HashSet::new();
        let mut places = HashSet::new();
        for operation in OPERATIONS {
            assert!(names.insert(operation.id), "{} stands twice", operation.id);
            for path in operation.paths {
                assert!(places.insert((operation.method.clone(), *path)), "{path} stands twice");
            }
            for schema in operation.request.iter().chain(&operation.answer.1) {
                assert!(catalogue::check(schema, &Value::Null).is_ok(), "no schema {schema}");
            }
        }
    }
}
