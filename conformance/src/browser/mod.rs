//! The Customer's browser: it goes where a page leads by itself, and finds its way where names are only
//! known to others.
//!
//! Acquirers in containers are told public URLs of the simulator and the Partner. The browser is in
//! this process: it knows where these really listen, and goes there.

mod cookies;
mod form;
mod hop;
mod page;
mod refresh;
mod script;
mod way;

use klarna_schemas::simulator::control::{CustomerAct, CustomerActed};
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::json;
use url::Url;

pub use cookies::Cookies;
pub use hop::{Hop, Trail, without_query};
use refresh::Refresh;
pub use way::{Followed, HOPS_MAX, Step, follow};

/// Bytes of a page that are read; what comes behind them leads nowhere.
const PAGE_MAX: usize = 1024 * 1024;

/// What a request came to.
#[derive(Debug)]
pub struct Visit {
    /// The answer's status.
    pub status: StatusCode,
    /// Where the answer leads the browser by itself.
    pub next: Option<Hop>,
}

/// Follows a redirect, or what a page says, only when told to.
#[derive(Debug, Clone)]
pub struct Browser {
    http: Client,
    doors: Vec<Door>,
}

/// A party that listens elsewhere than others are told.
#[derive(Debug, Clone)]
pub struct Door {
    /// What others are told: scheme, host and port.
    pub public: Url,
    /// Where it listens.
    pub listens: Url,
}

impl Browser {
    /// A browser that knows these doors.
    pub fn new(http: Client, doors: Vec<Door>) -> Self {
        Self { http, doors }
    }

    /// Opens a URL.
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.http.get(self.through_a_door(url))
    }

    /// Sends a form, or what stands for one.
    pub fn post(&self, url: Url) -> RequestBuilder {
        self.http.post(self.through_a_door(url))
    }

    /// Makes any other call.
    pub fn call(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, self.through_a_door(url))
    }

    /// Makes one request of a way, once the page before has been seen for as long as it wants. The answer
    /// is read to its end, as a browser does.
    ///
    /// # Errors
    /// When nobody answers, or the answer breaks off.
    pub async fn go(&self, hop: &Hop, accept: &str, cookies: &Cookies) -> Result<Visit, reqwest::Error> {
        if !hop.after().is_zero() {
            pause(hop.after()).await;
        }
        let request = match hop.form() {
            None => self.get(hop.url().clone()),
            Some(form) => self
                .post(hop.url().clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.to_owned()),
        };
        let cookie = cookies.for_request(hop.url());
        let request = cookie.into_iter().fold(request, |request, cookie| request.header(COOKIE, cookie));
        let answer = request.header(ACCEPT, accept).send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        for set in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            cookies.take(hop.url(), set);
        }
        let page = read(answer).await?;
        let redirected = || hop.redirected(status, text(&headers, LOCATION.as_str())?);
        let next = redirected().or_else(|| refreshed(hop, &headers)).or_else(|| {
            is_html(&headers).then(|| page::leads_on(&String::from_utf8_lossy(&page), hop.url())).flatten()
        });
        Ok(Visit { status, next })
    }

    /// Does what the Customer does on the page of the Purchase Journey.
    ///
    /// # Errors
    /// Why it could not be done, in words.
    pub async fn act(&self, journey: &Url, act: CustomerAct) -> Result<CustomerActed, String> {
        let request = self.post(journey.clone()).header(ACCEPT, "application/json");
        let sent = request.json(&json!({"act": act.as_str()})).send().await;
        let answer = sent.map_err(|error| error.without_url().to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.without_url().to_string())?;
        if !status.is_success() {
            return Err(format!("{status}: {text}"));
        }
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    fn through_a_door(&self, url: Url) -> Url {
        let Some(door) = self.doors.iter().find(|door| door.public.origin() == url.origin()) else {
            return url;
        };
        let mut there = door.listens.clone();
        there.set_path(url.path());
        there.set_query(url.query());
        there
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a page may want to be seen for some seconds before it moves on"
)]
async fn pause(length: std::time::Duration) {
    tokio::time::sleep(length).await;
}

async fn read(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut page = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = PAGE_MAX.saturating_sub(page.len());
        page.extend(chunk.iter().take(room));
        if room == 0 {
            break;
        }
    }
    Ok(page)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The header `Refresh`, which says what a page's head can say, too.
fn refreshed(hop: &Hop, headers: &HeaderMap) -> Option<Hop> {
    Refresh::read(text(headers, "refresh")?)?.leads_on(hop.url(), hop.url())
}

/// A page that does not say what it is, is taken for HTML.
fn is_html(headers: &HeaderMap) -> bool {
    text(headers, CONTENT_TYPE.as_str()).is_none_or(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        ["text/html", "application/xhtml+xml"].iter().any(|html| kind.eq_ignore_ascii_case(html))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origin_changes_on_the_way_through_a_door() {
        klarna_simulator::install_crypto_provider();
        let url = |text: &str| Url::parse(text).unwrap();
        let door = Door { public: url("http://klarna:8080"), listens: url("http://127.0.0.1:41234/") };
        let browser = Browser::new(Client::new(), vec![door]);
        let there = browser.through_a_door(url("http://klarna:8080/journey/x%2Fy?a=b&c"));
        assert_eq!(there.as_str(), "http://127.0.0.1:41234/journey/x%2Fy?a=b&c");
        for elsewhere in ["http://klarna:8081/x", "https://klarna:8080/x", "http://127.0.0.1:8080/x"] {
            assert_eq!(browser.through_a_door(url(elsewhere)).as_str(), elsewhere);
        }
    }
}
