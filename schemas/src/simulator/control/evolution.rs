//! Evolution: what Klarna may change at any time, and its clients must live with (contract `payments.md`
//! 5.6, AP-41).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// `PUT` and answer to `GET /sandboxes/{a}/evolution`: in which ways Klarna has evolved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetEvolution {
    /// All of them; none where it is empty.
    pub kinds: BTreeSet<Evolution>,
}

/// One way in which Klarna may evolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evolution {
    /// Every object of an answer or an event has a field that nobody knows.
    ExtraFields,
    /// Where a value says no more than why, it is one that nobody knows.
    UnknownEnumValues,
    /// The members of every object come in another order.
    ReorderedKeys,
    /// A success has another status: 200 becomes 201, every other one 200.
    #[serde(rename = "another_2xx")]
    Another2xx,
    /// Ids that are made from now on are longer, and of another form.
    LongerIds,
    /// Answers and events have headers that nobody knows.
    NewHeaders,
    /// Beside each event about a Payment Request comes one of a type that nobody knows.
    NewEventTypes,
}

impl Evolution {
    /// All, in the order in which they are documented.
    pub const ALL: [Self; 7] = [
        Self::ExtraFields,
        Self::UnknownEnumValues,
        Self::ReorderedKeys,
        Self::Another2xx,
        Self::LongerIds,
        Self::NewHeaders,
        Self::NewEventTypes,
    ];

    /// As it stands in a body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExtraFields => "extra_fields",
            Self::UnknownEnumValues => "unknown_enum_values",
            Self::ReorderedKeys => "reordered_keys",
            Self::Another2xx => "another_2xx",
            Self::LongerIds => "longer_ids",
            Self::NewHeaders => "new_headers",
            Self::NewEventTypes => "new_event_types",
        }
    }
}
