//! A sound request to every route of the Partner API. A new route has to be added here, or the tests
//! that go through the table of routes fail.

use reference_acquirer::http::routes::Route;
use serde_json::{Value, json};

use super::{ALPHA, Acquirer, Reply, Setup, order};

/// What alpha would ask of a route, and Klarna is ready to answer: path and body. A payment that the
/// path needs is there, and alpha's.
pub(crate) async fn sound(setup: &Setup, acquirer: &Acquirer, route: &Route) -> (String, Value) {
    let at_payment = async |reply| {
        setup.klarna.will([reply]);
        let reference = reference_acquirer::chance::new_id("alphas");
        let (_, payment) = acquirer.create(ALPHA, &order(&reference)).await;
        route.path.replace("{payment_id}", payment["payment_id"].as_str().unwrap())
    };
    match (route.method.as_str(), route.path) {
        ("POST", "/v1/payment-methods") => {
            (route.path.to_owned(), json!({"currency": "SEK", "amount": 1, "locale": "sv-SE"}))
        }
        ("POST", "/v1/payments") => {
            setup.klarna.will([Reply::approved()]);
            (route.path.to_owned(), order("tx-1"))
        }
        ("GET", "/v1/payments" | "/v1/payments/{payment_id}" | "/v1/payments/{payment_id}/events") => {
            (at_payment(Reply::approved()).await, Value::Null)
        }
        ("POST", "/v1/payments/{payment_id}/cancel") => (at_payment(Reply::step_up()).await, json!({})),
        ("POST", "/v1/payments/{payment_id}/captures") => {
            setup.klarna.will_operate([Reply::captured()]);
            (at_payment(Reply::approved()).await, json!({"amount": 7}))
        }
        ("POST", "/v1/payments/{payment_id}/refunds") => {
            setup.klarna.will_operate([Reply::refunded()]);
            (at_payment(Reply::approved()).await, json!({"amount": 7}))
        }
        ("POST", "/v1/payments/{payment_id}/void") => {
            setup.klarna.will_operate([Reply::Json(200, json!({}))]);
            (at_payment(Reply::approved()).await, json!({}))
        }
        other => panic!("say here what a sound request to the new route {other:?} is"),
    }
}
