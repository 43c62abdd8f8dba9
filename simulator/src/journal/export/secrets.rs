//! What must not be handed on, told by its value wherever it stands: in an odd header, in a URL, in a member
//! that nobody knows.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use klarna_schemas::simulator::journal::{JournalEntry, RecordedResponse};
use percent_encoding::percent_decode_str;
use regex::{Captures, Regex};
use serde_json::Value;

use super::blackened::{BLACK, is_secret_name, tokens_of};

/// Shorter values are no secrets, but words that would blacken half of a file.
const SHORTEST: usize = 12;

/// Every token that the simulator issues, and every key of Klarna's, whosever it is, has its own form.
static FORMS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let key = r#"klarna_(?:test|live)_api_[^\s"'&;,<>:/?#]+"#;
    let colon = "(?::|%3A|%3a)";
    let token =
        format!("krn(?:{colon}[a-z0-9]+)+{colon}(?:session|customer|sdk)-token{colon}[A-Za-z0-9_.~-]+");
    Regex::new(&format!("{key}|{token}")).ok()
});

/// Words that could be base64 of a key.
static ENCODED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("[A-Za-z0-9+/_-]{16,}={0,2}").ok());

/// The values that are secret beside those that are told by their form.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Those that are configured, and whatever stands in these entries where secrets stand.
    pub(crate) fn of(configured: Vec<String>, entries: &[JournalEntry]) -> Self {
        let mut values = configured;
        for entry in entries {
            let answer = entry.response.as_ref();
            let headers =
                entry.request.headers.iter().chain(answer.iter().flat_map(|answer| &answer.headers));
            let secret = headers.filter(|(name, _)| is_secret_name(name) && !name.contains("authorization"));
            values.extend(secret.map(|(_, value)| value.clone()));
            for body in [entry.request.json(), answer.and_then(RecordedResponse::json)].into_iter().flatten()
            {
                tokens_of(&body, &mut values);
            }
        }
        values.retain(|value| value.len() >= SHORTEST);
        // The longest first: one may be the beginning of another.
        values.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        values.dedup();
        Self(values)
    }

    /// A text without them.
    pub(super) fn blackened<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut black = Cow::Borrowed(text);
        for value in &self.0 {
            if black.contains(value.as_str()) {
                black = Cow::Owned(black.replace(value.as_str(), BLACK));
            }
        }
        if let (Some(forms), Some(encoded)) = (&*FORMS, &*ENCODED) {
            if forms.is_match(&black) {
                black = Cow::Owned(forms.replace_all(&black, BLACK).into_owned());
            }
            if encoded.find_iter(&black).any(|word| self.encodes(word.as_str())) {
                let instead = |word: &Captures<'_>| {
                    let word = word.get(0).map_or("", |word| word.as_str());
                    if self.encodes(word) { BLACK.to_owned() } else { word.to_owned() }
                };
                black = Cow::Owned(encoded.replace_all(&black, instead).into_owned());
            }
        }
        black
    }

    /// A path and query, or a URL, without them: encoded or not, and whatever stands under a name that says
    /// so.
    pub(super) fn target(&self, target: &str) -> String {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let piece = |piece: &str| if self.hides_in(piece) { BLACK.to_owned() } else { piece.to_owned() };
        let mut black = path.split('/').map(piece).collect::<Vec<_>>().join("/");
        if let Some(query) = query {
            let pair = |pair: &str| match pair.split_once('=') {
                Some((name, _)) if is_secret_name(&decoded(name)) => format!("{name}={BLACK}"),
                Some((name, value)) => format!("{}={}", piece(name), piece(value)),
                None => piece(pair),
            };
            black.push('?');
            black.push_str(&query.split('&').map(pair).collect::<Vec<_>>().join("&"));
        }
        black
    }

    /// JSON without them.
    pub(super) fn json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::from(self.blackened(&text).into_owned()),
            Value::Array(items) => items.into_iter().map(|item| self.json(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, member)| (self.blackened(&name).into_owned(), self.json(member)))
                .collect(),
            other => other,
        }
    }

    fn hides_in(&self, piece: &str) -> bool {
        let decoded = decoded(piece);
        self.blackened(piece) != piece || self.blackened(&decoded) != decoded
    }

    /// Whether a word is base64 of something with a key in it.
    fn encodes(&self, word: &str) -> bool {
        const LENIENT: GeneralPurposeConfig =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let standard = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
        let safe = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
        let read = standard.decode(word).or_else(|_| safe.decode(word));
        let Some(text) = read.ok().and_then(|bytes| String::from_utf8(bytes).ok()) else { return false };
        self.0.iter().any(|value| text.contains(value))
            || FORMS.as_ref().is_some_and(|forms| forms.is_match(&text))
    }
}

fn decoded(piece: &str) -> String {
    percent_decode_str(&piece.replace('+', " ")).decode_utf8_lossy().into_owned()
}
