//! The Customer's browser over sockets: it goes where answers and pages lead by themselves.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{AppendHeaders, Html, IntoResponse as _, Response};
use klarna_conformance::browser::{Browser, Cookies, Hop, Trail};
use tokio::net::TcpListener;
use url::Url;

/// More hops than any of the ways here has.
const ENOUGH: usize = 12;

/// What a request was: method, target, content type, body, cookies.
type Seen = [String; 5];

fn page(method: &Method, uri: &Uri) -> Response {
    let html = |text: &str| Html(text.to_owned()).into_response();
    let to = |status: u16, location: &str| {
        (StatusCode::from_u16(status).unwrap(), [("location", location.to_owned())]).into_response()
    };
    match uri.path() {
        "/start" => {
            let set =
                [("location", "refresh?secret=1"), ("set-cookie", "s=1; Path=/deep"), ("set-cookie", "t=2")];
            (StatusCode::FOUND, AppendHeaders(set)).into_response()
        }
        "/refresh" => html(
            "<!-- <meta http-equiv=refresh content='0;url=/lost'> --><base href='/deep/'>\
                            <meta http-equiv=refresh content='0; url=form?a=1&amp;b=2'>",
        ),
        "/deep/form" => html(
            "<body onload='document.forms[0].submit()'><form method=post action=/kept>\
                              <input type=hidden name=token value='a+b &amp; c'></form>",
        ),
        "/kept" if method == Method::POST => to(307, "/dropped"),
        "/dropped" if method == Method::POST => to(303, "/script"),
        "/script" => html("<script>/* location = '/lost' */ window.location.href = \"/header\";</script>"),
        "/header" => (StatusCode::OK, [("refresh", "0; url=/end")], "moved").into_response(),
        "/text" => (StatusCode::OK, [("content-type", "text/plain")], "<script>location='/lost'</script>")
            .into_response(),
        "/long" => html(&format!("{}<script>location='/lost'</script>", " ".repeat(1024 * 1024))),
        "/round" => to(302, "/round"),
        "/end" => html("<p>the end</p>"),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn site() -> (Url, Arc<Mutex<Vec<Seen>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let answer =
        async move |method: Method, OriginalUri(uri): OriginalUri, headers: HeaderMap, body: Bytes| {
            let header = |name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let target = uri.path_and_query().unwrap().to_string();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let seen = [method.to_string(), target, header("content-type"), body, header("cookie")];
            noted.lock().unwrap().push(seen);
            page(&method, &uri)
        };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, seen)
}

fn browser() -> Browser {
    klarna_simulator::install_crypto_provider();
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    Browser::new(http.build().unwrap(), Vec::new())
}

/// The whole way from a path on.
async fn follow(from: &str) -> (Trail, Vec<Seen>) {
    let (url, seen) = site().await;
    let (browser, mut trail, cookies) = (browser(), Trail::default(), Cookies::default());
    let mut next = Some(Hop::to(url.join(from).unwrap()));
    while let Some(hop) = next.take().filter(|_| trail.len() < ENOUGH) {
        trail.note(&hop);
        next = browser.go(&hop, "text/html", &cookies).await.unwrap().next;
    }
    let seen = seen.lock().unwrap().clone();
    (trail, seen)
}

#[tokio::test]
async fn it_follows_redirects_refreshes_forms_and_scripts() {
    let (trail, seen) = follow("/start").await;
    let shown = trail.to_string();
    let origin = shown.split("/start").next().unwrap();
    assert_eq!(
        shown.replace(origin, ""),
        "/start → (302) /refresh → (refresh) /deep/form → (form, POST) /kept → (307) /dropped → (303) /script \
         → (script) /header → (refresh) /end"
    );
    let get = |target: &str, cookies: &str| ["GET", target, "", "", cookies].map(str::to_owned);
    let post = |target: &str| {
        ["POST", target, "application/x-www-form-urlencoded", "token=a%2Bb+%26+c", "t=2"].map(str::to_owned)
    };
    let expected = [
        get("/start", ""),
        get("/refresh?secret=1", "t=2"),
        get("/deep/form?a=1&b=2", "s=1; t=2"),
        post("/kept"),
        post("/dropped"),
        get("/script", "t=2"),
        get("/header", "t=2"),
        get("/end", "t=2"),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_is_no_page_or_lies_too_far_behind_leads_nowhere() {
    for from in ["/text", "/long", "/nowhere", "/end"] {
        let (trail, _) = follow(from).await;
        assert_eq!(trail.len(), 1, "{trail}");
    }
    let (trail, seen) = follow("/round").await;
    assert_eq!((trail.len(), seen.len()), (ENOUGH, ENOUGH), "whoever follows says how far");
}
