//! What a page's script does as soon as the page is there, where it says so in plain words.
//!
//! No script is run. Read are those few words by which pages of payment providers lead a customer on:
//! `location = "…"` and its kin, and `form.submit()`.

use std::sync::LazyLock;

use regex::Regex;

/// What leads on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// To a URL, which may be relative.
    Go(String),
    /// A form is sent, perhaps one of these.
    Submit(Vec<Which>),
}

/// How a script names a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// By its `id` or `name`.
    Named(String),
    /// By its place in the page, from 0.
    Numbered(usize),
}

/// A script without its comments. Each literal text stands as its number in quotes, so that no words
/// within it are taken for the script's own.
struct Code {
    text: String,
    literals: Vec<String>,
}

#[expect(clippy::expect_used, reason = "these patterns are constants, and a test compiles them all")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

static LOCATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[^\w$.]|\b(?:window|document|self|top|parent|globalThis)\s*\.\s*)location(?:\s*\.\s*href)?\s*=\s*"(\d+)"\s*(?:[^\s+.?]|$)"#,
    )
});
static LOCATION_CALL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[^\w$.]|\b(?:window|document|self|top|parent|globalThis)\s*\.\s*)location\s*\.\s*(?:replace|assign)\s*\(\s*"(\d+)"\s*\)"#,
    )
});
static SUBMIT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\.\s*(?:submit|requestSubmit)\s*(?:\(|\.\s*call\s*\()"));
static DELAYED: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\bsetTimeout\s*\(\s*"(\d+)""#));
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:getElementById|querySelector|\$|jQuery)\s*\(\s*"(\d+)"|\bforms\s*\[\s*"(\d+)"|\bforms\s*\[\s*(\d+)\s*\]|\bforms\s*\.\s*([A-Za-z_$][\w$]*)|\bdocument\s*\.\s*([A-Za-z_$][\w$]*)\s*\.\s*(?:submit|requestSubmit)\b"#,
    )
});
static LISTENER: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\baddEventListener\s*\(\s*"(\d+)""#));
static HANDLER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\.\s*on([a-z]+)\s*=\s*(?:async\s+)?(?:function\b|\()"));

/// Events that come by themselves.
const BY_ITSELF: &[&str] = &["load", "DOMContentLoaded", "pageshow", "readystatechange"];

/// What a script does at once, if anything leads on: the first such word.
pub(super) fn act(script: &str) -> Option<Act> {
    let mut code = Code::read(script);
    code.forget_what_waits_for_the_customer();
    let goes = [&LOCATION, &LOCATION_CALL].into_iter().filter_map(|pattern| {
        let found = pattern.captures(&code.text)?;
        Some((found.get(0)?.start(), Act::Go(code.literal(found.get(1)?.as_str())?)))
    });
    let submits = SUBMIT.find(&code.text).map(|found| (found.start(), Act::Submit(code.forms())));
    // Old pages hand a timer its script as text.
    let delayed = DELAYED
        .captures(&code.text)
        .and_then(|found| Some((found.get(0)?.start(), act(&code.literal(found.get(1)?.as_str())?)?)));
    goes.chain(submits).chain(delayed).min_by_key(|(at, _)| *at).map(|(_, act)| act)
}

impl Code {
    fn read(script: &str) -> Self {
        let mut code = Self { text: String::new(), literals: Vec::new() };
        let mut rest = script;
        while let Some(first) = rest.chars().next() {
            if rest.starts_with("//") || rest.starts_with("<!--") {
                rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
            } else if let Some(comment) = rest.strip_prefix("/*") {
                rest = comment.split_once("*/").map_or("", |(_, after)| after);
                code.text.push(' ');
            } else if matches!(first, '"' | '\'' | '`') {
                let (literal, after) = literal(rest.get(1..).unwrap_or_default(), first);
                // What a template puts together is known only to who runs it.
                match literal {
                    Some(literal) => {
                        code.text.push('"');
                        code.text.push_str(&code.literals.len().to_string());
                        code.text.push('"');
                        code.literals.push(literal);
                    }
                    None => code.text.push_str("``"),
                }
                rest = after;
            } else {
                code.text.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
        code
    }

    fn literal(&self, number: &str) -> Option<String> {
        self.literals.get(number.parse::<usize>().ok()?).cloned()
    }

    /// The forms that the script speaks of.
    fn forms(&self) -> Vec<Which> {
        let of = |found: regex::Captures<'_>| {
            if let Some(selector) = found.get(1) {
                return self.literal(selector.as_str()).map(|text| Which::Named(name_in(&text)));
            }
            if let Some(number) = found.get(2) {
                return self.literal(number.as_str()).map(Which::Named);
            }
            if let Some(number) = found.get(3) {
                return number.as_str().parse().ok().map(Which::Numbered);
            }
            let name = found.get(4).or_else(|| found.get(5))?;
            Some(Which::Named(name.as_str().to_owned()))
        };
        NAMED.captures_iter(&self.text).filter_map(of).collect()
    }

    /// Takes out what only happens when the customer does something.
    fn forget_what_waits_for_the_customer(&mut self) {
        let event = |found: &regex::Captures<'_>| self.literal(found.get(1)?.as_str());
        let listeners = LISTENER
            .captures_iter(&self.text)
            .filter(|found| event(found).is_some_and(|event| waits(&event)))
            .filter_map(|found| Some((found.get(0)?.start(), '(', ')')));
        let handlers = HANDLER
            .captures_iter(&self.text)
            .filter(|found| found.get(1).is_some_and(|event| waits(event.as_str())))
            .filter_map(|found| Some((found.get(0)?.start(), '{', '}')));
        let mut found: Vec<_> = listeners.chain(handlers).collect();
        found.sort_unstable();
        let (mut kept, mut seen) = (String::new(), 0);
        for (start, opens, closes) in found {
            if start >= seen {
                kept.push_str(self.text.get(seen..start).unwrap_or_default());
                kept.push(';');
                seen = self.closed_at(start, opens, closes);
            }
        }
        kept.push_str(self.text.get(seen..).unwrap_or_default());
        self.text = kept;
    }

    /// Where the bracket closes that opens next; the end, where none does.
    fn closed_at(&self, start: usize, opens: char, closes: char) -> usize {
        let mut depth = 0_usize;
        for (offset, letter) in self.text.get(start..).unwrap_or_default().char_indices() {
            if letter == opens {
                depth += 1;
            } else if letter == closes && depth > 0 {
                depth -= 1;
                if depth == 0 {
                    return start + offset + closes.len_utf8();
                }
            }
        }
        self.text.len()
    }
}

/// Whether an event is the customer's doing.
fn waits(event: &str) -> bool {
    !BY_ITSELF.contains(&event)
}

/// The name in a selector such as `#pay` or `form[name=pay]`; a plain id is itself.
fn name_in(selector: &str) -> String {
    let after = selector.rsplit_once('#').map_or(selector, |(_, id)| id);
    let named = after.split_once("name=").map_or(after, |(_, name)| name);
    named.trim_matches(|letter| matches!(letter, '"' | '\'' | ']' | ' ')).to_owned()
}

/// A literal's text behind its opening quote, `None` for a template with gaps, and what follows it.
fn literal(text: &str, quote: char) -> (Option<String>, &str) {
    let mut value = String::new();
    let mut whole = true;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return (whole.then_some(value), text.get(at + 1..).unwrap_or_default());
        }
        if letter != '\\' {
            whole &= !(quote == '`'
                && letter == '$'
                && text.get(at + 1..).is_some_and(|rest| rest.starts_with('{')));
            value.push(letter);
            continue;
        }
        match letters.next().map(|(_, escaped)| escaped) {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some('r') => value.push('\r'),
            Some('x') => value.extend(by_number(&mut letters, 2)),
            Some('u') => value.extend(by_number(&mut letters, 4)),
            // A line that goes on in the next one.
            Some('\n') | None => {}
            Some(other) => value.push(other),
        }
    }
    (None, "")
}

/// A letter by its number in hexadecimal.
fn by_number(letters: &mut std::str::CharIndices<'_>, digits: usize) -> Option<char> {
    let number: String = letters.by_ref().take(digits).map(|(_, letter)| letter).collect();
    char::from_u32(u32::from_str_radix(&number, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(to: &str) -> Act {
        Act::Go(to.to_owned())
    }

    fn named(name: &str) -> Act {
        Act::Submit(vec![Which::Named(name.to_owned())])
    }

    #[test]
    fn a_literal_url_leads_on() {
        for script in [
            "location = '/next'",
            "window.location=\"/next\";",
            "window.location.href = '/next'",
            "document.location.href='\\/next'",
            "location.replace(\"/next\")",
            "top.location.assign( '/next' );",
            "self.location = `\\u002fnext`",
            "window.onload = function () { location.href = '/n\\x65xt'; }",
            "// location = '/comment'\n/* location = '/other' */ location.href = \"/next\"",
            "var text = \"location = '/quoted'\"; location = '/next'",
        ] {
            assert_eq!(act(script), Some(go("/next")), "{script}");
        }
        assert_eq!(
            act("location = 'https://a.example/x?a=1&b=2#c'"),
            Some(go("https://a.example/x?a=1&b=2#c"))
        );
    }

    #[test]
    fn what_is_no_plain_word_leads_nowhere() {
        for script in [
            "if (location.href == '/here') { x() }",
            "location.href = '/a/' + id",
            "location = `/a/${id}`",
            "my.location = '/next'",
            "mylocation = '/next'",
            "location.hash = '/next'",
            "location.replace(next)",
            "console.log('location = \"/next\"', \"form.submit()\")",
            "// document.forms[0].submit()",
            "<!-- location = '/next'",
            "location = '/never ends",
            "",
        ] {
            assert_eq!(act(script), None, "{script}");
        }
    }

    #[test]
    fn a_form_is_sent() {
        assert_eq!(act("document.forms[1].submit()"), Some(Act::Submit(vec![Which::Numbered(1)])));
        for script in [
            "document.forms['pay'].submit();",
            "document.forms.pay.submit()",
            "document.pay.submit()",
            "document.getElementById('pay').submit()",
            "var form = document.getElementById(\"pay\");\nform.requestSubmit();",
            "document.querySelector('form#pay').submit()",
            "document.querySelector('form[name=\"pay\"]').submit()",
            "setTimeout('document.pay.submit()', 10)",
            "HTMLFormElement.prototype.submit.call(document.getElementById('pay'))",
            "document.addEventListener('DOMContentLoaded', () => { $('#pay').submit(); })",
            "window.addEventListener(\"load\", function () { document.pay.submit() })",
        ] {
            assert_eq!(act(script), Some(named("pay")), "{script}");
        }
        assert_eq!(act("form.submit()"), Some(Act::Submit(Vec::new())));
    }

    #[test]
    fn the_first_word_counts_and_what_waits_for_the_customer_does_not() {
        assert_eq!(
            act("document.pay.submit(); setTimeout(function () { location = '/slow' }, 9000)"),
            Some(named("pay"))
        );
        let waits = "b.addEventListener('click', function () { location = '/cancel' });\n\
                     b.onclick = function () { location = '/cancel' };\n\
                     b.onclick = () => { f(); location = '/cancel' };\n\
                     document.pay.submit();";
        assert_eq!(act(waits), Some(named("pay")));
        assert_eq!(act("b.addEventListener('click', () => location.replace('/x'))"), None);
    }
}
