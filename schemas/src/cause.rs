//! Why something failed: an error, and what lies below it. HTTP clients only say that they could not send.

use std::error::Error;
use std::iter::successors;

/// An error and its causes, the outermost first.
pub fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| error.source())
}

/// The innermost cause: the one that names what went wrong. The error itself where there is none below it.
pub fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}

/// The whole chain in one line; a cause that the text before it ends with already is not said twice.
pub fn told(error: &(dyn Error + 'static)) -> String {
    chain(error).map(ToString::to_string).fold(String::new(), |told, text| {
        if told.is_empty() {
            text
        } else if told.ends_with(&text) {
            told
        } else {
            format!("{told}: {text}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Made {
        #[error("the file is not there")]
        Innermost,
        #[error("it cannot be read: {0}")]
        Repeating(#[source] Box<Made>),
        #[error("no settings")]
        Plain(#[source] Box<Made>),
    }

    #[test]
    fn causes_are_told_once_from_the_outside_in() {
        let error = Made::Plain(Box::new(Made::Repeating(Box::new(Made::Innermost))));
        assert_eq!(told(&error), "no settings: it cannot be read: the file is not there");
        assert_eq!(innermost(&error).to_string(), "the file is not there");
        assert_eq!(told(&Made::Innermost), "the file is not there");
        assert_eq!(chain(&error).count(), 3);
    }
}
