//! Where in a TOML file a setting stands.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// The place of a byte offset.
    pub(super) fn of_offset(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The place of a setting such as `partners[1].name`, or of the nearest part of it that the file
/// has. Of an unknown field, which a decoder reports at its parent, the name stands in `reason`.
pub(super) fn place_of(text: &str, path: &str, reason: &str) -> Option<Place> {
    let table = DeTable::parse(text).ok()?;
    let mut keys: Vec<String> =
        path.split(['.', '[', ']']).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if let Some((name, _)) = reason.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'))
        && keys.last().is_none_or(|last| last != name)
    {
        keys.push(name.to_owned());
    }
    let mut offset = None;
    let mut inner: Option<&DeTable<'_>> = Some(table.get_ref());
    let mut list: Option<&[Spanned<DeValue<'_>>]> = None;
    for key in &keys {
        let value = if let Some(items) = list {
            let value = items.get(key.parse::<usize>().ok()?)?;
            offset = Some(value.span().start);
            value
        } else {
            let Some((found, value)) =
                inner.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key))
            else {
                break;
            };
            offset = Some(found.span().start);
            value
        };
        inner = value.get_ref().as_table();
        list = value.get_ref().as_array().map(AsRef::as_ref);
    }
    offset.map(|offset| Place::of_offset(text, offset))
}
