//! The Customer's browser, which finds its way where names are only known to others.
//!
//! Acquirers in containers are told public URLs of the simulator and the Partner. The browser is in
//! this process: it knows where these really listen, and goes there.

use reqwest::{Client, Method, RequestBuilder};
use url::Url;

/// Follows no redirect by itself.
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
