//! A form in a page, and what a browser sends when the page submits it.

use url::Url;
use url::form_urlencoded::Serializer;

use super::hop::{By, Hop};

/// A form with its fields in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// Its `id` and its `name`.
    pub(super) names: Vec<String>,
    pub(super) action: String,
    pub(super) method: String,
    pub(super) enctype: String,
    pub(super) fields: Vec<(String, String)>,
}

impl Form {
    /// Where sending it leads. `None` for what is no HTTP request of a kind that the suite can make.
    pub(super) fn sent(&self, page: &Url, base: &Url) -> Option<Hop> {
        let action = self.action.trim_ascii();
        let mut url = if action.is_empty() { page.clone() } else { base.join(action).ok()? };
        let mut fields = Serializer::new(String::new());
        fields.extend_pairs(self.fields.iter().map(|(name, value)| (with_crlf(name), with_crlf(value))));
        let fields = fields.finish();
        if self.method.eq_ignore_ascii_case("post") {
            let urlencoded = !["multipart/form-data", "text/plain"]
                .iter()
                .any(|other| self.enctype.eq_ignore_ascii_case(other));
            return urlencoded.then(|| Hop::with_form(url, fields, By::Form("POST")));
        }
        if self.method.eq_ignore_ascii_case("dialog") {
            return None;
        }
        url.set_query(Some(&fields));
        Some(Hop::new(url, By::Form("GET")))
    }
}

/// Browsers send every line's end as CR LF.
fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(method: &str, action: &str, enctype: &str) -> Option<Hop> {
        let fields = [("a b", "é&="), ("lines", "1\n2\r3\r\n4")];
        let form = Form {
            names: Vec::new(),
            action: action.to_owned(),
            method: method.to_owned(),
            enctype: enctype.to_owned(),
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        };
        let url = |text: &str| Url::parse(text).unwrap();
        form.sent(&url("https://a.example/page?q=1"), &url("https://b.example/base/"))
    }

    const FIELDS: &str = "a+b=%C3%A9%26%3D&lines=1%0D%0A2%0D%0A3%0D%0A4";

    #[test]
    fn the_fields_go_where_the_method_says() {
        let post = sent("Post", "go?x=1", "").unwrap();
        assert_eq!((post.url().as_str(), post.form()), ("https://b.example/base/go?x=1", Some(FIELDS)));
        let get = sent("", "/go?x=1", "multipart/form-data").unwrap();
        assert_eq!(
            (get.url().as_str(), get.form()),
            (format!("https://b.example/go?{FIELDS}").as_str(), None)
        );
    }

    #[test]
    fn without_an_action_it_is_the_page_itself() {
        assert_eq!(sent("post", " ", "").unwrap().url().as_str(), "https://a.example/page?q=1");
    }

    #[test]
    fn what_the_suite_cannot_send_leads_nowhere() {
        assert_eq!(sent("post", "/go", "multipart/form-data"), None);
        assert_eq!(sent("dialog", "/go", ""), None);
        assert_eq!(sent("post", "https://", ""), None);
    }
}
