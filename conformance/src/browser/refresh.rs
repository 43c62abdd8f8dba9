//! "Go there in so many seconds", as a page's head or a header says it.

use std::time::Duration;

use url::Url;

use super::hop::{By, Hop};

/// The longest that a browser of the suite waits for a page to move on.
const LONGEST: Duration = Duration::from_secs(10);

/// A refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refresh {
    /// What passes before it, whole seconds.
    pub(super) after: Duration,
    /// Where it leads, perhaps relative; the page itself where absent.
    pub(super) to: Option<String>,
}

impl Refresh {
    /// Reads `0; url=/next`, as browsers do: the HTML standard, "shared declarative refresh steps".
    /// `None` for what is none, or lies too far in the future to wait for.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim_ascii_start();
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (seconds, rest) = text.split_at(digits);
        if seconds.is_empty() && !rest.starts_with('.') {
            return None;
        }
        let after = Duration::from_secs(if seconds.is_empty() { 0 } else { seconds.parse().ok()? });
        if after > LONGEST {
            return None;
        }
        let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        if !rest.is_empty()
            && !rest.starts_with([';', ','])
            && !rest.starts_with(|letter: char| letter.is_ascii_whitespace())
        {
            return None;
        }
        let rest = rest.trim_ascii_start();
        let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_ascii_start();
        let to = target(rest);
        Some(Self { after, to: (!to.is_empty()).then(|| to.to_owned()) })
    }

    /// Where it leads from a page with this base.
    pub(super) fn leads_on(&self, page: &Url, base: &Url) -> Option<Hop> {
        let url = match &self.to {
            Some(to) => base.join(to).ok()?,
            None => page.clone(),
        };
        Some(Hop::new(url, By::Refresh).later(self.after))
    }
}

/// The URL behind the time, with or without `url=` and quotes.
fn target(text: &str) -> &str {
    let named = text
        .get(..3)
        .filter(|word| word.eq_ignore_ascii_case("url"))
        .and_then(|_| text.get(3..))
        .and_then(|rest| rest.trim_ascii_start().strip_prefix('='));
    let text = named.map_or(text, str::trim_ascii_start);
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split(quote).next().unwrap_or_default();
        }
    }
    text.trim_ascii_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_pages_write_it() {
        for (text, seconds, to) in [
            ("0; url=/next", 0, Some("/next")),
            ("0;URL='/next'", 0, Some("/next")),
            (" 3 ; Url = \"/next\" onwards", 3, Some("/next")),
            ("0,/next", 0, Some("/next")),
            ("0 /next ", 0, Some("/next")),
            ("0.5;url=/next", 0, Some("/next")),
            (".9; url=/a;b=c", 0, Some("/a;b=c")),
            ("0; url=https://a.example/?x=1&y='2'", 0, Some("https://a.example/?x=1&y='2'")),
            ("5", 5, None),
            ("0;", 0, None),
            ("0; url=", 0, None),
        ] {
            let read = Refresh::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((read.after.as_secs(), read.to.as_deref()), (seconds, to), "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "url=/next",
            "soon; url=/next",
            "0x; url=/next",
            "600; url=/late",
            "99999999999999999999; url=/",
        ] {
            assert_eq!(Refresh::read(text), None, "{text}");
        }
    }
}
