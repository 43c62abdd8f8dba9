//! Places in a body: as they were written, and what they have to do with each other.

use serde_json::Value;
use serde_json_path::JsonPath;

use super::conditions::Unusable;

/// A place in a body, which may be several at once: `$.line_items[*].name`.
#[derive(Debug, Clone)]
pub(super) struct Place {
    written: String,
    path: JsonPath,
    /// Of paths that are names and items alone.
    steps: Option<Vec<Step>>,
}

/// One step of a plain path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A member of an object.
    Name(String),
    /// One item of a list; from its end where negative.
    Item(i64),
    /// All items of a list.
    EachItem,
}

impl Place {
    /// Reads a JSONPath, or names with dots between them.
    pub(super) fn parse(written: &str) -> Result<Self, Unusable> {
        let path = if written.starts_with('$') { written.to_owned() } else { format!("$.{written}") };
        let steps = plain(&path);
        let path = JsonPath::parse(&path).map_err(|error| {
            Unusable::new(
                format!("{written:?} is no JSONPath: {error}"),
                "such as $.currency, $.line_items[0].quantity, or request_payment_transaction.amount",
            )
        })?;
        Ok(Self { written: written.to_owned(), path, steps })
    }

    /// As it stands in the rule.
    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// What stands there in a body.
    pub(super) fn values<'a>(&self, body: &'a Value) -> Vec<&'a Value> {
        self.path.query(body).all()
    }

    /// Its steps; `None` where it has filters, slices or descents.
    pub(super) fn steps(&self) -> Option<&[Step]> {
        self.steps.as_deref()
    }

    /// Whether it finds all that another finds, whatever the body.
    pub(super) fn finds_all_of(&self, other: &Self) -> bool {
        match (&self.steps, &other.steps) {
            (Some(wide), Some(narrow)) => {
                wide.len() == narrow.len()
                    && wide.iter().zip(narrow).all(|(wide, narrow)| wide.takes_in(narrow))
            }
            _ => self.path == other.path,
        }
    }

    /// Whether what stands at another place, or is missing there, holds this one.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        match (&self.steps, &other.steps) {
            (Some(inner), Some(outer)) => {
                inner.len() >= outer.len()
                    && inner.iter().zip(outer).all(|(inner, outer)| outer.takes_in(inner))
            }
            _ => self.path == other.path,
        }
    }
}

impl Step {
    fn takes_in(&self, other: &Self) -> bool {
        self == other || (*self == Self::EachItem && matches!(other, Self::Item(_)))
    }
}

/// The steps of a path without filters, slices and descents.
fn plain(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, left) = after.split_at(end);
            if name.is_empty() || name == "*" {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            rest = left;
        } else {
            let (inner, left) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted =
                ['\'', '"'].into_iter().find_map(|mark| inner.strip_prefix(mark)?.strip_suffix(mark));
            steps.push(match (quoted, inner.parse()) {
                (Some(name), _) if name.contains('\\') => return None,
                (Some(name), _) => Step::Name(name.to_owned()),
                (None, Ok(index)) => Step::Item(index),
                (None, Err(_)) if inner == "*" => Step::EachItem,
                (None, Err(_)) => return None,
            });
            rest = left;
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(written: &str) -> Place {
        Place::parse(written).unwrap()
    }

    #[test]
    fn one_place_can_be_written_in_several_ways() {
        for written in ["a.b", "$.a.b", "$['a'].b", "$[\"a\"]['b']"] {
            assert!(place(written).finds_all_of(&place("$.a.b")), "{written}");
        }
        assert!(Place::parse("$[").is_err());
        assert!(place("$..a").finds_all_of(&place("$..a")), "the same, though it is not plain");
        assert!(!place("$..a").finds_all_of(&place("$..b")));
    }

    #[test]
    fn all_items_take_each_one_in() {
        assert!(place("lines[*].n").finds_all_of(&place("lines[0].n")));
        assert!(!place("lines[0].n").finds_all_of(&place("lines[*].n")));
        assert!(!place("lines[0].n").finds_all_of(&place("lines[1].n")));
        assert!(!place("lines").finds_all_of(&place("lines[0]")));
        assert!(place("lines[0].n").is_within(&place("lines")));
        assert!(place("lines[0].n").is_within(&place("lines[*]")));
        assert!(!place("lines").is_within(&place("lines[0]")));
    }
}
