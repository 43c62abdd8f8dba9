//! No Partner sees or touches what is another's: over every route that there is.

use http::{Method, StatusCode};
use reference_acquirer::http::routes::{Caller, ROUTES, Route};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{ALPHA, Acquirer, BETA, Exchange, Setup, client, sound};

fn request(acquirer: &Acquirer, route: &Route, path: &str, body: &Value) -> RequestBuilder {
    let request = client().request(route.method.clone(), format!("{}{path}", acquirer.base_url));
    if route.method == Method::GET {
        return request;
    }
    request.header("content-type", "application/json").body(body.to_string())
}

/// What Klarna heard but for its registration.
fn heard(setup: &Setup) -> usize {
    setup.klarna.heard.matching(|exchange: &Exchange| !exchange.path.contains("/notification/")).len()
}

/// Everything that alpha can read of its payments.
async fn alphas(acquirer: &Acquirer) -> Value {
    let url = format!("{}/v1/payments", acquirer.base_url);
    client().get(url).bearer_auth(ALPHA).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn another_partners_payment_does_not_exist() {
    for route in ROUTES.iter().filter(|route| route.path.contains("{payment_id}")) {
        assert_eq!(route.caller, Caller::Partner, "{route:?}");
        let setup = Setup::new().await;
        let acquirer = setup.start().await;
        let (path, body) = sound(&setup, &acquirer, route).await;
        let (calls, before) = (heard(&setup), alphas(&acquirer).await);
        let id = before["payments"][0]["payment_id"].as_str().unwrap();

        // As if there were none: the very same answer as for an id that nobody has.
        let others = request(&acquirer, route, &path, &body).bearer_auth(BETA).send().await.unwrap();
        let unknown = route.path.replace("{payment_id}", "pay_nobody");
        let nobodys = request(&acquirer, route, &unknown, &body).bearer_auth(BETA).send().await.unwrap();
        assert_eq!(
            (others.status(), nobodys.status()),
            (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND),
            "{route:?}"
        );
        let names = |answer: &reqwest::Response| {
            let mut names: Vec<_> = answer.headers().keys().cloned().collect();
            names.sort_by_key(ToString::to_string);
            names
        };
        assert_eq!(names(&others), names(&nobodys), "{route:?}");
        assert_eq!(others.text().await.unwrap(), nobodys.text().await.unwrap(), "{route:?}");

        assert_eq!((heard(&setup), alphas(&acquirer).await), (calls, before.clone()), "{route:?}");
        // The same request was sound: its owner may.
        let own = request(&acquirer, route, &path, &body).bearer_auth(ALPHA).send().await.unwrap();
        assert!(own.status().is_success() && path.contains(id), "{route:?}");
        acquirer.stop().await;
    }
}

#[tokio::test]
async fn no_answer_tells_of_another_partners_payments() {
    for route in ROUTES.iter().filter(|route| !route.path.contains("{payment_id}")) {
        let setup = Setup::new().await;
        let acquirer = setup.start().await;
        // A payment of alpha's, whatever the route.
        let read =
            ROUTES.iter().find(|it| it.method == Method::GET && it.path == "/v1/payments/{payment_id}");
        let (alphas, _) = sound(&setup, &acquirer, read.unwrap()).await;
        let alphas = alphas.rsplit('/').next().unwrap().to_owned();
        let (path, body) = match route.caller {
            Caller::Partner => sound(&setup, &acquirer, route).await,
            Caller::Customer => (route.path.replace("{return_key}", &alphas), json!({})),
            Caller::Klarna | Caller::Operator | Caller::Anybody => (route.path.to_owned(), json!({})),
        };
        assert!(!path.contains('{'), "say here what is asked of the new route {route:?}");
        let answer = request(&acquirer, route, &path, &body).bearer_auth(BETA).send().await.unwrap();
        let headers = answer.headers().clone();
        let text = format!("{headers:?} {}", answer.text().await.unwrap());
        for of_alpha in [alphas.as_str(), "alphas_", "ALPHA001"] {
            assert!(!text.contains(of_alpha), "{route:?} tells {of_alpha}: {text}");
        }
        acquirer.stop().await;
    }
}

/// Without a key, or with a wrong one, nobody learns even whether the request was sound.
#[tokio::test]
async fn strangers_learn_nothing() {
    let setup = Setup::new().await;
    let acquirer = setup.start().await;
    for route in ROUTES.iter().filter(|route| route.caller == Caller::Partner) {
        let (path, body) = sound(&setup, &acquirer, route).await;
        let calls = heard(&setup);
        for path in [path, route.path.replace("{payment_id}", "pay_nobody")] {
            for body in [&body, &json!("unsound")] {
                let anonymous = request(&acquirer, route, &path, body);
                let wrong = request(&acquirer, route, &path, body).bearer_auth("wrong");
                for request in [anonymous, wrong] {
                    let answer = request.send().await.unwrap();
                    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{route:?}");
                    assert_eq!(answer.headers()["www-authenticate"], "Bearer");
                }
            }
        }
        assert_eq!(heard(&setup), calls, "{route:?}");
    }
    acquirer.stop().await;
}
