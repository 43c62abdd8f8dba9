//! The text of a YAML file that somebody wrote, places in it, and complaints about them.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderName;
use klarna_schemas::nearest::nearest;
use miette::{NamedSource, SourceSpan};
use serde_saphyr::Spanned;

use super::error::{AdapterError, Details};

/// A place in the file: line and column from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl From<serde_saphyr::Location> for Place {
    fn from(location: serde_saphyr::Location) -> Self {
        let number = |value: u64| usize::try_from(value).unwrap_or(0);
        Self { line: number(location.line()), column: number(location.column()) }
    }
}

/// The text of a file under the name that the user knows it by.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    text: String,
    shown: String,
    /// Mistakes after which the rest of the file could still be read.
    noted: Arc<Mutex<Option<AdapterError>>>,
}

impl Source {
    pub(crate) fn new(name: String, text: String) -> Self {
        Self { name, shown: text.clone(), text, noted: Arc::default() }
    }

    /// Notes a mistake, so that what follows it in the file is looked at, too. Nothing that was noted is
    /// forgiven: [`Self::verdict`] tells.
    pub(crate) fn sift<T>(&self, result: Result<T, AdapterError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
                *noted = Some(match noted.take() {
                    None => error,
                    Some(known) => known.and(error),
                });
                None
            }
        }
    }

    /// Every mistake that was noted, in the order of the file.
    pub(crate) fn verdict(&self) -> Result<(), AdapterError> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        noted.map_or(Ok(()), |error| Err(error.in_order()))
    }

    /// Reads a file; `hint` says what to do where there is none.
    pub(crate) fn read(path: &Path, hint: &str) -> Result<Self, AdapterError> {
        let name = path.display().to_string();
        match std::fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => Ok(Self::new(name, text)),
            Ok(Err(_)) => Err(Self::new(name, String::new()).whole("the file is not UTF-8", None)),
            Err(error) => {
                let message = format!("the file cannot be read: {error}");
                Err(Self::new(name, String::new()).whole(&message, Some(hint)))
            }
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Blackens a value that complaints must not show with the lines around them.
    pub(crate) fn hide(&mut self, secret: &str) {
        if secret.len() >= 4 {
            self.shown = self.shown.replace(secret, &"*".repeat(secret.len()));
        }
    }

    /// `file:line:column`.
    pub(crate) fn at(&self, place: Place) -> String {
        if place.line == 0 {
            return self.name.clone();
        }
        format!("{}:{}:{}", self.name, place.line, place.column)
    }

    /// A complaint about the file as a whole.
    pub(crate) fn whole(&self, message: &str, hint: Option<&str>) -> AdapterError {
        self.complain(Place::default(), message, hint)
    }

    /// A complaint about one place.
    pub(crate) fn complain(&self, place: Place, message: &str, hint: Option<&str>) -> AdapterError {
        self.build(place, message.to_owned(), hint.map(str::to_owned), None)
    }

    /// A complaint about a name that is not among the known ones.
    pub(crate) fn unknown(&self, place: Place, what: &str, name: &str, known: &[&str]) -> AdapterError {
        let nearest = nearest(name, known);
        let list = known.join(", ");
        let hint = match nearest {
            Some(candidate) => format!("did you mean \"{candidate}\"? Known here: {list}"),
            None => format!("known here: {list}"),
        };
        self.build(place, format!("unknown {what} \"{name}\""), Some(hint), nearest.map(str::to_owned))
    }

    /// What serde or the YAML parser had to say.
    pub(crate) fn yaml(&self, error: &serde_saphyr::Error) -> AdapterError {
        use serde_saphyr::Error;
        let error = error.without_snippet();
        let place = error.location().map(Place::from).unwrap_or_default();
        match error {
            Error::SerdeUnknownField { field, expected, .. } => self.unknown(place, "key", field, expected),
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                self.unknown(place, "value", variant, expected)
            }
            Error::SerdeMissingField { field, .. } => {
                self.complain(place, &format!("the key \"{field}\" is missing from this mapping"), None)
            }
            Error::DuplicateMappingKey { .. } => {
                self.complain(place, "this key stands here twice", Some("remove one of the two"))
            }
            other => {
                let text = other.to_string();
                // The place is shown apart; the parser repeats it at the end of its sentence.
                let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before);
                self.complain(place, text, None)
            }
        }
    }

    fn build(
        &self,
        place: Place,
        message: String,
        hint: Option<String>,
        nearest: Option<String>,
    ) -> AdapterError {
        let known = place.line > 0;
        AdapterError::new(Details {
            file: self.name.clone(),
            line: known.then_some(place.line),
            column: known.then_some(place.column),
            message,
            hint,
            nearest,
            source_text: known
                .then(|| NamedSource::new(&self.name, self.shown.clone()).with_language("yaml")),
            span: known.then(|| SourceSpan::from((self.offset(place), 1))),
        })
    }

    /// Byte offset of a place, at most that of the end of its line.
    fn offset(&self, place: Place) -> usize {
        let mut start = 0;
        for (index, line) in self.shown.split_inclusive('\n').enumerate() {
            if index + 1 == place.line {
                let within = line.trim_end_matches('\n').char_indices().nth(place.column.saturating_sub(1));
                return start + within.map_or(line.trim_end_matches('\n').len(), |(offset, _)| offset);
            }
            start += line.len();
        }
        self.shown.len()
    }

    /// The name of a header.
    pub(crate) fn header_name(&self, name: &Spanned<String>) -> Result<HeaderName, AdapterError> {
        HeaderName::from_bytes(name.value.as_bytes()).map_err(|_| {
            let message = format!("\"{}\" is no header name", name.value);
            self.complain(name.referenced.into(), &message, None)
        })
    }

    /// The character at a place.
    pub(crate) fn char_at(&self, place: Place) -> Option<char> {
        self.text.split('\n').nth(place.line.checked_sub(1)?)?.chars().nth(place.column.checked_sub(1)?)
    }
}
