//! One request that a browser makes by itself, and the way that it has come.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

/// What led there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Somebody opened the URL.
    Hand,
    /// The status of a redirect.
    Redirect(StatusCode),
    /// A page or a header that says so.
    Refresh,
    /// A form that a page submits, by this method.
    Form(&'static str),
    /// A script that names the URL.
    Script,
}

/// A request to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    url: Url,
    form: Option<String>,
    by: By,
    after: Duration,
}

impl Hop {
    /// A URL that is opened by hand.
    pub fn to(url: Url) -> Self {
        Self::new(url, By::Hand)
    }

    pub(super) fn new(url: Url, by: By) -> Self {
        Self { url, form: None, by, after: Duration::ZERO }
    }

    pub(super) fn with_form(url: Url, form: String, by: By) -> Self {
        Self { url, form: Some(form), by, after: Duration::ZERO }
    }

    /// The same a while later.
    pub(super) fn later(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }

    /// Where a redirect of this request leads: 307 and 308 keep a form that was posted, the others drop it.
    pub(super) fn redirected(&self, status: StatusCode, location: &str) -> Option<Self> {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let mut url = self.url.join(location).ok()?;
        if url.fragment().is_none() {
            url.set_fragment(self.url.fragment());
        }
        let keeps = matches!(status.as_u16(), 307 | 308);
        let form = self.form.clone().filter(|_| keeps);
        Some(Self { url, form, by: By::Redirect(status), after: Duration::ZERO })
    }

    /// Where it leads.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The form that is posted there; a GET where absent.
    pub fn form(&self) -> Option<&str> {
        self.form.as_deref()
    }

    /// The request's method.
    pub fn method(&self) -> &'static str {
        if self.form.is_some() { "POST" } else { "GET" }
    }

    /// How long the page before wants to be seen.
    pub(super) fn after(&self) -> Duration {
        self.after
    }
}

/// Where a browser has been, for a person to read: a URL's query can be a secret, and is left out.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    hops: Vec<Hop>,
    end: Option<StatusCode>,
}

impl Trail {
    /// Notes a request.
    pub fn note(&mut self, hop: &Hop) {
        self.hops.push(hop.clone());
    }

    /// Notes the answer that leads nowhere.
    pub fn ends_with(&mut self, status: StatusCode) {
        self.end = Some(status);
    }

    /// How many requests there were.
    pub fn len(&self) -> usize {
        self.hops.len()
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.hops.is_empty()
    }

    /// The last URL, whole.
    pub fn end(&self) -> Option<&Url> {
        self.hops.last().map(Hop::url)
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hop in &self.hops {
            match hop.by {
                By::Hand => {}
                By::Redirect(status) => write!(f, " → ({}) ", status.as_u16())?,
                By::Refresh => f.write_str(" → (refresh) ")?,
                By::Form(method) => write!(f, " → (form, {method}) ")?,
                By::Script => f.write_str(" → (script) ")?,
            }
            f.write_str(&without_query(&hop.url))?;
        }
        match self.end.filter(|status| !status.is_success()) {
            Some(status) => write!(f, ", which answers {}", status.as_u16()),
            None => Ok(()),
        }
    }
}

/// A URL as a report may show it: parameters can be secrets.
pub fn without_query(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    bare.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn some_redirects_keep_what_was_posted() {
        let post = Hop::with_form(url("https://a.example/x/y#here"), "a=1".to_owned(), By::Form("POST"));
        for (status, form) in [(301, None), (302, None), (303, None), (307, Some("a=1")), (308, Some("a=1"))]
        {
            let next = post.redirected(StatusCode::from_u16(status).unwrap(), "../z").unwrap();
            assert_eq!((next.url().as_str(), next.form()), ("https://a.example/z#here", form), "{status}");
        }
        for status in [200, 300, 304, 305] {
            assert_eq!(post.redirected(StatusCode::from_u16(status).unwrap(), "/z"), None, "{status}");
        }
    }

    #[test]
    fn a_trail_says_how_and_hides_queries() {
        let mut trail = Trail::default();
        let first = Hop::to(url("https://a.example/x?secret=1"));
        let second = first.redirected(StatusCode::SEE_OTHER, "/y?secret=2#z").unwrap();
        let third = Hop::with_form(url("https://b.example/"), String::new(), By::Form("POST"));
        for hop in [&first, &second, &third] {
            trail.note(hop);
        }
        let shown = "https://a.example/x → (303) https://a.example/y → (form, POST) https://b.example/";
        trail.ends_with(StatusCode::OK);
        assert_eq!(trail.to_string(), shown);
        trail.ends_with(StatusCode::FORBIDDEN);
        assert_eq!(trail.to_string(), format!("{shown}, which answers 403"));
    }
}
