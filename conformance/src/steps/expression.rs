//! From a Cucumber Expression to a regular expression.
//!
//! The part that the steps need: `{parameter}`, `(optional)` text and `one/other` words.

use std::borrow::Cow;

use regex::Regex;

use super::words;

/// What a parameter takes.
enum Takes {
    /// What this regular expression fits; its groups are what the step is given.
    Pattern(&'static str),
    /// One of these words, or what one of them fits.
    Words(fn() -> Vec<&'static str>),
}

use Takes::{Pattern, Words};

impl Takes {
    /// As a regular expression.
    fn pattern(&self) -> Cow<'static, str> {
        match self {
            Pattern(pattern) => Cow::Borrowed(pattern),
            Words(words) => Cow::Owned(format!("({})", words().join("|"))),
        }
    }
}

/// The parameters and what they take.
const PARAMETERS: &[(&str, Takes)] = &[
    ("amount", Pattern(r"(\d+(?:\.\d+)?) ([A-Z]{3})")),
    ("int", Pattern(r"(\d+)")),
    ("string", Pattern(r#""([^"]*)""#)),
    ("decision", Words(|| words::of(words::DECISIONS))),
    ("outcome", Pattern("(approved|declined|canceled|expired|pending|failed)")),
    ("mode", Pattern("(redirect|SDK)")),
    ("event", Pattern("(in-progress|completed|submitted|declined|canceled|expired)")),
    (
        "mistake",
        Pattern(
            "(a negative amount|an amount of zero|no currency|a currency that is none|a return URL that is none\
         |Klarna Network Data of 10241 characters)",
        ),
    ),
    ("letters", Pattern("(ASCII|non-ASCII)")),
    ("peculiarity", Pattern("(Windows line ends|a byte order mark in it|invisible letters)")),
    (
        "field",
        Pattern(
            "(purchase reference\
         |(?:name|quantity|price|total|tax|article number) of each line\
         |(?:given name|family name|email|phone|street|postal code|city|region|country) of the customer\
         |(?:given name|family name) of the recipient\
         |(?:street|postal code|city|region|country) to ship to)",
        ),
    ),
    ("call", Pattern("(initial|final)")),
    ("followup", Pattern("(capture|refund|cancel)")),
    ("settlement", Pattern("(done|refused)")),
    ("trouble", Words(|| [words::STATUSES.to_vec(), words::of(words::ON_THE_WIRE)].concat())),
    ("forgery", Words(|| words::of(words::FORGERIES))),
    ("manner", Words(|| words::of(words::MANNERS))),
    ("oddity", Words(|| words::of(words::ODDITIES))),
    ("registration", Pattern("(signing keys|webhooks|signing keys and webhooks)")),
    ("presentation", Pattern("(shown|preselected|the only one shown|hidden)")),
    ("failure", Pattern("(fails|is not answered|is a page of HTML)")),
    ("evolution", Words(|| [words::of(words::EVOLUTIONS), vec![words::EVERYTHING]].concat())),
    ("act", Words(|| words::of(words::ACTS))),
    ("treatment", Pattern("(approves|declines)")),
    ("duration", Pattern(r"(\d+ (?:seconds?|minutes?|hours?))")),
    ("operation", Pattern(r"([a-z][a-z_.:-]*\*?|\*)")),
    ("header", Pattern("([A-Za-z0-9-]+)")),
    ("time", Pattern(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)")),
    ("page", Pattern("(confirmation page|checkout page with an error)")),
];

/// Parameters that take what no list can hold.
pub(super) const FREE: [&str; 7] = ["amount", "int", "string", "duration", "time", "operation", "header"];

/// The parameters, and what each takes in words.
pub(super) fn parameters() -> impl Iterator<Item = (&'static str, Vec<String>)> {
    PARAMETERS.iter().map(|(name, takes)| {
        let pattern = takes.pattern();
        let plain = pattern.trim_start_matches('(').trim_end_matches(')');
        (*name, alternatives(plain))
    })
}

/// The words between the bars of a pattern, with what stands in groups of their own multiplied out.
fn alternatives(pattern: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0_usize, vec![String::new()]);
    for character in pattern.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
    }
    parts.iter().flat_map(|part| multiplied_out(part)).collect()
}

fn multiplied_out(part: &str) -> Vec<String> {
    let group = part.strip_prefix("(?:").and_then(|rest| rest.split_once(')'));
    match group {
        Some((words, rest)) => words.split('|').map(|word| format!("{word}{rest}")).collect(),
        None => vec![part.to_owned()],
    }
}

/// Compiles an expression; what comes out matches whole texts.
pub(super) fn compile(expression: &str) -> Result<Regex, String> {
    compiled(expression, |_, takes| takes.pattern())
}

/// The same, with what each parameter takes, by its place among them.
fn compiled(
    expression: &str,
    pattern_of: impl Fn(usize, &Takes) -> Cow<'static, str>,
) -> Result<Regex, String> {
    let mut parameters = 0;
    let mut pattern = String::from("^");
    let mut rest = expression;
    while let Some(character) = rest.chars().next() {
        if let Some((name, behind)) = enclosed(rest, '{', '}') {
            let (_, takes) = PARAMETERS
                .iter()
                .find(|(known, _)| *known == name)
                .ok_or_else(|| format!("\"{expression}\" has an unknown parameter {{{name}}}"))?;
            pattern.push_str(&pattern_of(parameters, takes));
            parameters += 1;
            rest = behind;
        } else if let Some((optional, behind)) = enclosed(rest, '(', ')') {
            pattern.push_str("(?:");
            pattern.push_str(&regex::escape(optional));
            pattern.push_str(")?");
            rest = behind;
        } else if character == ' ' {
            pattern.push(' ');
            rest = rest.get(1..).unwrap_or_default();
        } else {
            let end = rest.find([' ', '{', '(']).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            if word.contains('/') {
                let words: Vec<String> = word.split('/').map(regex::escape).collect();
                pattern.push_str("(?:");
                pattern.push_str(&words.join("|"));
                pattern.push(')');
            } else {
                pattern.push_str(&regex::escape(word));
            }
            rest = behind;
        }
    }
    pattern.push('$');
    Regex::new(&pattern).map_err(|error| format!("\"{expression}\": {error}"))
}

/// A text that a parameter does not take, though all around it is as the expression says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The name of the parameter.
    pub(super) parameter: &'static str,
    /// What stands in its place.
    pub(super) given: String,
    /// The words that it takes; none where it takes what no list can hold.
    pub(super) takes: Vec<String>,
}

/// What of a text keeps it from being this step, if it is one parameter and nothing else.
pub(super) fn misfit(expression: &str, text: &str) -> Option<Misfit> {
    let named = expression.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    named.enumerate().find_map(|(place, name)| {
        let all_but_it =
            compiled(
                expression,
                |at, takes| {
                    if at == place { Cow::Borrowed("(?<misfit>.+?)") } else { takes.pattern() }
                },
            );
        let given = all_but_it.ok()?.captures(text)?.name("misfit")?.as_str().to_owned();
        let (parameter, takes) = parameters().find(|(known, _)| *known == name)?;
        let takes = if FREE.contains(&parameter) { Vec::new() } else { takes };
        let takes = takes.into_iter().map(|words| words.replace(r"[45]\d{2}", "503")).collect();
        Some(Misfit { parameter, given, takes })
    })
}

fn enclosed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    text.strip_prefix(open)?.split_once(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captures(expression: &str, text: &str) -> Option<Vec<String>> {
        let captures = compile(expression).unwrap().captures(text)?;
        Some(captures.iter().skip(1).flatten().map(|group| group.as_str().to_owned()).collect())
    }

    #[test]
    fn parameters_optional_text_and_alternatives() {
        assert_eq!(captures("an order of {amount}", "an order of 459.00 SEK").unwrap(), ["459.00", "SEK"]);
        assert_eq!(captures("{int} payment(s)", "2 payments").unwrap(), ["2"]);
        assert!(captures("a/the payment", "the payment").is_some());
        assert!(captures("a payment", "a payment more").is_none(), "the whole text must fit");
        assert!(compile("{nonsense}").unwrap_err().contains("unknown parameter"));
    }

    #[test]
    fn one_parameter_that_does_not_fit_is_told() {
        let found = misfit("the customer will {act} {duration} later", "the customer will eat 3 hours later");
        let found = found.unwrap();
        assert_eq!((found.parameter, found.given.as_str()), ("act", "eat"));
        assert!(found.takes.contains(&"refuse the purchase".to_owned()));
        let found = misfit("it takes {duration}", "it takes ages").unwrap();
        assert_eq!((found.given.as_str(), found.takes.len()), ("ages", 0));
        assert_eq!(misfit("in {mode} mode {int}", "in no mode ever"), None, "two do not fit");
        assert_eq!(misfit("in {mode} mode", "in no way"), None, "the rest does not fit");
    }
}
