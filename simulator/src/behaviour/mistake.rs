//! Mistakes in rules, and how their places are named.

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where, as a JSON pointer into the file.
    pub(crate) at: String,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Mistake {
    pub(super) fn new(at: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into(), hint: hint.into() }
    }
}

impl std::fmt::Display for Mistake {
    /// Where and what: `rules[0].then.result: …`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", dotted(&self.at), self.message)
    }
}

/// A JSON pointer as Klarna writes parameters.
pub(crate) fn dotted(pointer: &str) -> String {
    let mut dotted = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.parse::<usize>().is_ok() {
            dotted.extend(["[", &part, "]"]);
        } else {
            dotted.push_str(if dotted.is_empty() { "" } else { "." });
            dotted.push_str(&part);
        }
    }
    dotted
}

/// One part of a JSON pointer.
pub(crate) fn part(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
